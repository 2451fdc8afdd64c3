/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* GRUB's shell, which reads every kernel line once more: ';' and others would end or change it (cloud-init#2120). */

/* As the kernel will see it. Caller frees; NULL: out of memory. */
char *grub_unquote(const char *s, size_t length);

/* For GRUB's shell alone, and for sh between double quotes first and then GRUB's. -ENAMETOOLONG. */
int grub_quote(const char *parameter, char *buf, size_t size);
int grub_quote_for_sh(const char *parameter, char *buf, size_t size);

/* Refuses what GRUB would change in any spelling: quotes and backslashes. */
int grub_check_wanted(const struct boot_edit *edit, struct err *e);

/* The kernel lines of a grub.cfg. Untouched: those for recovery, and those that do not come from a script for Linux
 * (other systems, memtest, the user's own), since no setting reaches them. -ENOMEM. */
int grub_cfg_parse(const char *text, const char *path, struct boot_entries *entries);
int grub_cfg_read(const struct root *root, const char *path, struct boot_entries *entries, struct err *e);
