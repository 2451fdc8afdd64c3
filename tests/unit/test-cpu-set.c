/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "model/cpu-set.h"

static void lists_are_read_and_printed(void **state) {
        static const struct {
                const char *text, *printed;
        } good[] = {
                { "", "" },
                { "0", "0" },
                { "0-3", "0-3" },
                { "0,1,2,3", "0-3" },
                { "3,1", "1,3" },
                { "7-7", "7" },
                { "0-7,^3", "0-2,4-7" },
                { "^3,0-4", "0-2,4" },
                { "0,64,127-128", "0,64,127-128" },
                { "1023", "1023" },
                { "0-1023", "0-1023" },
        };
        static const char *const bad[] = { ",",   "1,",  ",1", "1,,2", "a",     "-1", "1-",
                                           "3-1", "1 2", " 1", "^",    "1-2-3", "+1" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                struct cpu_set set;
                char text[64];

                assert_int_equal(cpu_set_parse(good[i].text, &set), 0);
                assert_int_equal(cpu_set_format(&set, text, sizeof(text)), 0);
                assert_string_equal(text, good[i].printed);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct cpu_set set = { { 5 } };

                if (cpu_set_parse(bad[i], &set) != -EINVAL)
                        fail_msg("'%s' was accepted", bad[i]);
                assert_int_equal(set.bits[0], 5);
        }
        assert_int_equal(cpu_set_parse("1024", &(struct cpu_set){}), -ERANGE);
        assert_int_equal(cpu_set_parse("0-99999999999", &(struct cpu_set){}), -ERANGE);
}

static void masks_are_read_and_printed(void **state) {
        static const struct {
                const char *text, *list, *printed;
        } good[] = {
                { "f", "0-3", "f" },
                { "0", "", "0" },
                { "00000000,0000000f", "0-3", "f" },
                { "1,00000000", "32", "1,00000000" },
                { "80000001,00000000,00000003", "0-1,64,95", "80000001,00000000,00000003" },
                { "FF", "0-7", "ff" },
        };
        static const char *const bad[] = { "", "g", ",f", "f,", "f,f", "0x1", " f", "f,,00000000", "000000000" };
        struct cpu_set set;
        char text[64];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_int_equal(cpu_set_parse_mask(good[i].text, &set), 0);
                assert_int_equal(cpu_set_format(&set, text, sizeof(text)), 0);
                assert_string_equal(text, good[i].list);
                assert_int_equal(cpu_set_format_mask(&set, text, sizeof(text)), 0);
                assert_string_equal(text, good[i].printed);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (cpu_set_parse_mask(bad[i], &set) != -EINVAL)
                        fail_msg("'%s' was accepted", bad[i]);
}

static void texts_that_do_not_fit_are_reported(void **state) {
        struct cpu_set set;
        char text[8];

        (void) state;
        assert_int_equal(cpu_set_parse("1,3,5,7", &set), 0);
        assert_int_equal(cpu_set_format(&set, text, 7), -ENAMETOOLONG);
        assert_int_equal(cpu_set_format(&set, text, 8), 0);
        assert_int_equal(cpu_set_format(&set, text, 0), -ENAMETOOLONG);
        assert_int_equal(cpu_set_parse("32", &set), 0);
        assert_int_equal(cpu_set_format_mask(&set, text, sizeof(text)), -ENAMETOOLONG);
}

static void sets_are_combined(void **state) {
        struct cpu_set a, b, c;
        char text[64];

        (void) state;
        assert_int_equal(cpu_set_parse("0-7", &a), 0);
        assert_int_equal(cpu_set_parse("4-11", &b), 0);
        c = a;
        cpu_set_unite(&c, &b);
        assert_int_equal(cpu_set_count(&c), 12);
        assert_true(cpu_set_is_subset(&a, &c) && !cpu_set_is_subset(&c, &a));
        c = a;
        cpu_set_intersect(&c, &b);
        assert_int_equal(cpu_set_format(&c, text, sizeof(text)), 0);
        assert_string_equal(text, "4-7");
        cpu_set_subtract(&c, &a);
        assert_true(cpu_set_is_empty(&c) && cpu_set_equal(&c, &(struct cpu_set){}) && !cpu_set_equal(&c, &a));
        assert_int_equal(cpu_set_next(&b, 0), 4);
        assert_int_equal(cpu_set_next(&b, 12), -1);
        assert_false(cpu_set_has(&b, CPU_SET_MAX));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_are_read_and_printed),
                cmocka_unit_test(masks_are_read_and_printed),
                cmocka_unit_test(texts_that_do_not_fit_are_reported),
                cmocka_unit_test(sets_are_combined),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
