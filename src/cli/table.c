/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/utf8.h"
#include "cli/text.h"

#define COLUMNS_MAX 12
#define LAST_WIDTH_MIN 24

struct table {
        size_t n_columns, n_cells;
        size_t width[COLUMNS_MAX];
        char **cells; /* row by row, the titles first */
};

static void add(struct table *t, const char *text) {
        char **bigger = reallocarray(t->cells, t->n_cells + 1, sizeof(*t->cells));
        size_t column = t->n_cells % t->n_columns, w;

        if (!bigger)
                abort();
        t->cells = bigger;
        t->cells[t->n_cells] = text_for_locale(text);
        str_printable(t->cells[t->n_cells]);
        utf8_repair(t->cells[t->n_cells]);
        w = text_width(t->cells[t->n_cells++]);
        if (w > t->width[column])
                t->width[column] = w;
}

struct table *table_new(const char *title, ...) {
        struct table *t = calloc(1, sizeof(*t));
        const char *titles[COLUMNS_MAX];
        va_list ap;

        if (!t)
                abort();
        va_start(ap, title);
        for (const char *s = title; s && t->n_columns < COLUMNS_MAX; s = va_arg(ap, const char *))
                titles[t->n_columns++] = s;
        va_end(ap);
        for (size_t i = 0; i < t->n_columns; i++)
                add(t, titles[i]);
        return t;
}

void table_free(struct table *t) {
        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i]);
        free(t->cells);
        free(t);
}

void table_row(struct table *t, ...) {
        va_list ap;

        va_start(ap, t);
        for (size_t i = 0; i < t->n_columns; i++)
                add(t, va_arg(ap, const char *));
        va_end(ap);
}

static void print_last(const char *s, size_t used, enum table_fit fit) {
        size_t columns = used + LAST_WIDTH_MIN < TABLE_WIDTH_MAX ? TABLE_WIDTH_MAX - used : LAST_WIDTH_MIN;

        if (fit == TABLE_WRAP)
                text_print_wrapped(s, columns, used);
        else if (text_width(s) <= columns)
                fputs(s, stdout);
        else {
                _cleanup_free_ char *ellipsis = text_for_locale("…");

                printf("%.*s%s", (int) text_fit(s, columns - text_width(ellipsis)), s, ellipsis);
        }
        putchar('\n');
}

void table_print(const struct table *t, enum table_fit fit) {
        size_t last = t->n_columns - 1;

        for (size_t i = 0; t->n_cells > t->n_columns && i < t->n_cells; i += t->n_columns) {
                size_t used = 0;

                for (size_t c = 0; c < last; c++) {
                        const char *s = t->cells[i + c];

                        printf("%s%*s", s, (int) (t->width[c] - text_width(s) + 2), "");
                        used += t->width[c] + 2;
                }
                print_last(t->cells[i + last], used, fit);
        }
}
