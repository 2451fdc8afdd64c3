/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The ledger: what is ours in which file. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/ledger.h"
#include "fake/tree.h"

#define FILE "/etc/kernel/cmdline"

static struct tree *new_tree(void) {
        struct tree *t = tree_new();

        tree_dir(t, "/var/lib");
        return t;
}

static void comes_back_as_it_was_saved(void **state) {
        _cleanup_tree_ struct tree *t = new_tree();
        _cleanup_ledger_ struct ledger l = { .loader = "systemd-boot", .unfinished = true }, again = {};
        struct err e = {};

        (void) state;
        assert_int_equal(ledger_load(tree_root(t), &again, &e), 0);
        assert_int_equal(again.n_files, 0);
        assert_int_equal(ledger_own(&l, FILE, "iommu=pt"), 0);
        assert_int_equal(ledger_own(&l, FILE, "foo=\"a b\""), 0);
        assert_int_equal(ledger_own(&l, FILE, "hugepagesz=1G hugepages=4"), 0);
        assert_int_equal(ledger_own(&l, FILE, "iommu=pt"), 0);
        assert_int_equal(ledger_know(&l, "/boot/loader/entries/a\xff.conf"), 0);
        assert_int_equal(ledger_own_file(&l, "/new"), 0);
        assert_int_equal(ledger_save(tree_root(t), &l, &e), 0);

        assert_int_equal(ledger_load(tree_root(t), &again, &e), 0);
        assert_string_equal(again.loader, "systemd-boot");
        assert_true(again.unfinished);
        assert_int_equal(again.n_files, 3);
        assert_int_equal(again.files[0].n_parameters, 3);
        assert_false(again.files[0].created);
        assert_true(ledger_owns(&again, FILE, "foo=\"a b\""));
        assert_true(ledger_owns(&again, FILE, "hugepagesz=1G hugepages=4"));
        assert_false(ledger_owns(&again, FILE, "hugepagesz=1G"));
        assert_false(ledger_owns(&again, "/new", "iommu=pt"));
        assert_non_null(ledger_find(&again, "/boot/loader/entries/a\xff.conf"));
        assert_null(ledger_find(&again, "/etc/kernel"));
        assert_true(again.files[2].created);
}

static void keeps_a_trial(void **state) {
        _cleanup_tree_ struct tree *t = new_tree();
        _cleanup_ledger_ struct ledger l = { .loader = "grub" }, again = {};
        struct trial trial = { .id = "0123abcd", .parameters = { "iommu=pt", "a=\"b c\"" }, .n_parameters = 2,
                               .kernel = "6.1", .findings = "state", .failed = "it did not come up" };
        struct err e = {};

        (void) state;
        assert_int_equal(ledger_set_trial(&l, &trial), 0);
        ledger_copy_kernel(&l, &(struct ledger) { .kernel = "6.1", .default_id = "a.conf", .default_before = "b.conf" });
        assert_int_equal(ledger_save(tree_root(t), &l, &e), 0);
        assert_int_equal(ledger_load(tree_root(t), &again, &e), 0);
        assert_non_null(again.trial);
        assert_memory_equal(again.trial, &trial, sizeof(trial));
        assert_string_equal(again.kernel, "6.1");
        assert_string_equal(again.default_id, "a.conf");
        assert_string_equal(again.default_before, "b.conf");
        assert_int_equal(ledger_set_trial(&again, NULL), 0);
        assert_null(again.trial);
}

static void lists_what_is_ours_once(void **state) {
        _cleanup_ledger_ struct ledger l = {};
        const char *list[LEDGER_PARAMETERS_MAX];
        char text[32];
        size_t n;

        (void) state;
        assert_int_equal(ledger_own(&l, "/a", "x"), 0);
        assert_int_equal(ledger_own(&l, "/b", "y"), 0);
        assert_int_equal(ledger_own(&l, "/b", "x"), 0);
        assert_int_equal(ledger_parameters(&l, list, &n), 0);
        assert_int_equal(n, 2);
        assert_string_equal(list[0], "x");
        assert_string_equal(list[1], "y");
        for (int i = 0; i < LEDGER_PARAMETERS_MAX; i++) {
                assert_int_equal(str_format(text, sizeof(text), "a=%d", i), 0);
                assert_int_equal(ledger_own(&l, "/c", text), 0);
        }
        assert_int_equal(ledger_parameters(&l, list, &n), -ENOSPC);
        assert_int_equal(n, 2);
}

static void merges(void **state) {
        _cleanup_ledger_ struct ledger a = { .loader = "grub" }, b = {};

        (void) state;
        assert_int_equal(ledger_own(&a, "/a", "x"), 0);
        assert_int_equal(ledger_know(&a, "/b"), 0);
        assert_int_equal(ledger_own(&b, "/a", "y"), 0);
        assert_int_equal(ledger_own(&b, "/a", "x"), 0);
        assert_int_equal(ledger_own_file(&b, "/b"), 0);
        assert_int_equal(ledger_know(&b, "/c"), 0);
        assert_int_equal(ledger_merge(&a, &b), 0);
        assert_int_equal(a.n_files, 3);
        assert_int_equal(ledger_find(&a, "/a")->n_parameters, 2);
        assert_true(ledger_find(&a, "/b")->created);
        assert_string_equal(a.loader, "grub");
}

static void has_limits(void **state) {
        _cleanup_ledger_ struct ledger l = {};
        char text[PARAMETER_TEXT_MAX + 2];

        (void) state;
        for (int i = 0; i < LEDGER_PARAMETERS_MAX; i++) {
                assert_int_equal(str_format(text, sizeof(text), "a=%d", i), 0);
                assert_int_equal(ledger_own(&l, "/0", text), 0);
        }
        assert_int_equal(ledger_own(&l, "/0", "more"), -ENOSPC);
        for (int i = 1; i < LEDGER_FILES_MAX; i++) {
                assert_int_equal(str_format(text, sizeof(text), "/%d", i), 0);
                assert_int_equal(ledger_know(&l, text), 0);
        }
        assert_int_equal(ledger_know(&l, "/more"), -ENOSPC);
        assert_int_equal(ledger_know(&l, "/7"), 0);
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(ledger_own(&l, "/7", text), -ENAMETOOLONG);
        text[PARAMETER_TEXT_MAX - 1] = '\0';
        assert_int_equal(ledger_own(&l, "/7", text), 0);
}

#define HEAD "{\"version\":1,\"loader\":\"grub\",\"unfinished\":false,\"files\":"
#define FILE_HEAD HEAD "[{\"path\":\"/a\",\"created\":false,\"parameters\":"

#define TRIAL_HEAD(id) HEAD "[],\"trial\":{\"id\":" id ",\"kernel\":\"\",\"findings\":"

static void refuses_damaged_texts(void **state) {
        static const char *const texts[] = {
                "",
                "null",
                "[]",
                "{}",
                "{\"version\":1",
                HEAD "[]} trailing",
                HEAD "[]}{}",
                HEAD "{}}",
                HEAD "[1]}",
                HEAD "[{}]}",
                "{\"version\":2,\"loader\":\"grub\",\"unfinished\":false,\"files\":[]}",
                "{\"version\":\"1\",\"loader\":\"grub\",\"unfinished\":false,\"files\":[]}",
                "{\"version\":1,\"loader\":7,\"unfinished\":false,\"files\":[]}",
                "{\"version\":1,\"loader\":\"a name that is longer than any of them\",\"unfinished\":false,\"files\":[]}",
                "{\"version\":1,\"loader\":\"grub\",\"unfinished\":0,\"files\":[]}",
                "{\"version\":1,\"loader\":\"grub\",\"files\":[]}",
                HEAD "[{\"path\":\"a\",\"created\":false,\"parameters\":[]}]}",
                HEAD "[{\"path\":\"/a/../b\",\"created\":false,\"parameters\":[]}]}",
                HEAD "[{\"path\":\"/a/..\",\"created\":false,\"parameters\":[]}]}",
                HEAD "[{\"path\":\"/a/\\u001b[2J\",\"created\":false,\"parameters\":[]}]}",
                HEAD "[{\"path\":\"/a\\u0000b\",\"created\":false,\"parameters\":[]}]}",
                HEAD "[{\"path\":\"/a\",\"created\":1,\"parameters\":[]}]}",
                HEAD "[{\"path\":\"/a\",\"created\":true}]}",
                HEAD "[{\"path\":\"/a\",\"created\":true,\"parameters\":[]},{\"path\":\"/a\",\"created\":true,"
                     "\"parameters\":[]}]}",
                FILE_HEAD "\"iommu=pt\"}]}",
                FILE_HEAD "[7]}]}",
                FILE_HEAD "[\"\"]}]}",
                FILE_HEAD "[\"a\\nb\"]}]}",
                FILE_HEAD "[\"a\\u0000b\"]}]}",
                FILE_HEAD "[\"-- 3\"]}]}",
                FILE_HEAD "[\"a=\\\"b\"]}]}",
                HEAD "[],\"kernel\":\"6.1\"}",
                HEAD "[],\"kernel\":\"6.1\",\"default_id\":1,\"default_before\":\"\"}",
                HEAD "[],\"trial\":7}",
                HEAD "[],\"trial\":{}}",
                TRIAL_HEAD("\"\"") "\"\",\"failed\":\"\",\"parameters\":[]}}",
                TRIAL_HEAD("\"0123abcde\"") "\"\",\"failed\":\"\",\"parameters\":[]}}",
                TRIAL_HEAD("\"0123 bcd\"") "\"\",\"failed\":\"\",\"parameters\":[]}}",
                TRIAL_HEAD("\"0123abcd\"") "1,\"failed\":\"\",\"parameters\":[]}}",
                TRIAL_HEAD("\"0123abcd\"") "\"\",\"parameters\":[]}}",
                TRIAL_HEAD("\"0123abcd\"") "\"\",\"failed\":\"\",\"parameters\":1}}",
                TRIAL_HEAD("\"0123abcd\"") "\"\",\"failed\":\"\",\"parameters\":[\"a\\nb\"]}}",
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct ledger l = { .loader = "untouched" };
                struct err e = {};

                if (ledger_parse(texts[i], strlen(texts[i]), &l, &e) != -EBADMSG)
                        fail_msg("accepted: %s", texts[i]);
                assert_string_equal(l.loader, "untouched");
                assert_non_null(strstr(e.message, "is damaged"));
        }
        for (size_t i = 0; i < 2; i++) {
                _cleanup_ledger_ struct ledger l = {};
                const char *text = i ? FILE_HEAD "[\"a=b\"]}]}" : HEAD "[]}";

                assert_int_equal(ledger_parse(text, strlen(text), &l, NULL), 0);
                assert_int_equal(l.n_files, i);
        }
}

static void says_what_cannot_be_read_or_written(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct ledger l = {};
        struct err e = {};

        (void) state;
        assert_int_equal(ledger_save(tree_root(t), &l, &e), -ENOENT);
        assert_non_null(strstr(e.message, "/var/lib/passthru/boot.json cannot be written"));
        tree_dir(t, "/var/lib/passthru/boot.json");
        assert_int_equal(ledger_load(tree_root(t), &l, &e), -EISDIR);
        assert_non_null(strstr(e.message, "boot.json cannot be read"));
}

static void only_one_at_a_time(void **state) {
        _cleanup_tree_ struct tree *t = new_tree();
        int first = -1, second = -1;
        struct err e = {};

        (void) state;
        assert_int_equal(ledger_lock(tree_root(t), &first, &e), 0);
        assert_int_equal(ledger_lock(tree_root(t), &second, &e), -EBUSY);
        assert_int_equal(second, -1);
        assert_string_equal(e.id, ERR_IN_USE);
        close(first);
        assert_int_equal(ledger_lock(tree_root(t), &second, &e), 0);
        close(second);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(comes_back_as_it_was_saved), cmocka_unit_test(merges),
                cmocka_unit_test(keeps_a_trial),
                cmocka_unit_test(lists_what_is_ours_once),
                cmocka_unit_test(has_limits),                 cmocka_unit_test(refuses_damaged_texts),
                cmocka_unit_test(says_what_cannot_be_read_or_written), cmocka_unit_test(only_one_at_a_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
