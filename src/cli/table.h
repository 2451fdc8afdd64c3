/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macro.h"

/* Text in aligned columns, at most TABLE_WIDTH_MAX wide unless the columns before the last one leave it no room. */
struct table;

#define TABLE_WIDTH_MAX 100

/* The titles, NULL-terminated. */
struct table *table_new(const char *title, ...) __attribute__((sentinel));
void table_free(struct table *t);
DEFINE_CLEANUP(struct table *, table_free)
#define _cleanup_table_ _cleanup_(table_freep)

/* One row: as many texts as there are titles; copied, without control characters. */
void table_row(struct table *t, ...);

enum table_fit {
        TABLE_WRAP, /* the last column goes on in the next line */
        TABLE_CUT,  /* it ends in an ellipsis: for what is looked up, not read */
};

/* Prints to standard output; nothing at all when there are no rows. */
void table_print(const struct table *t, enum table_fit fit);
