/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macro.h"

/* Text in aligned columns, at most 100 columns wide: the last one is cut to fit. */
struct table;

#define TABLE_WIDTH_MAX 100

/* The titles, NULL-terminated. */
struct table *table_new(const char *title, ...) __attribute__((sentinel));
void table_free(struct table *t);
DEFINE_CLEANUP(struct table *, table_free)
#define _cleanup_table_ _cleanup_(table_freep)

/* One row: as many texts as there are titles; copied. */
void table_row(struct table *t, ...);

/* Prints to standard output; nothing at all when there are no rows. */
void table_print(const struct table *t);
