/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* A copy of s for the terminal: where the locale is not UTF-8, signs that our own texts use are spelled in ASCII. Caller
 * frees. Aborts when there is no memory for a line of text: nothing sensible could be printed either. */
char *text_for_locale(const char *s);

/* Columns on the screen: UTF-8 continuation bytes take none. Wide characters do not occur in our output. */
size_t text_width(const char *s);

/* How many bytes of s fit into this many columns. */
size_t text_fit(const char *s, size_t columns);

/* Prints s to standard output in lines of at most this many columns, broken between words; a longer word is broken. All
 * lines after the first start with indent spaces. No newline at the end. */
void text_print_wrapped(const char *s, size_t columns, size_t indent);
