/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool str_starts(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

int str_copy(char *dst, size_t size, const char *src) {
        return str_format(dst, size, "%s", src);
}

int str_format(char *dst, size_t size, const char *fmt, ...) {
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(dst, size, fmt, ap);
        va_end(ap);
        return n < 0 ? -EINVAL : (size_t) n >= size ? -ENAMETOOLONG : 0;
}

char *str_strip(char *s) {
        char *end;

        while (isspace((unsigned char) *s))
                s++;
        end = s + strlen(s);
        while (end > s && isspace((unsigned char) end[-1]))
                end--;
        *end = '\0';
        return s;
}

/* Bytes of the control character at s, 0: it is none. */
static size_t control_at(const char *s) {
        const unsigned char *u = (const unsigned char *) s;

        if (*u < 0x20 || *u == 0x7f)
                return 1;
        if (*u == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f)
                return 2;
        if (*u == 0xe2 && ((u[1] == 0x80 && u[2] >= 0xa8 && u[2] <= 0xae) || (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9)))
                return 3;
        return 0;
}

void str_printable(char *s) {
        while (*s) {
                size_t n = control_at(s);

                memset(s, '?', n);
                s += n > 0 ? n : 1;
        }
}

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

int str_to_u64(const char *s, int base, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;

        if (base == 16 && (str_starts(s, "0x") || str_starts(s, "0X")))
                s += 2;
        if (!*s)
                return -EINVAL;

        for (; *s; s++) {
                int d = digit_value(*s);

                if (d >= base)
                        return -EINVAL;
                if (v > (UINT64_MAX - (uint64_t) d) / (uint64_t) base)
                        return -ERANGE;
                v = v * (uint64_t) base + (uint64_t) d;
        }
        if (v > max)
                return -ERANGE;

        *ret = v;
        return 0;
}

int str_to_bool(const char *s, bool *ret) {
        static const char *const words[][2] = {
                { "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" }, { "n", "y" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                for (int value = 0; value < 2; value++)
                        if (strcasecmp(s, words[i][value]) == 0) {
                                *ret = value;
                                return 0;
                        }
        return -EINVAL;
}

bool name_is_valid(const char *s) {
        size_t n = strlen(s);

        if (n == 0 || n > NAME_LENGTH_MAX || *s == '.' || *s == '-')
                return false;
        for (; *s; s++)
                if (!(isascii((unsigned char) *s) && (isalnum((unsigned char) *s) || strchr("._-", *s))))
                        return false;
        return true;
}

bool uuid_is_valid(const char *s) {
        for (size_t i = 0; i < 36; i++)
                if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : digit_value(s[i]) > 15)
                        return false;
        return s[36] == '\0';
}
