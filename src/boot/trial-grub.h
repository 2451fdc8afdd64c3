/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* A trial boot with GRUB: the kernel lines say $passthru_args. A script of ours in /etc/grub.d, which is there only while a
 * trial is pending, has GRUB fill it in: with grubenv's passthru_trial if that is set and could be deleted from the disk
 * before it is used, else with what was ours before. */

#define TRIAL_GRUB_ARGS "$passthru_args"

/* Plans the script and grubenv: `before` is what TRIAL_GRUB_ARGS stands for on other boots, `tried` on the next one, which
 * boots this entry ("": the usual one). */
int trial_grub_plan(const struct root *root, const char *before, const char *tried, const char *entry,
                    struct boot_edit *edit, struct plan *plan, struct err *e);

/* Takes both away, where they are there and ours. */
int trial_grub_clear(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e);

/* struct loader_trial's */
int trial_grub_verify(const struct root *root, const struct boot_edit *edit, struct err *e);
