/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* systemd-boot's default entry: the EFI variable LoaderEntryDefault, as "bootctl set-default" sets it. */

/* id: the entry or image that is to be the default; NULL: what was set before ours comes back, unless somebody changed it
 * since. -EOPNOTSUPP: systemd-boot did not start this machine. */
int efi_default_plan(const struct root *root, const char *id, struct boot_edit *edit, struct plan *plan, struct err *e);

/* struct loader_kernel's */
int efi_default_verify(const struct root *root, const struct boot_edit *edit, struct err *e);
