/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"

/* GRUB's variables that outlive a boot: lines NAME=value with '\' before '\' and line ends, filled up with '#' to 1024
 * bytes. Changed as text and in place of "grub-editenv", so that it is shown, kept and taken back like other files. */

#define GRUBENV_SIZE 1024

/* *ret: the text, caller frees; NULL when there is no such file. -EBADMSG: not 1024 bytes. */
int grubenv_load(const struct root *root, const char *path, char **ret, struct err *e);

/* Where the value of a variable begins in text, and its length; NULL: it is not set. text may be NULL. */
const char *grubenv_get(const char *text, const char *name, size_t *ret_length);

/* The text with the variable set, or (value NULL) without it; text may be NULL. Caller frees *ret. -EINVAL: the value has
 * backslashes or line ends. -ENOSPC: it does not fit. -ENOMEM. */
int grubenv_set(const char *text, const char *name, const char *value, char **ret);

/* No variable is set. */
bool grubenv_is_empty(const char *text);

/* GRUB could write to the file when it runs: 0. -EOPNOTSUPP: not on that file system, or not below LVM, RAID or encryption
 * (grub's save_env writes to the blocks that the file has on the disk). */
int grubenv_check_writable(const struct root *root, const char *path, struct err *e);
