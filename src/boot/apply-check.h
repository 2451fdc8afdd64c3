/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/apply.h"

#define BOOT_FILE_MAX (4U << 20)

/* 1: the file holds this text (NULL: there is none), 0: another one. */
int file_holds(const struct root *root, const char *path, const char *text);

/* Another file than the one that the plan was made of is not overwritten: -ESTALE. */
int check_unchanged(const struct apply *a, const struct plan_change *c, struct err *e);

/* All that can be checked before anything is changed: nothing has changed, folders can be written to and have room.
 * entries: what can be booted now. */
int check_before(const struct apply *a, const struct plan *plan, const struct boot_entries *entries, struct err *e);

/* Reads every line again: it holds what is wanted, and none lost its root=. In an image without the commands, which
 * write the lines, only whether there is any left. */
int check_after(const struct apply *a, const struct plan *plan, const struct boot_edit *edit,
                const struct boot_entries *before, struct err *e);
