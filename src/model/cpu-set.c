/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cpu-set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define WORDS (CPU_SET_MAX / 64)

static int parse_number(const char **s, unsigned *ret) {
        unsigned n = 0;

        if (!isdigit((unsigned char) **s))
                return -EINVAL;
        for (; isdigit((unsigned char) **s); (*s)++) {
                n = n * 10 + (unsigned) (**s - '0');
                if (n >= CPU_SET_MAX)
                        return -ERANGE;
        }
        *ret = n;
        return 0;
}

int cpu_set_parse(const char *s, struct cpu_set *ret) {
        struct cpu_set set = {}, without = {};

        while (*s) {
                bool except = *s == '^';
                unsigned first, last;
                int r;

                s += except;
                r = parse_number(&s, &first);
                if (r < 0)
                        return r;
                last = first;
                if (*s == '-') {
                        s++;
                        r = parse_number(&s, &last);
                        if (r < 0)
                                return r;
                }
                if (last < first)
                        return -EINVAL;
                for (unsigned n = first; n <= last; n++)
                        cpu_set_add(except ? &without : &set, n);
                if (*s == ',' && s[1])
                        s++;
                else if (*s)
                        return -EINVAL;
        }
        cpu_set_subtract(&set, &without);
        *ret = set;
        return 0;
}

int cpu_set_parse_mask(const char *s, struct cpu_set *ret) {
        struct cpu_set set = {};
        unsigned bit = 0, digits = 0; /* of this word */

        if (!*s)
                return -EINVAL;
        for (const char *c = s + strlen(s); c-- > s;) {
                unsigned digit;

                if (*c == ',') {
                        if (digits != 8 || c == s)
                                return -EINVAL;
                        digits = 0;
                        continue;
                }
                if (!isxdigit((unsigned char) *c) || ++digits > 8)
                        return -EINVAL;
                digit = isdigit((unsigned char) *c) ? (unsigned) (*c - '0')
                                                    : (unsigned) (tolower((unsigned char) *c) - 'a' + 10);
                for (unsigned i = 0; i < 4; i++, bit++) {
                        if (!(digit & 1U << i))
                                continue;
                        if (bit >= CPU_SET_MAX)
                                return -ERANGE;
                        cpu_set_add(&set, bit);
                }
        }
        *ret = set;
        return 0;
}

int cpu_set_format(const struct cpu_set *set, char *buf, size_t size) {
        size_t used = 0;

        if (size == 0)
                return -ENAMETOOLONG;
        *buf = '\0';
        for (int n = cpu_set_next(set, 0), last; n >= 0; n = cpu_set_next(set, (unsigned) last + 1)) {
                int w;

                last = n;
                while (cpu_set_has(set, (unsigned) last + 1))
                        last++;
                w = last > n ? snprintf(buf + used, size - used, "%s%d-%d", used ? "," : "", n, last)
                             : snprintf(buf + used, size - used, "%s%d", used ? "," : "", n);
                if (w < 0 || (size_t) w >= size - used)
                        return -ENAMETOOLONG;
                used += (size_t) w;
        }
        return 0;
}

int cpu_set_format_mask(const struct cpu_set *set, char *buf, size_t size) {
        unsigned word = WORDS * 2;
        size_t used = 0;

        while (word > 1 && (uint32_t) (set->bits[(word - 1) / 2] >> ((word - 1) % 2 * 32)) == 0)
                word--;
        for (; word > 0; word--) {
                uint32_t v = (uint32_t) (set->bits[(word - 1) / 2] >> ((word - 1) % 2 * 32));
                int w = used ? snprintf(buf + used, size - used, ",%08x", v) : snprintf(buf, size, "%x", v);

                if (w < 0 || (size_t) w >= size - used)
                        return -ENAMETOOLONG;
                used += (size_t) w;
        }
        return 0;
}

void cpu_set_add(struct cpu_set *set, unsigned n) {
        if (n < CPU_SET_MAX)
                set->bits[n / 64] |= UINT64_C(1) << (n % 64);
}

bool cpu_set_has(const struct cpu_set *set, unsigned n) {
        return n < CPU_SET_MAX && (set->bits[n / 64] & UINT64_C(1) << (n % 64));
}

bool cpu_set_is_empty(const struct cpu_set *set) {
        return cpu_set_next(set, 0) < 0;
}

unsigned cpu_set_count(const struct cpu_set *set) {
        unsigned n = 0;

        for (size_t i = 0; i < WORDS; i++)
                n += (unsigned) __builtin_popcountll(set->bits[i]);
        return n;
}

bool cpu_set_equal(const struct cpu_set *a, const struct cpu_set *b) {
        return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

bool cpu_set_is_subset(const struct cpu_set *part, const struct cpu_set *whole) {
        struct cpu_set rest = *part;

        cpu_set_subtract(&rest, whole);
        return cpu_set_is_empty(&rest);
}

int cpu_set_next(const struct cpu_set *set, unsigned from) {
        for (unsigned n = from; n < CPU_SET_MAX; n++)
                if (cpu_set_has(set, n))
                        return (int) n;
        return -1;
}

void cpu_set_unite(struct cpu_set *set, const struct cpu_set *other) {
        for (size_t i = 0; i < WORDS; i++)
                set->bits[i] |= other->bits[i];
}

void cpu_set_intersect(struct cpu_set *set, const struct cpu_set *other) {
        for (size_t i = 0; i < WORDS; i++)
                set->bits[i] &= other->bits[i];
}

void cpu_set_subtract(struct cpu_set *set, const struct cpu_set *other) {
        for (size_t i = 0; i < WORDS; i++)
                set->bits[i] &= ~other->bits[i];
}
