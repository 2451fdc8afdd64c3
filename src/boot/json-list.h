/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/edit.h"

/* A list of strings in a JSON text that, joined by spaces, is a kernel line: edited element by element. Parameters that
 * belong together are one element, so that no tool can part them. */
struct json_list {
        const char *path;                      /* of the file, for the ledger and for messages */
        char *text;                            /* replaced by an edit */
        const char *(*find)(const char *text); /* where the list starts: at its '[' */
};

int json_list_line(const struct json_list *list, char **ret, struct err *e);

/* As boot_edit_line(). *e is not always set when it fails. */
int json_list_edit(struct json_list *list, struct boot_edit *edit, struct err *e);
