/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What apply refuses, notices and takes back. */

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
#include "unit/apply-host.h"

/* Errors before the first write */

static void expect_error(const struct scenario *s, int r, const char *text) {
        _cleanup_free_ char *before = snapshot();
        struct err e = {};
        int found = perform(s, false, &e);

        if (found != r || !strstr(e.message, text))
                fail_msg("%s: %d %s", s->name, found, e.message);
        assert_state(s, "after an error", 0, before);
}

static void refuses_before_it_writes(void **state) {
        char line[CMDLINE_MAX + 64], text[CMDLINE_MAX + 128];

        (void) state;
        memset(line, 'x', sizeof(line));
        line[CMDLINE_MAX - 40] = '\0';
        set_up(&scenarios[1]);
        assert_int_equal(str_format(text, sizeof(text), "linux /v\noptions root=1 %s\n", line), 0);
        tree_file(t, ENTRIES "/z.conf", text);
        expect_error(&scenarios[1], -E2BIG, "the kernel line of 'z.conf' would have 20");
        tree_free(t);

        set_up(&scenarios[0]);
        assert_int_equal(str_format(text, sizeof(text), "linux /v root=1 %s\n", line), 0);
        tree_file(t, "/boot/grub/grub.cfg", text);
        expect_error(&scenarios[0], -E2BIG, "the kernel line of");
        tree_free(t);

        set_up(&scenarios[1]);
        tree_file(t, "/var/lib/passthru/boot.json", "{}");
        expect_error(&scenarios[1], -EBADMSG, "boot.json is damaged");
        tree_free(t);

        set_up(&scenarios[1]);
        tree_remove(t, "/var/lib");
        expect_error(&scenarios[1], -ENOENT, "/var/lib/passthru");
        tree_free(t);
}

static void goes_back_when_the_loader_ignores_it(void **state) {
        const struct scenario *s = &scenarios[0];
        struct err e = {};
        char *start;

        (void) state;
        set_up(s);
        start = snapshot();
        /* The command fails whenever it runs: the files are old all the same, and the next run is told. */
        for (unsigned at = 1;; at++) {
                int r;

                tree_free(t);
                set_up(s);
                r = perform_with(s, false, FAULT_ONCE, at, EIO, &e);
                if (r < 0 && strstr(e.message, "update-grub ended with status 1: for /"))
                        break;
                assert_true(fault.steps >= at);
        }
        assert_non_null(strstr(e.message, "; everything is as it was before"));
        assert_state(s, "after a failed command", 0, start);
        free(start);
        tree_free(t);
}

/* Somebody else edits between plan and apply. */
static void notices_changes_of_others(void **state) {
        const struct scenario *s = &scenarios[1];
        _cleanup_ledger_ struct ledger before = {};
        struct boot_edit edit = { parameters, 1, &before, {} };
        struct apply apply = { .root = root, .run_commands = true };
        _cleanup_plan_ struct plan plan = {};
        struct err e = {};

        (void) state;
        set_up(s);
        apply.root = root;
        assert_int_equal(loader_find(root, s->loader, &apply.loader, &e), 0);
        assert_int_equal(loader_plan(apply.loader, root, &edit, &plan, &e), 0);
        tree_file(t, ENTRIES "/b.conf", "title B\nlinux /c");
        assert_int_equal(plan_apply(&apply, &plan, &edit, &e), -ESTALE);
        assert_non_null(strstr(e.message, "b.conf was changed by somebody else"));
        assert_int_equal(root_exists(root, LEDGER_DIRECTORY "/" LEDGER_NAME), 0);
        ledger_done(&edit.after);
        tree_free(t);
}

/* What the command does instead of its work, each time it runs. */
static const char *grub_cfg;

static void write_grub_cfg(struct tree *tree, char *const *argv) {
        (void) argv;
        tree_file(tree, "/boot/grub/grub.cfg", grub_cfg);
}

static void takes_back_what_would_not_boot(void **state) {
        static const struct {
                const char *config, *error;
        } cases[] = {
                { "", "/boot/grub/grub.cfg has no kernel line any more" },
                { "menuentry 'A (recovery mode)' {\n linux /v root=1\n}\n", "has no kernel line any more" },
                { "linux /v ro intel_iommu=on iommu=pt hugepagesz=1G hugepages=4\n", "lost its root=" },
                { "linux /v root=1 ro intel_iommu=on iommu=pt\n", "should have hugepagesz=1G hugepages=4" },
        };
        struct scenario s = scenarios[0];

        (void) state;
        s.run = write_grub_cfg;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                set_up(&s);
                tree_file(t, "/boot/grub/grub.cfg", "# by hand\nlinux /v root=1 ro\n");
                grub_cfg = cases[i].config;
                expect_error(&s, -EIO, cases[i].error);
                tree_free(t);
        }
}

/* Somebody else writes a file that is not written yet: what is there stays, and what was written is taken back. */
static void edit_meanwhile(enum apply_event event, const char *what, void *userdata) {
        (void) userdata;
        if (event == APPLY_WRITE && strstr(what, "a-6.1.conf"))
                tree_file(t, ENTRIES "/b.conf", "title B\nlinux /c");
}

static void keeps_changes_of_others(void **state) {
        const struct scenario *s = &scenarios[1];
        _cleanup_ledger_ struct ledger before = {};
        struct boot_edit edit = { parameters, 1, &before, {} };
        struct apply apply = { .run_commands = true, .report = edit_meanwhile };
        _cleanup_plan_ struct plan plan = {};
        _cleanup_free_ char *a = NULL, *b = NULL;
        struct err e = {};

        (void) state;
        set_up(s);
        apply.root = root;
        assert_int_equal(loader_find(root, s->loader, &apply.loader, &e), 0);
        assert_int_equal(loader_plan(apply.loader, root, &edit, &plan, &e), 0);
        assert_int_equal(plan_apply(&apply, &plan, &edit, &e), -ESTALE);
        assert_non_null(strstr(e.message, "b.conf was changed by somebody else"));
        assert_int_equal(root_read(root, ENTRIES "/a-6.1.conf", 4096, &a, NULL), 0);
        assert_null(strstr(a, "intel_iommu"));
        assert_int_equal(root_read(root, ENTRIES "/b.conf", 4096, &b, NULL), 0);
        assert_string_equal(b, "title B\nlinux /c");
        ledger_done(&edit.after);
        tree_free(t);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(refuses_before_it_writes),
                cmocka_unit_test(goes_back_when_the_loader_ignores_it),
                cmocka_unit_test(notices_changes_of_others),
                cmocka_unit_test(takes_back_what_would_not_boot),
                cmocka_unit_test(keeps_changes_of_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
