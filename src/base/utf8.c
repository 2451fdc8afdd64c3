/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <stdbool.h>

static bool in(unsigned char c, unsigned char low, unsigned char high) {
        return c >= low && c <= high;
}

/* Length of the valid sequence at s, 0 when there is none. The final NUL is never a continuation byte, so a
 * sequence that is cut by the end of the string is seen before anything behind it is read. */
static size_t sequence(const unsigned char *s) {
        /* Narrower for the second byte after these four: over-long forms, surrogates, the end of Unicode. */
        unsigned char low = *s == 0xe0 ? 0xa0 : *s == 0xf0 ? 0x90 : 0x80;
        unsigned char high = *s == 0xed ? 0x9f : *s == 0xf4 ? 0x8f : 0xbf;
        size_t n = *s < 0x80 ? 1 : in(*s, 0xc2, 0xdf) ? 2 : in(*s, 0xe0, 0xef) ? 3 : in(*s, 0xf0, 0xf4) ? 4 : 0;

        for (size_t i = 1; i < n; i++)
                if (!in(s[i], i == 1 ? low : 0x80, i == 1 ? high : 0xbf))
                        return 0;
        return n;
}

size_t utf8_span(const char *s) {
        const unsigned char *p = (const unsigned char *) s;

        while (*p) {
                size_t n = *p < 0x80 ? 1 : sequence(p);

                if (n == 0)
                        break;
                p += n;
        }
        return (size_t) (p - (const unsigned char *) s);
}

void utf8_repair(char *s) {
        while (*(s += utf8_span(s)))
                *s = '?';
}
