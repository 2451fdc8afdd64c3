/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 12

struct table {
        size_t n_columns, n_cells;
        size_t width[COLUMNS_MAX];
        char **cells; /* row by row, the titles first */
};

/* Columns on the screen: UTF-8 continuation bytes take none. Wide characters do not occur in our output. */
static size_t width(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

/* Aborts when a few lines of text find no memory: nothing sensible could be printed either. */
static void add(struct table *t, const char *text) {
        char **bigger = reallocarray(t->cells, t->n_cells + 1, sizeof(*t->cells));
        size_t column = t->n_cells % t->n_columns, w = width(text);

        if (!bigger)
                abort();
        t->cells = bigger;
        t->cells[t->n_cells] = strdup(text);
        if (!t->cells[t->n_cells])
                abort();
        t->n_cells++;
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

/* Prints at most max columns of s; what was cut shows as an ellipsis. */
static void print_cut(const char *s, size_t max) {
        size_t n = 0;

        if (width(s) <= max) {
                fputs(s, stdout);
                return;
        }
        for (; *s; s++) {
                if (((unsigned char) *s & 0xc0) != 0x80 && ++n >= max)
                        break;
                putchar(*s);
        }
        fputs("…", stdout);
}

void table_print(const struct table *t) {
        for (size_t i = 0; t->n_cells > t->n_columns && i < t->n_cells; i += t->n_columns) {
                size_t used = 0;

                for (size_t c = 0; c < t->n_columns; c++) {
                        const char *s = t->cells[i + c];

                        if (c + 1 == t->n_columns) {
                                print_cut(s, used + 8 < TABLE_WIDTH_MAX ? TABLE_WIDTH_MAX - used : 8);
                                break;
                        }
                        printf("%s%*s", s, (int) (t->width[c] - width(s) + 2), "");
                        used += t->width[c] + 2;
                }
                putchar('\n');
        }
}
