/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* A trial boot with systemd-boot, which also starts kernelstub's entries and unified images: an entry of its own, without
 * a boot counter, that LoaderEntryOneShot names. The loader deletes the variable before it starts the kernel, and what it
 * boots otherwise is not touched. Counting boots instead (UAPI.1) loops for ever where a default is set by hand. */

/* -EOPNOTSUPP: systemd-boot did not start this machine, so nobody would read the variable. */
int trial_entry_check_loader(const struct root *root, struct err *e);

/* Plans such an entry below folder, made of the one that is tried (its text), and the variable. */
int trial_entry_plan(const struct root *root, const char *folder, const char *text, struct boot_edit *edit,
                     struct plan *plan, struct err *e);

/* Takes both away, where they are there and ours. */
int trial_entry_clear(const struct root *root, const struct boot_edit *edit, struct plan *plan, struct err *e);

/* struct loader_trial's */
int trial_entry_verify(const struct root *root, const struct boot_edit *edit, struct err *e);
