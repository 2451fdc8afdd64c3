/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/str.h"

#define UNTOUCHED UINT64_C(77)

static void test_numbers(void **state) {
        static const struct {
                const char *text;
                int base;
                uint64_t max;
                int r;
                uint64_t value;
        } cases[] = {
                { "0", 10, UINT64_MAX, 0, 0 },
                { "007", 10, UINT64_MAX, 0, 7 },
                { "255", 10, 255, 0, 255 },
                { "256", 10, 255, -ERANGE, UNTOUCHED },
                { "18446744073709551615", 10, UINT64_MAX, 0, UINT64_MAX },
                { "18446744073709551616", 10, UINT64_MAX, -ERANGE, UNTOUCHED },
                { "99999999999999999999999", 10, UINT64_MAX, -ERANGE, UNTOUCHED },
                { "", 10, 9, -EINVAL, UNTOUCHED },
                { "-1", 10, 9, -EINVAL, UNTOUCHED },
                { "+1", 10, 9, -EINVAL, UNTOUCHED },
                { " 1", 10, 9, -EINVAL, UNTOUCHED },
                { "1 ", 10, 9, -EINVAL, UNTOUCHED },
                { "1\n", 10, 9, -EINVAL, UNTOUCHED },
                { "1.0", 10, 9, -EINVAL, UNTOUCHED },
                { "0x1", 10, 9, -EINVAL, UNTOUCHED },
                { "a", 10, 99, -EINVAL, UNTOUCHED },
                { "\xb1", 10, 99, -EINVAL, UNTOUCHED },
                { "ff", 16, 255, 0, 255 },
                { "FF", 16, 255, 0, 255 },
                { "0xfF", 16, 255, 0, 255 },
                { "0Xff", 16, 255, 0, 255 },
                { "ffffffffffffffff", 16, UINT64_MAX, 0, UINT64_MAX },
                { "10000000000000000", 16, UINT64_MAX, -ERANGE, UNTOUCHED },
                { "0x", 16, 255, -EINVAL, UNTOUCHED },
                { "0x0x1", 16, 255, -EINVAL, UNTOUCHED },
                { "fg", 16, 255, -EINVAL, UNTOUCHED },
                { "@", 16, 255, -EINVAL, UNTOUCHED },
                { "755", 8, 0777, 0, 0755 },
                { "8", 8, 0777, -EINVAL, UNTOUCHED },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t v = UNTOUCHED;

                assert_int_equal(str_to_u64(cases[i].text, cases[i].base, cases[i].max, &v), cases[i].r);
                assert_true(v == cases[i].value);
        }
}

static void test_bool(void **state) {
        static const char *const yes[] = { "yes", "true", "on", "1", "y", "YES", "True" };
        static const char *const no[] = { "no", "false", "off", "0", "n", "NO" };
        static const char *const neither[] = { "", "maybe", "yes ", " no", "2", "01", "t", "oui" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                bool b = false;

                assert_int_equal(str_to_bool(yes[i], &b), 0);
                assert_true(b);
        }
        for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
                bool b = true;

                assert_int_equal(str_to_bool(no[i], &b), 0);
                assert_false(b);
        }
        for (size_t i = 0; i < ARRAY_SIZE(neither); i++) {
                bool b = true;

                assert_int_equal(str_to_bool(neither[i], &b), -EINVAL);
                assert_true(b);
        }
}

static void test_names(void **state) {
        static const char *const good[] = { "a", "win10", "Win_10.5-b", "0", "_", "a..b", "a-" };
        static const char *const bad[] = { "", ".", "..", ".hidden", "-option", "a/b", "../a", "a b", "a\n", "a:b",
                                           "caf\xc3\xa9", "a\x7f", "$(id)", "a*" };
        char longest[NAME_LENGTH_MAX + 2];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(name_is_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(name_is_valid(bad[i]));

        memset(longest, 'a', sizeof(longest));
        longest[NAME_LENGTH_MAX] = '\0';
        assert_true(name_is_valid(longest));
        longest[NAME_LENGTH_MAX] = 'a';
        longest[NAME_LENGTH_MAX + 1] = '\0';
        assert_false(name_is_valid(longest));
}

static void test_uuid(void **state) {
        static const char *const bad[] = {
                "",
                "-",
                "5a2e5c1e-9f3b-4a6c-8d1f-0123456789a",
                "5a2e5c1e-9f3b-4a6c-8d1f-0123456789abc",
                "5a2e5c1e9f3b-4a6c-8d1f-0123456789ab0",
                "5a2e5c1g-9f3b-4a6c-8d1f-0123456789ab",
                "5a2e5c1e-9f3b-4a6c-8d1f--123456789ab",
                "{a2e5c1e-9f3b-4a6c-8d1f-0123456789a}",
        };

        (void) state;
        assert_true(uuid_is_valid("5a2e5c1e-9f3b-4a6c-8d1f-0123456789ab"));
        assert_true(uuid_is_valid("5A2E5C1E-9F3B-4A6C-8D1F-0123456789AB"));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(uuid_is_valid(bad[i]));
}

/* A cut copy is a valid string, and the byte behind the buffer stays as it was. */
static void test_cut(void **state) {
        char buf[6] = "?????";

        (void) state;
        assert_int_equal(str_copy(buf, 4, "abc"), 0);
        assert_string_equal(buf, "abc");
        assert_int_equal(str_copy(buf, 4, "abcd"), -ENAMETOOLONG);
        assert_string_equal(buf, "abc");
        assert_int_equal(buf[4], '?');
        assert_int_equal(str_copy(buf, 1, ""), 0);
        assert_string_equal(buf, "");
        assert_int_equal(str_copy(buf, 4, "%d%n"), -ENAMETOOLONG);
        assert_string_equal(buf, "%d%");

        assert_int_equal(str_format(buf, 4, "%d", 999), 0);
        assert_string_equal(buf, "999");
        assert_int_equal(str_format(buf, 4, "%d", 1000), -ENAMETOOLONG);
        assert_string_equal(buf, "100");
}

static void test_starts(void **state) {
        (void) state;
        assert_true(str_starts("options vfio", "options"));
        assert_true(str_starts("x", ""));
        assert_false(str_starts("opt", "options"));
        assert_false(str_starts("", "x"));
        assert_true(str_eq("a", "a"));
        assert_false(str_eq("a", "A"));
}

static void test_strip(void **state) {
        static const char *const cases[][2] = {
                { "", "" }, { "a", "a" }, { " \t\r\na b\n ", "a b" }, { "   ", "" }, { "a ", "a" }, { " a", "a" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char copy[16];

                strcpy(copy, cases[i][0]);
                assert_string_equal(str_strip(copy), cases[i][1]);
        }
}

static void test_printable(void **state) {
        static const char *const cases[][2] = {
                { "", "" },
                { "plain ~", "plain ~" },
                { "a\nb\tc", "a?b?c" },
                { "\x1b[31mred\x7f", "?[31mred?" },
                { "caf\xc3\xa9", "caf\xc3\xa9" },
                { "\xc2\x9b" "31m", "??31m" },
                { "a\xc2\xa0\xc2", "a\xc2\xa0\xc2" },
                { "a\xe2\x80\xae" "b\xe2\x81\xa6", "a???b???" },
                { "\xe2\x80\xa7\xe2\x80\xaf\xe2\x80", "\xe2\x80\xa7\xe2\x80\xaf\xe2\x80" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char copy[16];

                strcpy(copy, cases[i][0]);
                str_printable(copy);
                assert_string_equal(copy, cases[i][1]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers), cmocka_unit_test(test_bool),  cmocka_unit_test(test_names),
                cmocka_unit_test(test_uuid),    cmocka_unit_test(test_cut),   cmocka_unit_test(test_starts),
                cmocka_unit_test(test_strip),   cmocka_unit_test(test_printable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
