/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Boot loader entries as text. */

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
#include "boot/bls-entry.h"

static void splits(void **state) {
        static const struct {
                const char *text;
                bool kernel;
                size_t n_options;
                const char *options, *machine_id;
        } cases[] = {
                { "title x\nlinux /vmlinuz\noptions root=/dev/sda1 quiet\n", true, 1, "root=/dev/sda1 quiet", NULL },
                { "linux /vmlinuz\noptions\troot=1", true, 1, "root=1", NULL },
                { "  linux   /vmlinuz\r\n \toptions  a b \r\nx y\r\n", true, 1, "a b ", NULL },
                { "linux /vmlinuz\roptions a\rinitrd /i\r", true, 1, "a", NULL },
                { "linux /vmlinuz\noptions a\noptions b\n", true, 2, "b", NULL },
                { "linux /vmlinuz\n", true, 0, NULL, NULL },
                { "linux /vmlinuz\noptions\n", true, 1, "", NULL },
                { "linux /vmlinuz\noptions", true, 1, "", NULL },
                { "linux\noptions a\n", false, 1, "a", NULL },
                { "linux /v\n#options a\nmachine-id 0123 \n", true, 0, NULL, "0123" },
                { "linux /v\noptionsx a\n", true, 0, NULL, NULL },
                { "linux-x /v\noptions a\n", false, 1, "a", NULL },
                { "title Windows\nefi /EFI/Microsoft/Boot/bootmgfw.efi\n", false, 0, NULL, NULL },
                { "efi /shellx64.efi\noptions -nostartup\n", false, 1, "-nostartup", NULL },
                { "efi /vmlinuz-linux\noptions rw root=UUID=1\n", true, 1, "rw root=UUID=1", NULL },
                { "efi /x\noptions nfsroot=1\nversion root=2\n", false, 1, "nfsroot=1", NULL },
                { "options a\nefi /x\nversion root=2\n", false, 1, "a", NULL },
                { "", false, 0, NULL, NULL },
                { "\n\n", false, 0, NULL, NULL },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct bls_entry e;

                bls_entry_parse(cases[i].text, &e);
                if (e.kernel != cases[i].kernel || e.n_options != cases[i].n_options || !e.options != !cases[i].options ||
                    !e.machine_id != !cases[i].machine_id)
                        fail_msg("%s", cases[i].text);
                if (e.options && (e.length != strlen(cases[i].options) || strncmp(e.options, cases[i].options, e.length)))
                        fail_msg("%s: '%.*s'", cases[i].text, (int) e.length, e.options);
                if (e.machine_id)
                        assert_int_equal(e.machine_id_length, strlen(cases[i].machine_id));
        }
}

/* What was added goes without a trace. */
static void replaces(void **state) {
        static const struct {
                const char *text, *result;
        } cases[] = {
                { "linux /v\n", "linux /v\noptions NEW\n" },
                { "linux /v", "linux /v\noptions NEW" },
                { "", "options NEW\n" },
                { "linux /v\r\n", "linux /v\r\noptions NEW\n" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *with = NULL, *without = NULL;
                struct bls_entry e;

                bls_entry_parse(cases[i].text, &e);
                with = bls_entry_replace(cases[i].text, &e, "NEW");
                assert_string_equal(with, cases[i].result);
                bls_entry_parse(with, &e);
                without = bls_entry_replace(with, &e, "");
                assert_string_equal(without, cases[i].text);
        }
        for (size_t i = 0; i < 2; i++) {
                const char *text = i ? "a b\r\noptions  OLD \r\nlinux /v" : "options OLD \nlinux /v";
                _cleanup_free_ char *now = NULL;
                struct bls_entry e;

                bls_entry_parse(text, &e);
                now = bls_entry_replace(text, &e, i ? "NEW " : "");
                assert_string_equal(now, i ? "a b\r\noptions  NEW \r\nlinux /v" : "linux /v");
        }
}

static void knows_boot_counters(void **state) {
        static const struct {
                const char *path, *name;
        } cases[] = {
                { "/boot/loader/entries/id.conf", "/boot/loader/entries/id.conf" },
                { "/boot/loader/entries/id+3.conf", "/boot/loader/entries/id.conf" },
                { "/boot/loader/entries/id+3-0.conf", "/boot/loader/entries/id.conf" },
                { "/e/6.1.0+deb12+12-34.conf", "/e/6.1.0+deb12.conf" },
                { "/e/6.1.0+deb12.conf", "/e/6.1.0+deb12.conf" },
                { "/e/id+3-.conf", "/e/id+3-.conf" },
                { "/e/id+.conf", "/e/id+.conf" },
                { "/e/id+3-0x.conf", "/e/id+3-0x.conf" },
                { "/e+3.conf/id", "/e+3.conf/id" },
                { "id+1.conf", "id.conf" },
        };
        char name[64], small[8];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(bls_entry_name(cases[i].path, name, sizeof(name)), 0);
                assert_string_equal(name, cases[i].name);
        }
        assert_int_equal(bls_entry_name(cases[0].path, small, sizeof(small)), -ENAMETOOLONG);
}

static void knows_lines_that_lose_their_quotes(void **state) {
        (void) state;
        assert_true(bls_options_are_quoted("\"root=1 quiet\""));
        assert_true(bls_options_are_quoted("\"a=1\" b=\"2\" "));
        assert_false(bls_options_are_quoted("a=\"1\""));
        assert_false(bls_options_are_quoted("\"a=1\" b"));
        assert_false(bls_options_are_quoted("\""));
        assert_false(bls_options_are_quoted(""));
}

static void makes_an_entry_for_a_trial(void **state) {
        static const struct {
                const char *text, *wanted;
        } cases[] = {
                { "title A\nlinux /v\noptions a b\ninitrd /i\n", "title A (trial of passthru)\nlinux /v\ninitrd /i\noptions x\n" },
                { "title A\r\nsort-key a\r\nlinux /v\r\noptions a", "title A (trial of passthru)\nlinux /v\noptions x\n" },
                { "# c\n\ttitle\tA\nlinux /v", "# c\n\ttitle\tA (trial of passthru)\nlinux /v\noptions x\n" },
                { "linux /v\n", "linux /v\noptions x\n" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *text = bls_entry_trial(cases[i].text, "x");

                assert_string_equal(text, cases[i].wanted);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(splits),
                cmocka_unit_test(replaces),
                cmocka_unit_test(makes_an_entry_for_a_trial),
                cmocka_unit_test(knows_boot_counters),
                cmocka_unit_test(knows_lines_that_lose_their_quotes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
