/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Editing a line: what is ours comes and goes, what is foreign stays. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/edit.h"

#define FILE "/boot/loader/entries/a.conf"
#define SOURCE "/etc/kernel/cmdline"
#define MAX 6

static const struct {
        const char *line, *ours[MAX], *want[MAX], *result, *ours_after[MAX];
} cases[] = {
        { "quiet", {}, { "iommu=pt" }, "quiet iommu=pt", { "iommu=pt" } },
        { "quiet iommu=pt", { "iommu=pt" }, { "iommu=pt" }, "quiet iommu=pt", { "iommu=pt" } },
        { "iommu=pt quiet", {}, { "iommu=pt" }, "iommu=pt quiet", {} },
        { "iommu=pt quiet", {}, {}, "iommu=pt quiet", {} },
        { "quiet iommu=pt", { "iommu=pt" }, {}, "quiet", {} },
        { "quiet a=1 b=2", { "a=1" }, { "b=2" }, "quiet b=2", {} },
        { "quiet a=1", { "a=1" }, { "a=2" }, "quiet a=2", { "a=2" } },
        { "a=1 x a=2", { "a=1" }, { "a=1" }, "x a=2 a=1", { "a=1" } },
        { "a=2 x", {}, { "a=1" }, "a=2 x a=1", { "a=1" } },
        { "x", { "gone=1" }, {}, "x", {} },
        { "x", { "a=1" }, { "a=1" }, "x a=1", { "a=1" } },
        { "x -- 3", {}, { "a", "b" }, "x a b -- 3", { "a", "b" } },
        { "pci=noats", {}, { "pci=nomsi" }, "pci=noats pci=nomsi", { "pci=nomsi" } },
        { "x hugepagesz=1G hugepages=4", { "hugepagesz=1G hugepages=4" }, { "hugepagesz=1G hugepages=8" },
          "x hugepagesz=1G hugepages=8", { "hugepagesz=1G hugepages=8" } },
        { "hugepagesz=2M hugepages=9", {}, { "hugepagesz=1G hugepages=4" },
          "hugepagesz=2M hugepages=9 hugepagesz=1G hugepages=4", { "hugepagesz=1G hugepages=4" } },
        { "intel-iommu=on", {}, { "intel_iommu=on" }, "intel-iommu=on", {} },
        { "foo=\"a  b\"\t q ", {}, { "a" }, "foo=\"a  b\"\t q a ", { "a" } },
};

static size_t count(const char *const *list) {
        size_t n = 0;

        while (n < MAX && list[n])
                n++;
        return n;
}

static void edits(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_ledger_ struct ledger before = {}, after = {}, last = {};
                struct boot_edit edit = { cases[i].want, count(cases[i].want), &before, {} };
                _cleanup_free_ char *once = NULL, *twice = NULL;

                for (const char *const *p = cases[i].ours; *p; p++)
                        assert_int_equal(ledger_own(&before, FILE, *p), 0);
                assert_int_equal(boot_edit_line(&edit, FILE, cases[i].line, &once), 0);
                assert_string_equal(once, cases[i].result);
                after = edit.after;
                for (size_t k = 0; k < count(cases[i].ours_after); k++)
                        assert_true(ledger_owns(&after, FILE, cases[i].ours_after[k]));
                assert_int_equal(after.n_files ? after.files[0].n_parameters : 0, count(cases[i].ours_after));

                edit = (struct boot_edit) { cases[i].want, count(cases[i].want), &after, {} };
                assert_int_equal(boot_edit_line(&edit, FILE, once, &twice), 0);
                assert_string_equal(twice, once);
                last = edit.after;
                assert_int_equal(last.n_files ? last.files[0].n_parameters : 0, count(cases[i].ours_after));
        }
}

static void refuses_what_can_be_read_in_two_ways(void **state) {
        static const char *const lines[] = { "a=\"b", "quiet\rx", "quiet\nx" };
        static const char *const want[] = { "iommu=pt" };
        _cleanup_ledger_ struct ledger before = {};

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct boot_edit edit = { want, 1, &before, {} };
                char *line = NULL;

                assert_int_equal(boot_edit_line(&edit, FILE, lines[i], &line), -EINVAL);
                assert_int_equal(boot_edit_copy(&edit, lines[i], &line), -EINVAL);
                assert_null(line);
                assert_int_equal(edit.after.n_files, 0);
        }
}

/* A kernel that was installed since got our parameters from the source. */
static void new_entries_inherit(void **state) {
        static const char *const want[] = { "iommu=pt" };
        _cleanup_ledger_ struct ledger before = {}, after = {};
        struct boot_edit edit = { want, 1, &before, {} }, revert = { NULL, 0, &before, {} };
        char *line;

        (void) state;
        /* Nothing is ours yet: what stands there is the user's, and the entry is known from now on. */
        assert_int_equal(boot_edit_entry(&edit, FILE, SOURCE, "iommu=pt x", NULL, &line), 0);
        free(line);
        after = edit.after;
        assert_non_null(ledger_find(&after, FILE));
        assert_false(ledger_owns(&after, FILE, "iommu=pt"));

        assert_int_equal(ledger_own(&before, SOURCE, "iommu=pt"), 0);
        assert_int_equal(boot_edit_entry(&revert, FILE, SOURCE, "x iommu=pt", NULL, &line), 0);
        assert_string_equal(line, "x");
        free(line);
        assert_int_equal(revert.after.n_files, 0);

        assert_int_equal(ledger_know(&before, FILE), 0);
        assert_int_equal(boot_edit_entry(&revert, FILE, SOURCE, "x iommu=pt", NULL, &line), 0);
        assert_string_equal(line, "x iommu=pt");
        free(line);
}

static void copies(void **state) {
        static const char *const want[] = { "a", "c=2" };
        _cleanup_ledger_ struct ledger before = {};
        struct boot_edit edit = { want, 2, &before, {} };
        char *line;

        (void) state;
        assert_int_equal(ledger_own(&before, FILE, "c=1"), 0);
        assert_int_equal(boot_edit_copy(&edit, "x c=1", &line), 0);
        assert_string_equal(line, "x a c=2");
        free(line);
        assert_int_equal(edit.after.n_files, 0);
}

/* Ten thousand histories of configurations: while ours come and go, every foreign byte stays, and a revert gives the line
 * that was there first. */
static void foreign_bytes_never_change(void **state) {
        static const char *const foreign[] = { "root=UUID=1-2",  "ro",          "quiet", "pci=noats", "iommu=off", "nosmt",
                                               "hugepages=3",    "foo=\"a  b\"", "iommu=pt", "hugepagesz=2M",
                                               "console=ttyS0,1", "\"a b=c\"",   "--" };
        static const char *const ours[] = { "iommu=pt", "iommu=soft", "intel_iommu=on", "pci=nomsi", "nosmt",
                                            "hugepagesz=1G hugepages=4", "hugepagesz=1G hugepages=8", "foo=\"x y\"" };
        unsigned seed = 815;
        size_t edits = 0;

        (void) state;
        for (int n = 0; n < 10000; n++) {
                struct ledger ledger = {};
                char first[512] = "", *line;

                for (int i = rand_r(&seed) % 8; i > 0; i--) {
                        strcat(first, foreign[(size_t) rand_r(&seed) % ARRAY_SIZE(foreign)]);
                        strcat(first, rand_r(&seed) % 5 ? " " : " \t ");
                }
                line = strdup(first);
                for (int round = 1 + rand_r(&seed) % 4; round >= 0; round--) {
                        const char *want[3];
                        struct boot_edit edit = { want, round ? (size_t) rand_r(&seed) % 4 : 0, &ledger, {} };
                        char *next;

                        /* Different names: what contradicts itself is refused before. */
                        for (size_t i = 0, start = (size_t) rand_r(&seed); i < edit.n_want; i++)
                                want[i] = ours[(start + 2 * i) % ARRAY_SIZE(ours)];
                        assert_int_equal(boot_edit_line(&edit, FILE, line, &next), 0);
                        free(line);
                        line = next;
                        ledger_done(&ledger);
                        ledger = edit.after;
                        edits++;
                }
                assert_string_equal(line, first);
                assert_int_equal(ledger.n_files, 0);
                free(line);
                ledger_done(&ledger);
        }
        printf("# 10000 histories with %zu edits\n", edits);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(edits),
                cmocka_unit_test(refuses_what_can_be_read_in_two_ways),
                cmocka_unit_test(new_entries_inherit),
                cmocka_unit_test(copies),
                cmocka_unit_test(foreign_bytes_never_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
