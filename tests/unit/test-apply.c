/* SPDX-License-Identifier: GPL-2.0-or-later */

/* apply and revert are killed at every step that changes something, and every such step fails in turn: afterwards each
 * file is the old or the new one, and doing it again finishes it; after an error everything is as it was. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "unit/apply-host.h"

/* True when it was killed. */
static bool perform_and_die(const struct scenario *s, bool revert, unsigned at) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void) signal(SIGSEGV, SIG_DFL);
                (void) signal(SIGABRT, SIG_DFL);
                _exit(perform_with(s, revert, FAULT_KILL, at, 0, NULL) < 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status)) {
                assert_int_equal(WTERMSIG(status), SIGKILL);
                return true;
        }
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
}

/* The states that a scenario goes through without a fault */
struct states {
        char *start, *applied;
};

static struct states find_states(const struct scenario *s) {
        struct states states;
        struct err e = {};

        set_up(s);
        states.start = snapshot();
        if (perform(s, false, &e) != 0)
                fail_msg("%s: %s", s->name, e.message);
        states.applied = snapshot();
        assert_int_equal(perform(s, false, &e), 1);
        tree_free(t);
        return states;
}

/* Every line is one of the old or the new state: no file is half of either. Not for grub.cfg, which is update-grub's, and an
 * addon, which is ukify's: half of one is no addon to systemd's stub. */
static void assert_old_or_new(const struct scenario *s, unsigned at, const struct states *states) {
        char *now = snapshot(), *save;

        for (char *line = strtok_r(now, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (!strstr(states->start, line) && !strstr(states->applied, line) && !strstr(line, "passthru-new: ") &&
                    !str_starts(line, "/boot/grub/grub.cfg") && !str_starts(line, "/boot/efi/loader/addons/"))
                        fail_msg("%s, step %u: %s", s->name, at, line);
        free(now);
}

static void again(const struct scenario *s, bool revert, unsigned at, const char *wanted) {
        _cleanup_ledger_ struct ledger ledger = {};
        struct err e = {};

        if (perform(s, revert, &e) < 0)
                fail_msg("%s, again after step %u: %s", s->name, at, e.message);
        assert_state(s, "again after step", at, wanted);
        assert_int_equal(perform(s, revert, &e), 1);
        assert_int_equal(ledger_load(root, &ledger, &e), 0);
        assert_false(ledger.unfinished);
}

static void before_the_fault(const struct scenario *s, bool revert) {
        set_up(s);
        if (revert)
                assert_int_equal(perform(s, false, NULL), 0);
}

static void survives_kills(void **state) {
        unsigned kills = 0;

        (void) state;
        for (size_t i = 0; scenarios[i / 4].name; i++) {
                const struct scenario *s = &scenarios[i / 4];
                bool revert = i % 2, other_way = i / 2 % 2;
                struct states states = find_states(s);
                bool killed = true;

                for (unsigned at = 1; killed; at++) {
                        before_the_fault(s, revert);
                        killed = perform_and_die(s, revert, at);
                        kills += killed;
                        assert_old_or_new(s, at, &states);
                        again(s, revert != other_way, at, revert != other_way ? states.start : states.applied);
                        tree_free(t);
                }
                free(states.start);
                free(states.applied);
        }
        printf("# %u kills, each followed by a run that finished or took back\n", kills);
        assert_true(kills > 100);
}

static void undoes_what_fails(void **state) {
        static const int errors[] = { EIO, ENOSPC, EROFS };
        unsigned faults = 0;

        (void) state;
        for (size_t i = 0; scenarios[i / 2 / ARRAY_SIZE(errors)].name; i++) {
                const struct scenario *s = &scenarios[i / 2 / ARRAY_SIZE(errors)];
                bool revert = i % 2;
                int error = errors[i / 2 % ARRAY_SIZE(errors)];
                struct states states = find_states(s);

                for (unsigned at = 1;; at++) {
                        struct err e = {};
                        int r;

                        before_the_fault(s, revert);
                        r = perform_with(s, revert, FAULT_ONCE, at, error, &e);
                        if (fault.steps < at) {
                                assert_int_equal(r, 0);
                                tree_free(t);
                                break;
                        }
                        faults++;
                        if (r >= 0)
                                assert_state(s, "success in spite of step", at, revert ? states.start : states.applied);
                        else {
                                if (!strchr(e.message, '/') && (!s->command || !strstr(e.message, s->command)))
                                        fail_msg("%s, step %u: %s", s->name, at, e.message);
                                assert_state(s, e.message, at, revert ? states.applied : states.start);
                        }
                        again(s, revert, at, revert ? states.start : states.applied);
                        tree_free(t);
                }
                free(states.start);
                free(states.applied);
        }
        printf("# %u failed steps, each undone, in files and commands\n", faults);
        assert_true(faults > 100);
}

/* A disk that fails for good: nothing can be given back, but nothing is half either. */
static void leaves_whole_files_when_all_fails(void **state) {
        unsigned faults = 0;

        (void) state;
        for (size_t i = 0; scenarios[i / 2].name; i++) {
                const struct scenario *s = &scenarios[i / 2];
                bool revert = i % 2;
                struct states states = find_states(s);

                for (unsigned at = 1;; at++) {
                        struct err e = {};

                        before_the_fault(s, revert);
                        if (perform_with(s, revert, FAULT_FROM_HERE, at, EROFS, &e) == 0) {
                                tree_free(t);
                                break;
                        }
                        faults++;
                        assert_true(*e.message);
                        assert_old_or_new(s, at, &states);
                        again(s, revert, at, revert ? states.start : states.applied);
                        tree_free(t);
                }
                free(states.start);
                free(states.applied);
        }
        printf("# %u times the disk failed for good, files were whole\n", faults);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(survives_kills),
                cmocka_unit_test(undoes_what_fails),
                cmocka_unit_test(leaves_whole_files_when_all_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
