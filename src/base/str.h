/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

#define NAME_LENGTH_MAX 128 /* longest domain name that we accept, in bytes */

static inline bool str_eq(const char *a, const char *b) {
        return __builtin_strcmp(a, b) == 0;
}
bool str_starts(const char *s, const char *prefix);

/* Copies src and its NUL. -ENAMETOOLONG when it was cut (dst is then a valid, shorter string). */
int str_copy(char *dst, size_t size, const char *src);

/* snprintf that reports a cut text as -ENAMETOOLONG instead of hiding it. Returns 0. */
int str_format(char *dst, size_t size, const char *fmt, ...) _printf_(3, 4);

/* Removes white space at both ends, in place; returns the first kept character. */
char *str_strip(char *s);

/* Replaces each byte of a control character by '?', in place: C0, DEL, C1 in UTF-8 (U+009B begins a sequence
 * for terminals), line separators and what turns the direction of text around (U+2028…202E, U+2066…2069). Other
 * bytes stay. */
void str_printable(char *s);

/* Strict numbers: the whole string, no sign, no white space, no overflow. base 8, 10 or 16; base 16 takes
 * an optional "0x". -EINVAL or -ERANGE (value over max), *ret untouched then. */
int str_to_u64(const char *s, int base, uint64_t max, uint64_t *ret);

/* "yes"/"no", "true"/"false", "on"/"off", "1"/"0" as systemd reads them. -EINVAL otherwise. */
int str_to_bool(const char *s, bool *ret);

/* A domain or profile name: 1 to NAME_LENGTH_MAX of [A-Za-z0-9._-], not starting with '.' or '-'. */
bool name_is_valid(const char *s);

/* 8-4-4-4-12 hexadecimal digits. */
bool uuid_is_valid(const char *s);
