/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/bdf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Exactly min…max hexadecimal digits, then the separator. Moves *s behind it. */
static int field(const char **s, int min, int max, char separator, uint32_t limit, uint32_t *ret) {
        uint32_t v = 0;
        int n = 0;

        for (; isxdigit((unsigned char) (*s)[n]) && n < max; n++) {
                char c = (char) tolower((unsigned char) (*s)[n]);

                v = v << 4 | (uint32_t) (c <= '9' ? c - '0' : c - 'a' + 10);
        }
        if (n < min || (*s)[n] != separator || v > limit)
                return -EINVAL;
        *s += separator ? n + 1 : n;
        *ret = v;
        return 0;
}

int bdf_parse(const char *s, struct bdf *ret) {
        uint32_t domain = 0, bus, slot, function;
        const char *colon = strchr(s, ':');

        if (colon && strchr(colon + 1, ':') && field(&s, 4, 8, ':', UINT32_MAX, &domain) < 0)
                return -EINVAL;
        if (field(&s, 2, 2, ':', 0xff, &bus) < 0 || field(&s, 2, 2, '.', 0x1f, &slot) < 0 ||
            field(&s, 1, 1, '\0', 7, &function) < 0)
                return -EINVAL;

        *ret = (struct bdf) { domain, (uint8_t) bus, (uint8_t) slot, (uint8_t) function };
        return 0;
}

const char *bdf_format(const struct bdf *a, char *buf) {
        (void) snprintf(buf, BDF_TEXT_MAX, "%04x:%02x:%02x.%x", a->domain, a->bus, a->slot, a->function & 7);
        return buf;
}

int bdf_compare(const struct bdf *a, const struct bdf *b) {
        if (a->domain != b->domain)
                return a->domain < b->domain ? -1 : 1;
        return (a->bus << 8 | a->slot << 3 | a->function) - (b->bus << 8 | b->slot << 3 | b->function);
}
