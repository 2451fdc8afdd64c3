/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* JSON edited as text: what is not touched keeps every byte, which no library that parses and prints does. */

/* -EBADMSG unless it is one strict JSON object; *e names path and line. */
int json_text_check(const char *path, const char *text, struct err *e);

/* The value of a member of the object that starts at '{': the last one of that name, as parsers take it. NULL: none.
 * The text must have passed json_text_check(). */
const char *json_text_member(const char *object, const char *name);

/* Behind the value that starts here. */
const char *json_text_end(const char *value);

/* The elements of the list that starts at '['. Returns how many there are; fills at most max pointers. */
size_t json_text_elements(const char *list, const char **ret, size_t max);

/* A string as it is written between its quotes. -ENAMETOOLONG. */
int json_text_quote(const char *s, char *buf, size_t size);

/* What the string that starts at '"' says. Caller frees; NULL: out of memory. */
char *json_text_string(const char *value);
