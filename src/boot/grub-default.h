/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* /etc/default/grub, a script that sh sources: one assignment in it is edited in place, and all other bytes stay.
 * Taken is only what can be edited without running the script; everything else is refused with its line. */

#define GRUB_DEFAULT "/etc/default/grub"
#define GRUB_DEFAULT_MAX (256U << 10)

/* Where the value of NAME="value" stands in the text. n_lines: how many assignments there are, 0 or 1. */
struct grub_assignment {
        const char *start;
        size_t length;
        char quote; /* ' or " */
        size_t n;
};

/* -EINVAL: it cannot be edited safely; *e names the line and the way out. */
int grub_default_find(const char *text, const char *name, struct grub_assignment *ret, struct err *e);

/* Adds the value as an entry called title, as the kernel will see it; nothing when the file (GRUB_DEFAULT or a
 * drop-in) or the assignment is missing. */
int grub_default_read(const struct root *root, const char *path, const char *name, const char *title,
                      struct boot_entries *entries, struct err *e);

/* A missing assignment is added at the end of the file, and taken away again by a revert. */
int grub_default_plan(const struct root *root, struct boot_edit *edit, const char *name, struct plan *plan,
                      struct err *e);

/* The value of a simple NAME=value (quotes taken off), "" when there is none: for detection. */
int grub_default_get(const struct root *root, const char *name, char *buf, size_t size);
