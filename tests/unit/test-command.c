/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Running a program: status, output, and what it finds around it. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/command.h"

static char *const *sh(const char *script) {
        static char words[3][512];
        static char *argv[] = { words[0], words[1], words[2], NULL };

        (void) str_copy(words[0], sizeof(words[0]), "sh");
        (void) str_copy(words[1], sizeof(words[1]), "-c");
        (void) str_copy(words[2], sizeof(words[2]), script);
        return argv;
}

static void tells_how_it_ended(void **state) {
        static const struct {
                const char *script;
                int result;
                const char *output;
        } cases[] = {
                { "exit 0", 0, NULL },
                { "exit 1", 1, NULL },
                { "exit 255", 255, NULL },
                { "echo out; echo err >&2; exit 3", 3, "out\nerr\n" },
                { "kill -9 $$", -ECHILD, NULL },
                { "echo x; kill -TERM $$", -ECHILD, NULL },
                { "cat", 0, NULL },
                { "env -u PWD -u SHLVL -u _ -u OLDPWD env | sort", 0,
                  "LC_ALL=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" },
        };

        _cleanup_free_ char *language = NULL;

        (void) state;
        assert_int_equal(command_run(NULL, "de_DE.UTF-8", sh("echo \"$LANG$LC_ALL\""), &language), 0);
        assert_string_equal(language, "de_DE.UTF-8\n");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *output = NULL;
                int r = command_run(NULL, NULL, sh(cases[i].script), &output);

                if (r != cases[i].result)
                        fail_msg("%s: %d", cases[i].script, r);
                if (!cases[i].output)
                        assert_null(output);
                else
                        assert_string_equal(output, cases[i].output);
                assert_int_equal(command_run(NULL, NULL, sh(cases[i].script), NULL), r);
        }
}

static void tells_what_cannot_be_run(void **state) {
        char name[] = "/nowhere/at-all", relative[] = "passthru-no-such-program", folder[] = "/etc";
        char *output = NULL;

        (void) state;
        assert_int_equal(command_run(NULL, NULL, (char *[]) { name, NULL }, &output), -ENOENT);
        assert_int_equal(command_run(NULL, NULL, (char *[]) { relative, NULL }, &output), -ENOENT);
        assert_int_equal(command_run(NULL, NULL, (char *[]) { folder, NULL }, &output), -EACCES);
        assert_int_equal(command_run("/nowhere", NULL, sh("exit 0"), &output), geteuid() == 0 ? -ENOENT : -EPERM);
        assert_null(output);
}

static void looks_for_programs_in_its_own_path(void **state) {
        (void) state;
        assert_int_equal(setenv("PATH", "/nowhere", 1), 0);
        assert_int_equal(command_run(NULL, NULL, sh("exit 7"), NULL), 7);
}

static void keeps_the_end_of_long_output(void **state) {
        _cleanup_free_ char *output = NULL;

        (void) state;
        assert_int_equal(command_run(NULL, NULL, sh("seq 100000"), &output), 0);
        assert_int_equal(strlen(output), 64 << 10);
        assert_string_equal(output + strlen(output) - 13, "99999\n100000\n");
}

static void does_not_wait_for_daemons(void **state) {
        _cleanup_free_ char *output = NULL;
        time_t begin = time(NULL);

        (void) state;
        assert_int_equal(command_run(NULL, NULL, sh("echo a; sleep 20 & echo b"), &output), 0);
        assert_string_equal(output, "a\nb\n");
        assert_true(time(NULL) - begin < 15);
}

/* What the caller ignores while it changes files. */
static void gives_signals_their_meaning_back(void **state) {
        (void) state;
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGINT, SIG_IGN);
        assert_int_equal(command_run(NULL, NULL, sh("kill -PIPE $$; exit 3"), NULL), -ECHILD);
        assert_int_equal(command_run(NULL, NULL, sh("kill -INT $$; exit 3"), NULL), -ECHILD);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) signal(SIGINT, SIG_DFL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tells_how_it_ended),
                cmocka_unit_test(tells_what_cannot_be_run),
                cmocka_unit_test(keeps_the_end_of_long_output),
                cmocka_unit_test(does_not_wait_for_daemons),
                cmocka_unit_test(looks_for_programs_in_its_own_path),
                cmocka_unit_test(gives_signals_their_meaning_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
