/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/text.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

char *text_for_locale(const char *s) {
        static const char *const signs[][2] = { { "…", "..." }, { "→", "->" }, { "“", "'" }, { "”", "'" } };
        bool utf8 = str_eq(nl_langinfo(CODESET), "UTF-8");
        char *copy = malloc(strlen(s) + 1), *to = copy; /* no spelling is longer than its sign */

        if (!copy)
                abort();
        while (*s) {
                size_t i = 0;

                while (i < ARRAY_SIZE(signs) && (utf8 || !str_starts(s, signs[i][0])))
                        i++;
                if (i < ARRAY_SIZE(signs)) {
                        to = stpcpy(to, signs[i][1]);
                        s += strlen(signs[i][0]);
                } else
                        *to++ = *s++;
        }
        *to = '\0';
        return copy;
}

size_t text_width(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

size_t text_fit(const char *s, size_t columns) {
        size_t n = 0;

        for (; s[n]; n++)
                if (((unsigned char) s[n] & 0xc0) != 0x80 && columns-- == 0)
                        break;
        return n;
}

void text_print_wrapped(const char *s, size_t columns, size_t indent) {
        while (text_width(s) > columns) {
                size_t fit = text_fit(s, columns), end = fit;

                while (end > 0 && s[end] != ' ')
                        end--;
                if (end == 0)
                        end = fit;
                printf("%.*s\n%*s", (int) end, s, (int) indent, "");
                s += end;
                s += strspn(s, " ");
        }
        fputs(s, stdout);
}
