/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* /etc/kernel/cmdline: the line that kernels to come get (kernel-install, sdbootutil, proxmox-boot-tool). Without it
 * kernel-install falls back to /proc/cmdline, which made one-off arguments permanent (systemd#18456). */

#define KERNEL_CMDLINE "/etc/kernel/cmdline"

enum kernel_cmdline_kind {
        KERNEL_CMDLINE_PLAIN,
        KERNEL_CMDLINE_FIRST_LINE, /* only the first line counts (Proxmox) */
        KERNEL_CMDLINE_GRUB,       /* it ends up in entries that GRUB reads as a script */
};

/* Adds the line as the entry "kernels to come"; nothing when there is no such file. */
int kernel_cmdline_read(const struct root *root, enum kernel_cmdline_kind kind, struct boot_entries *entries,
                        struct err *e);

/* model: the line for a file that does not exist yet; NULL: then it is not made. A file that we made, and that still
 * says nothing but the model, is removed by a revert. Refused: several lines, unless only the first one counts. */
int kernel_cmdline_plan(const struct root *root, struct boot_edit *edit, const char *model,
                        enum kernel_cmdline_kind kind, struct plan *plan, struct err *e);
