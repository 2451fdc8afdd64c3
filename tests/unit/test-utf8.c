/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"

static const struct {
        const char *text;
        size_t span;
        const char *repaired;
} cases[] = {
        { "", 0, "" },
        { "plain", 5, "plain" },
        { "\x7f\x01", 2, "\x7f\x01" },
        { "\xc2\x80\xdf\xbf", 4, "\xc2\x80\xdf\xbf" },
        { "\xe0\xa0\x80\xef\xbf\xbf", 6, "\xe0\xa0\x80\xef\xbf\xbf" },
        { "\xed\x9f\xbf\xee\x80\x80", 6, "\xed\x9f\xbf\xee\x80\x80" },
        { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
        { "a\x80z", 1, "a?z" },                         /* a continuation without its start */
        { "a\xc0\x80", 1, "a??" },                      /* over-long NUL */
        { "a\xc1\xbf", 1, "a??" },                      /* over-long DEL */
        { "a\xe0\x9f\xbf", 1, "a???" },                 /* over-long U+07FF */
        { "a\xf0\x8f\xbf\xbf", 1, "a????" },            /* over-long U+FFFF */
        { "a\xed\xa0\x80", 1, "a???" },                 /* surrogate */
        { "a\xf4\x90\x80\x80", 1, "a????" },            /* U+110000 */
        { "a\xf5\x80\x80\x80\xff", 1, "a?????" },       /* bytes that never occur */
        { "a\xc3", 1, "a?" },                           /* cut by the end */
        { "a\xe2\x82", 1, "a??" },
        { "a\xf0\x9f\x92", 1, "a???" },
        { "a\xe2\x82z\xc3\xa9", 1, "a??z\xc3\xa9" },    /* what follows is kept */
};

static void test_utf8(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char copy[32];

                assert_int_equal(utf8_span(cases[i].text), cases[i].span);
                strcpy(copy, cases[i].text);
                utf8_repair(copy);
                assert_string_equal(copy, cases[i].repaired);
                assert_int_equal(utf8_span(copy), strlen(copy));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_utf8) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
