/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* Which kernel GRUB boots by default: a line GRUB_DEFAULT in our drop-in. */

/* The menu entry of an installed kernel as GRUB_DEFAULT names it: "gnulinux-advanced-UUID>gnulinux-VERSION-advanced-UUID".
 * -ENOENT: grub.cfg has no such entry. */
int grub_kernel_find(const struct root *root, const char *version, char *buf, size_t size, struct err *e);

/* struct loader_kernel's; the command that writes grub.cfg is the caller's. */
int grub_kernel_plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e);
int grub_kernel_verify(const struct root *root, const struct boot_edit *edit, struct err *e);
