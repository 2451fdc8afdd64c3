/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The kernel command line as text: what is not ours keeps every byte. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/cmdline.h"

static void splits_as_the_kernel_does(void **state) {
        const char *pos = "  root=UUID=1 foo=\"a b\"\t\"bar=c d\" -- single ";
        static const char *const tokens[] = { "root=UUID=1", "foo=\"a b\"", "\"bar=c d\"", "--", "single" };
        struct token t;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
                assert_true(cmdline_next(&pos, &t));
                assert_int_equal(t.length, strlen(tokens[i]));
                assert_memory_equal(t.start, tokens[i], t.length);
        }
        assert_false(cmdline_next(&pos, &t));
}

static void knows_what_is_valid(void **state) {
        (void) state;
        assert_true(cmdline_is_valid("quiet foo=\"a b\""));
        assert_true(cmdline_is_valid(""));
        assert_false(cmdline_is_valid("foo=\"a b"));
        assert_false(cmdline_is_valid("quiet\nsingle"));
        assert_false(cmdline_is_valid("quiet\rsingle"));
        assert_false(cmdline_is_valid("a\x7f"));
        assert_true(parameter_is_valid("iommu=pt"));
        assert_true(parameter_is_valid("hugepagesz=1G hugepages=4"));
        assert_false(parameter_is_valid(""));
        assert_false(parameter_is_valid("  "));
        assert_false(parameter_is_valid("=1"));
        assert_false(parameter_is_valid("a -- b"));
        assert_false(parameter_is_valid("a=\"b"));
}

static void tells_what_is_in_effect(void **state) {
        static const struct {
                const char *line, *parameter;
                bool has;
                const char *overridden_by;
        } cases[] = {
                { "quiet intel_iommu=on", "intel_iommu=on", true, NULL },
                { "quiet intel-iommu=on", "intel_iommu=on", true, NULL },
                { "intel_iommu=on intel_iommu=off", "intel_iommu=on", false, "intel_iommu=off" },
                { "intel_iommu=off intel_iommu=on", "intel_iommu=on", true, NULL },
                { "quiet", "intel_iommu=on", false, NULL },
                { "xintel_iommu=on", "intel_iommu=on", false, NULL },
                { "intel_iommu=only", "intel_iommu=on", false, "intel_iommu=only" },
                { "quiet -- intel_iommu=on", "intel_iommu=on", false, NULL },
                { "pci=nomsi pci=noats", "pci=nomsi", true, NULL },
                { "pci=nomsi", "pci=noats", false, NULL },
                { "console=tty0 console=ttyS0", "console=tty0", true, NULL },
                { "hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=9", "hugepagesz=1G hugepages=4", true, NULL },
                { "hugepagesz=1G hugepagesz=2M hugepages=4", "hugepagesz=1G hugepages=4", false, NULL },
                { "hugepagesz=1G", "hugepagesz=1G hugepages=4", false, NULL },
                { "foo=\"a b\"", "foo=\"a b\"", true, NULL },
                { "nosmt", "nosmt", true, NULL },
                { "nosmt nosmt=force", "nosmt", false, "nosmt=force" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct token t = {};
                bool overridden;

                if (cmdline_has(cases[i].line, cases[i].parameter) != cases[i].has)
                        fail_msg("'%s' in '%s'", cases[i].parameter, cases[i].line);
                overridden = cmdline_overridden_by(cases[i].line, cases[i].parameter, &t);
                assert_int_equal(overridden, cases[i].overridden_by != NULL);
                if (overridden) {
                        assert_int_equal(t.length, strlen(cases[i].overridden_by));
                        assert_memory_equal(t.start, cases[i].overridden_by, t.length);
                }
        }
}

static void contains_what_has_no_effect(void **state) {
        (void) state;
        assert_true(cmdline_contains("intel_iommu=on intel-iommu=off", "intel_iommu=on"));
        assert_true(cmdline_contains("hugepagesz=1G hugepages=4", "hugepagesz=1G hugepages=4"));
        assert_false(cmdline_contains("intel_iommu=off", "intel_iommu=on"));
        assert_false(cmdline_contains("quiet -- intel_iommu=on", "intel_iommu=on"));
}

static void adds_and_removes(void **state) {
        static const struct {
                const char *line, *parameter, *added;
        } cases[] = {
                { "", "iommu=pt", "iommu=pt" },
                { "quiet", "iommu=pt", "quiet iommu=pt" },
                { "quiet  splash ", "iommu=pt", "quiet  splash iommu=pt " },
                { "quiet -- 3", "iommu=pt", "quiet iommu=pt -- 3" },
                { "-- 3", "iommu=pt", "iommu=pt -- 3" },
                { " \t-- 3", "iommu=pt", "iommu=pt  \t-- 3" },
                { "  ", "iommu=pt", "iommu=pt   " },
                { "iommu=pt quiet", "iommu=pt", "iommu=pt quiet" },
                { "iommu=off", "iommu=pt", "iommu=off iommu=pt" },
                { "hugepages=2", "hugepagesz=1G hugepages=4", "hugepages=2 hugepagesz=1G hugepages=4" },
                { "pci=noats", "pci=nomsi", "pci=noats pci=nomsi" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *added = NULL, *again = NULL, *removed = NULL;

                assert_int_equal(cmdline_add(cases[i].line, cases[i].parameter, &added), 0);
                assert_string_equal(added, cases[i].added);
                assert_int_equal(cmdline_add(added, cases[i].parameter, &again), 0);
                assert_string_equal(again, added);
                if (str_eq(cases[i].line, added))
                        continue; /* it was there before: not ours to remove */
                assert_int_equal(cmdline_remove(added, cases[i].parameter, &removed), 0);
                assert_string_equal(removed, cases[i].line);
        }
}

static void removes_only_the_exact_text(void **state) {
        static const char *const lines[] = { "iommu=ptx", "xiommu=pt", "quiet -- iommu=pt", "\"iommu=pt\"", "" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_free_ char *removed = NULL;

                assert_int_equal(cmdline_remove(lines[i], "iommu=pt", &removed), 0);
                assert_string_equal(removed, lines[i]);
        }
}

static void refuses_what_is_not_valid(void **state) {
        char *ret = NULL;

        (void) state;
        assert_int_equal(cmdline_add("a=\"b", "iommu=pt", &ret), -EINVAL);
        assert_int_equal(cmdline_add("quiet", "a\nb", &ret), -EINVAL);
        assert_int_equal(cmdline_add("quiet", "", &ret), -EINVAL);
        assert_int_equal(cmdline_remove("quiet", "--", &ret), -EINVAL);
        assert_null(ret);
}

/* Ten thousand random lines and edits: taking away what was added gives back every byte. */
static void foreign_bytes_never_change(void **state) {
        static const char *const foreign[] = { "root=UUID=1-2", "ro",          "quiet",          "pci=noats",
                                               "iommu=off",     "hugepages=3", "foo=\"a  b\"",   "console=ttyS0,115200",
                                               "hugepagesz=2M", "nosmt",       "\"a b=c -- d\"", "--" };
        static const char *const ours[] = { "iommu=pt", "intel_iommu=on", "pci=nomsi", "hugepagesz=1G hugepages=4", "nosmt",
                                            "pcie_acs_override=downstream,multifunction" };
        unsigned seed = 4711;

        (void) state;
        for (int n = 0; n < 10000; n++) {
                const char *added[3];
                size_t n_added = 0;
                char line[512] = "", *now;

                for (int i = rand_r(&seed) % 8; i > 0; i--) {
                        if (*line)
                                strcat(line, rand_r(&seed) % 5 ? " " : " \t ");
                        strcat(line, foreign[(size_t) rand_r(&seed) % ARRAY_SIZE(foreign)]);
                }
                if (*line && rand_r(&seed) % 6 == 0)
                        strcat(line, " ");
                now = strdup(line);
                for (int i = rand_r(&seed) % 4; i > 0; i--) {
                        const char *p = ours[(size_t) rand_r(&seed) % ARRAY_SIZE(ours)];
                        char *next;

                        assert_int_equal(cmdline_add(now, p, &next), 0);
                        if (!str_eq(next, now))
                                added[n_added++] = p;
                        assert_true(cmdline_has(next, p));
                        free(now);
                        now = next;
                }
                while (n_added > 0) {
                        char *next;

                        assert_int_equal(cmdline_remove(now, added[--n_added], &next), 0);
                        free(now);
                        now = next;
                }
                assert_string_equal(now, line);
                free(now);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(splits_as_the_kernel_does),  cmocka_unit_test(knows_what_is_valid),
                cmocka_unit_test(tells_what_is_in_effect),
                cmocka_unit_test(contains_what_has_no_effect),    cmocka_unit_test(adds_and_removes),
                cmocka_unit_test(removes_only_the_exact_text), cmocka_unit_test(refuses_what_is_not_valid),
                cmocka_unit_test(foreign_bytes_never_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
