/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/macro.h"
#include "model/bdf.h"

static const struct {
        const char *text;
        struct bdf value;
        const char *formatted;
} good[] = {
        { "0000:01:00.0", { 0, 0x01, 0, 0 }, "0000:01:00.0" },
        { "01:00.0", { 0, 0x01, 0, 0 }, "0000:01:00.0" },
        { "0001:ff:1f.7", { 1, 0xff, 0x1f, 7 }, "0001:ff:1f.7" },
        { "FFFF:Ab:1F.1", { 0xffff, 0xab, 0x1f, 1 }, "ffff:ab:1f.1" },
        { "10000:e0:00.0", { 0x10000, 0xe0, 0, 0 }, "10000:e0:00.0" },
        { "ffffffff:ff:1f.7", { 0xffffffff, 0xff, 0x1f, 7 }, "ffffffff:ff:1f.7" },
};

static const char *const bad[] = {
        "",           ":",             ".",             "0000:01:00",    "0000:01:00.",    "0000:01:00.8",
        "0000:01:20.0", "0000:1:00.0", "0000:001:00.0", "000:01:00.0",   "0:01:00.0",      "123456789:01:00.0",
        "0000:01:00.0 ", " 0000:01:00.0", "0000:01:00.00", "0000:01:0.0", "0000-01-00.0",  "0000:01:00:0",
        "0000:01:00.0:", "000g:01:00.0", "0000:0x:00.0", "0000::00.0",  "1:00.0",         "0000:01:00.f",
        "../../0000:01:00.0", "0000:01:00.-", "+000:01:00.0", "0000:01:00.0\n",
};

static void test_good(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                struct bdf a = { 9, 9, 9, 9 }, again;
                char text[BDF_TEXT_MAX];

                assert_int_equal(bdf_parse(good[i].text, &a), 0);
                assert_int_equal(bdf_compare(&a, &good[i].value), 0);
                assert_string_equal(bdf_format(&a, text), good[i].formatted);
                assert_int_equal(bdf_parse(text, &again), 0);
                assert_int_equal(bdf_compare(&a, &again), 0);
        }
}

static void test_bad(void **state) {
        static const struct bdf before = { 9, 9, 9, 7 };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct bdf a = before;

                assert_int_equal(bdf_parse(bad[i], &a), -EINVAL);
                assert_int_equal(bdf_compare(&a, &before), 0);
        }
}

static void test_order(void **state) {
        static const char *const sorted[] = { "0000:00:00.0", "0000:00:00.7", "0000:00:01.0", "0000:00:1f.7",
                                              "0000:01:00.0", "0000:ff:1f.7", "0001:00:00.0", "ffffffff:00:00.0" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
                for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
                        struct bdf a, b;
                        int c;

                        assert_int_equal(bdf_parse(sorted[i], &a), 0);
                        assert_int_equal(bdf_parse(sorted[k], &b), 0);
                        c = bdf_compare(&a, &b);
                        assert_true(i < k ? c < 0 : i > k ? c > 0 : c == 0);
                }
}

static void test_same_slot(void **state) {
        static const struct {
                const char *a, *b;
                bool same;
        } cases[] = {
                { "0000:01:00.0", "0000:01:00.0", true },  { "0000:01:00.0", "0000:01:00.1", true },
                { "0000:01:00.0", "0000:01:01.0", false }, { "0000:01:00.0", "0000:02:00.0", false },
                { "0000:01:00.0", "0001:01:00.0", false },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct bdf a, b;

                assert_int_equal(bdf_parse(cases[i].a, &a), 0);
                assert_int_equal(bdf_parse(cases[i].b, &b), 0);
                assert_int_equal(bdf_same_slot(&a, &b), cases[i].same);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_same_slot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
