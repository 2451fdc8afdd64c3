/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Plans of changes and commands. */

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
#include "model/plan.h"

static void equal_texts_are_no_change(void **state) {
        _cleanup_plan_ struct plan p = {};

        (void) state;
        assert_true(plan_is_empty(&p));
        assert_int_equal(plan_add_change(&p, "/a", "x", "x", 0644), 0);
        assert_int_equal(plan_add_change(&p, "/b", NULL, NULL, 0644), 0);
        assert_true(plan_is_empty(&p));
        assert_int_equal(plan_add_change(&p, "/a", "x", "y", 0600), 0);
        assert_int_equal(plan_add_change(&p, "/c", NULL, "", 0644), 0);
        assert_int_equal(plan_add_change(&p, "/d", "", NULL, 0644), 0);
        assert_false(plan_is_empty(&p));
        assert_int_equal(p.n_changes, 3);
        assert_string_equal(p.changes[0].path, "/a");
        assert_string_equal(p.changes[0].before, "x");
        assert_string_equal(p.changes[0].after, "y");
        assert_int_equal(p.changes[0].mode, 0600);
        assert_null(p.changes[1].before);
        assert_null(p.changes[2].after);
}

static void a_second_change_replaces_the_first(void **state) {
        _cleanup_plan_ struct plan p = {};

        (void) state;
        assert_int_equal(plan_add_change(&p, "/a", "old", "one", 0644), 0);
        assert_int_equal(plan_add_change(&p, "/b", "old", "new", 0644), 0);
        assert_int_equal(plan_add_change(&p, "/a", "one", "two", 0644), 0);
        assert_int_equal(p.n_changes, 2);
        assert_string_equal(p.changes[0].before, "old");
        assert_string_equal(p.changes[0].after, "two");

        /* Back to where it was: no change is left of it, and the other one stays. */
        assert_int_equal(plan_add_change(&p, "/a", "two", "old", 0644), 0);
        assert_int_equal(p.n_changes, 1);
        assert_string_equal(p.changes[0].path, "/b");
        assert_int_equal(plan_add_change(&p, "/b", "new", NULL, 0644), 0);
        assert_null(p.changes[0].after);
}

static void commands_stand_once(void **state) {
        _cleanup_plan_ struct plan p = {};

        (void) state;
        assert_int_equal(plan_add_command(&p, "why", "a", "b", NULL), 0);
        assert_int_equal(plan_add_command(&p, "why", "a", NULL), 0);
        assert_int_equal(plan_add_command(&p, "other", "a", "b", NULL), 0);
        assert_int_equal(p.n_commands, 2);
        assert_string_equal(p.commands[0].argv[1], "b");
        assert_null(p.commands[0].argv[2]);
        assert_true(plan_is_empty(&p));
        p.unfinished = true;
        assert_false(plan_is_empty(&p));
}

static void a_command_can_be_the_change(void **state) {
        static const char *const argv[] = { "rpm-ostree", "kargs", "--append=a", NULL }, *const undo[] = { "undo", NULL };
        _cleanup_plan_ struct plan p = {};

        (void) state;
        assert_int_equal(plan_add_command(&p, "follows", "update-grub", NULL), 0);
        assert_true(plan_is_empty(&p));
        assert_int_equal(plan_add_change_command(&p, "why", argv, undo), 0);
        assert_int_equal(plan_add_change_command(&p, "why", argv, undo), 0);
        assert_false(plan_is_empty(&p));
        assert_int_equal(p.n_commands, 2);
        assert_string_equal(p.commands[1].argv[2], "--append=a");
        assert_string_equal(p.commands[1].undo[0], "undo");
        assert_null(p.commands[0].undo[0]);
}

static void variables_are_changes(void **state) {
        _cleanup_plan_ struct plan p = {};

        (void) state;
        assert_int_equal(plan_add_variable(&p, "LoaderEntryOneShot", "a", "a"), 0);
        assert_int_equal(plan_add_variable(&p, "LoaderEntryOneShot", NULL, NULL), 0);
        assert_true(plan_is_empty(&p));
        assert_int_equal(plan_add_variable(&p, "LoaderEntryOneShot", NULL, "a"), 0);
        assert_false(plan_is_empty(&p));
        assert_null(p.variables[0].before);
        assert_string_equal(p.variables[0].after, "a");
        while (p.n_variables < PLAN_VARIABLES_MAX)
                assert_int_equal(plan_add_variable(&p, "LoaderEntryDefault", "a", NULL), 0);
        assert_int_equal(plan_add_variable(&p, "LoaderEntryDefault", "a", NULL), -ENOSPC);
}

static void has_limits(void **state) {
        const char *words[PLAN_ARGV_MAX + 2] = {}, *none[] = { NULL };
        _cleanup_plan_ struct plan p = {};
        char name[32];

        (void) state;
        for (int i = 0; i < PLAN_CHANGES_MAX; i++) {
                assert_int_equal(str_format(name, sizeof(name), "/%d", i), 0);
                assert_int_equal(plan_add_change(&p, name, "x", "y", 0644), 0);
        }
        assert_int_equal(plan_add_change(&p, "/more", "x", "y", 0644), -ENOSPC);
        assert_int_equal(plan_add_change(&p, "/3", "y", "z", 0644), 0);
        assert_int_equal(p.n_changes, PLAN_CHANGES_MAX);
        for (int i = 0; i < PLAN_COMMANDS_MAX; i++) {
                assert_int_equal(str_format(name, sizeof(name), "%d", i), 0);
                assert_int_equal(plan_add_command(&p, "why", name, NULL), 0);
        }
        assert_int_equal(plan_add_command(&p, "why", "more", NULL), -ENOSPC);
        assert_int_equal(plan_add_command(&p, "why", "3", NULL), 0);
        for (size_t i = 0; i <= PLAN_ARGV_MAX; i++)
                words[i] = "word";
        assert_int_equal(plan_add_change_command(&p, "why", words, none), -E2BIG);
        assert_int_equal(plan_add_change_command(&p, "why", none, words), -E2BIG);
        assert_int_equal(p.n_commands, PLAN_COMMANDS_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equal_texts_are_no_change),
                cmocka_unit_test(a_second_change_replaces_the_first),
                cmocka_unit_test(commands_stand_once),
                cmocka_unit_test(a_command_can_be_the_change),
                cmocka_unit_test(variables_are_changes),
                cmocka_unit_test(has_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
