/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "config/settings.h"
#include "fake/tree.h"

#define CONF "/etc/passthru/passthru.conf"
#define S 1000000ULL

static void test_defaults(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct settings s;
        struct err e = {};

        (void) state;
        assert_int_equal(settings_load(tree_root(t), &s, &e), 0);
        assert_int_equal(s.deadline_usec, 70 * S);
        assert_int_equal(s.idle_usec, 60 * S);
        assert_int_equal(s.retry_usec, 10 * S);
}

static void test_good(void **state) {
        static const struct {
                const char *text;
                struct settings wanted;
        } cases[] = {
                { "[lease]\n[helper]\n", { 70 * S, 60 * S, 10 * S } },
                { "[lease]\ndeadline=90\n", { 90 * S, 60 * S, 10 * S } },
                { "[lease]\ndeadline=90s\n", { 90 * S, 60 * S, 10 * S } },
                { "[lease]\ndeadline=1500ms\n", { S * 3 / 2, 60 * S, 10 * S } },
                { "[lease]\ndeadline=1s\n", { S, 60 * S, 10 * S } },
                { "[lease]\ndeadline=10min\n", { 600 * S, 60 * S, 10 * S } },
                { "[helper]\nidle-exit=24h\nretry=1h\n", { 70 * S, 86400 * S, 3600 * S } },
                { "[helper]\ngroup=vm-users\n", { 70 * S, 60 * S, 10 * S, "vm-users" } },
                { "[helper]\ngroup=a2345678901234567890123456789012\n",
                  { 70 * S, 60 * S, 10 * S, "a2345678901234567890123456789012" } },
                { "[helper]\ngroup=vm\ngroup=\n", { 70 * S, 60 * S, 10 * S } },
                { "[helper]\nretry=1\nretry=2\n[lease]\ndeadline=3\n", { 3 * S, 60 * S, 2 * S } },
                { "[lease]\npatience=500ms\n", { 70 * S, 60 * S, 10 * S, .patience_usec = S / 2 } },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct settings s;
                struct err e = {};

                tree_file(t, CONF, cases[i].text);
                assert_int_equal(settings_load(tree_root(t), &s, &e), 0);
                assert_int_equal(s.deadline_usec, cases[i].wanted.deadline_usec);
                assert_int_equal(s.idle_usec, cases[i].wanted.idle_usec);
                assert_int_equal(s.retry_usec, cases[i].wanted.retry_usec);
                assert_int_equal(s.patience_usec,
                                 cases[i].wanted.patience_usec ? cases[i].wanted.patience_usec : 10 * S);
                assert_string_equal(s.group, cases[i].wanted.group);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { "[lease]\ndeadline=999ms\n", CONF ":2: deadline: wanted a time from 1s to 10min" },
                { "[lease]\npatience=499ms\n", "patience: wanted a time from 500ms to 10min" },
                { "[lease]\ndeadline=0\n", "found “0”" },
                { "[lease]\ndeadline=601s\n", "found “601s”" },
                { "[lease]\ndeadline=11min\n", "found “11min”" },
                { "[lease]\ndeadline=\n", "found “”" },
                { "[lease]\ndeadline=s\n", "found “s”" },
                { "[lease]\ndeadline=-5\n", "found “-5”" },
                { "[lease]\ndeadline=1.5s\n", "found “1.5s”" },
                { "[lease]\ndeadline=90 s\n", "found “90 s”" },
                { "[lease]\ndeadline=90sec\n", "found “90sec”" },
                { "[lease]\ndeadline=18446744073709551617\n", "wanted a time" },
                { "[lease]\ndeadline=99999999999999999999999999\n", "wanted a time" },
                { "[helper]\nidle-exit=25h\n", "idle-exit: wanted a time from 1s to 24h" },
                { "[helper]\nretry=61min\n", "retry: wanted a time from 1s to 1h" },
                { "[lease]\nretry=5\n", "wanted deadline or patience, found the unknown setting “retry”" },
                { "[helper]\ndeadline=5\n", "wanted group, idle-exit or retry, found the unknown setting “deadline”" },
                { "[lease]\nDeadline=5\n", "unknown setting “Deadline”" },
                { "[helper]\ngroup=a b\n", "group: wanted the name of a group in /etc/group" },
                { "[helper]\ngroup=../x\n", "found “../x”" },
                { "[helper]\ngroup=a:b\n", "found “a:b”" },
                { "[helper]\ngroup=a23456789012345678901234567890123\n", "at most 32 of" },
                { "[lease]\ngroup=vm\n", "wanted deadline or patience, found the unknown setting “group”" },
                { "[leases]\n", "found [leases]" },
                { "deadline=5\n", "found []" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct settings s = { 1, 2, 3 };
                struct err e = {};

                tree_file(t, CONF, cases[i].text);
                assert_int_equal(settings_load(tree_root(t), &s, &e), -EINVAL);
                if (!strstr(e.message, cases[i].message))
                        fail_msg("wanted “%s” in “%s”", cases[i].message, e.message);
                assert_string_equal(e.id, ERR_INVALID);
                assert_int_equal(s.deadline_usec, 1);
                assert_int_equal(s.idle_usec, 2);
                assert_int_equal(s.retry_usec, 3);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
