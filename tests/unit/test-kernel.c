/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which installed kernel boots by default: chosen, tried once, given back. */

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
#include "boot/trial.h"
#include "sys/efivar.h"
#include "unit/apply-host.h"

#define TRIED "root=/dev/sda1 intel_iommu=on iommu=pt hugepagesz=1G hugepages=4 panic=10 passthru.trial=aaaaaaaa"
#define CHOSEN "gnulinux-advanced-U>gnulinux-6.1-advanced-U"

static const char *const names[] = { "GRUB", "systemd-boot", "kernelstub" };

static void set_up_kernels(const struct scenario *s) {
        set_up_booted(s);
        wanted_kernel = "6.1";
        tree_file(t, "/boot/vmlinuz-6.1", "old kernel");
        tree_file(t, "/boot/vmlinuz-6.5", "new kernel");
        tree_file(t, "/boot/initrd.img-6.1", "");
        tree_file(t, "/boot/initrd.img-6.5", "");
        if (str_eq(s->loader, "kernelstub"))
                s->run(t, NULL);
        if (str_eq(s->loader, "systemd-boot"))
                tree_file(t, ENTRIES "/a-6.1.conf", "title A\nversion 6.1\nlinux /a\noptions root=/dev/sda1 quiet\n");
}

static char *variable(const char *name) {
        static char text[64];

        return efi_loader_text(root, name, text, sizeof(text)) < 0 ? NULL : text;
}

static void assert_chosen(const struct scenario *s) {
        _cleanup_free_ char *text = NULL;

        if (is_grub(s)) {
                assert_int_equal(root_read(root, "/boot/grub/grub.cfg", 4096, &text, NULL), 0);
                assert_non_null(strstr(text, "set default=\"" CHOSEN "\""));
        } else if (str_eq(s->loader, "systemd-boot"))
                assert_string_equal(variable("LoaderEntryDefault"), "a-6.1.conf");
        else {
                assert_int_equal(root_read(root, "/boot/efi/vmlinuz.efi", 64, &text, NULL), 0);
                assert_string_equal(text, "old kernel");
        }
}

static void is_chosen_and_given_back(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct scenario *s = scenario(names[i]);
                _cleanup_free_ char *start = NULL, *chosen = NULL, *parameters_only = NULL;

                set_up_kernels(s);
                start = boot_files();
                must(s, APPLY);
                assert_chosen(s);
                chosen = boot_files();
                assert_int_equal(perform(s, APPLY, NULL), 1);
                must(s, REVERT);
                assert_files(s, "reverted", start);
                assert_null(variable("LoaderEntryDefault"));

                /* Parameters stay when the kernel is no longer wanted, and the other way round. */
                wanted_kernel = "";
                must(s, APPLY);
                parameters_only = boot_files();
                wanted_kernel = "6.1";
                must(s, APPLY);
                assert_files(s, "a kernel besides", chosen);
                wanted_kernel = "";
                must(s, APPLY);
                assert_files(s, "no kernel any more", parameters_only);
                tree_free(t);
        }
}

static void is_tried_first(void **state) {
        (void) state;
        for (size_t i = 0; i < 2; i++) {
                const struct scenario *s = scenario(names[i]);
                _cleanup_free_ char *start = NULL, *chosen = NULL, *text = NULL;

                set_up_kernels(s);
                must(s, APPLY);
                chosen = boot_files();
                tree_free(t);

                set_up_kernels(s);
                start = boot_files();
                must(s, TRIAL);
                if (is_grub(s)) {
                        assert_int_equal(root_read(root, "/etc/grub.d/06_passthru", 4096, &text, NULL), 0);
                        assert_non_null(strstr(text, "    set passthru_args=\"${passthru_next}\"\n    set default='" CHOSEN "'\n"));
                } else {
                        assert_int_equal(root_read(root, ENTRIES "/0-passthru-trial.conf", 4096, &text, NULL), 0);
                        assert_non_null(strstr(text, "version 6.1\n"));
                        assert_null(variable("LoaderEntryDefault"));
                }
                restart(s, TRIED);
                must(s, CONFIRM);
                assert_files(s, "confirmed", chosen);
                assert_chosen(s);
                must(s, REVERT);
                assert_files(s, "reverted", start);

                tree_file(t, "/proc/sys/kernel/random/boot_id", "aaaaaaaa-0000-4000-8000-000000000000\n");
                must(s, TRIAL);
                restart(s, "root=/dev/sda1 quiet");
                must(s, GIVE_UP);
                assert_files(s, "given up", start);
                tree_free(t);
        }
}

static void a_default_that_was_set_before_comes_back(void **state) {
        const struct scenario *s = scenario("systemd-boot");

        (void) state;
        set_up_kernels(s);
        assert_int_equal(efi_loader_set(root, "LoaderEntryDefault", "windows.conf"), 0);
        must(s, APPLY);
        assert_string_equal(variable("LoaderEntryDefault"), "a-6.1.conf");
        wanted_kernel = "6.5";
        must(s, APPLY);
        must(s, REVERT);
        assert_string_equal(variable("LoaderEntryDefault"), "windows.conf");
        /* Somebody's choice after ours stays. */
        wanted_kernel = "6.1";
        must(s, APPLY);
        assert_int_equal(efi_loader_set(root, "LoaderEntryDefault", "b.conf"), 0);
        must(s, REVERT);
        assert_string_equal(variable("LoaderEntryDefault"), "b.conf");
        tree_free(t);
}

static void survives_kills(void **state) {
        unsigned kills = 0;

        (void) state;
        for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
                const struct scenario *s = scenario(names[i / 2]);
                bool revert = i % 2;
                _cleanup_free_ char *start = NULL, *chosen = NULL;

                set_up_kernels(s);
                start = boot_files();
                must(s, APPLY);
                chosen = boot_files();
                tree_free(t);
                for (unsigned at = 1;; at++) {
                        struct err e = {};
                        int status;
                        pid_t pid;

                        set_up_kernels(s);
                        if (revert)
                                must(s, APPLY);
                        pid = fork();
                        assert_true(pid >= 0);
                        if (pid == 0)
                                _exit(perform_with(s, revert ? REVERT : APPLY, FAULT_KILL, at, 0, NULL) < 0);
                        assert_int_equal(waitpid(pid, &status, 0), pid);
                        if (WIFEXITED(status)) {
                                assert_int_equal(WEXITSTATUS(status), 0);
                                tree_free(t);
                                break;
                        }
                        kills++;
                        if (perform(s, at % 2 ? APPLY : REVERT, &e) < 0)
                                fail_msg("%s, after step %u: %s", s->name, at, e.message);
                        assert_files(s, "after a kill", at % 2 ? chosen : start);
                        if (at % 2)
                                assert_chosen(s);
                        else
                                assert_null(variable("LoaderEntryDefault"));
                        tree_free(t);
                }
        }
        printf("# %u kills while a kernel was chosen or given back\n", kills);
        assert_true(kills > 50);
}

static void expect_refusal(const char *name, enum what what, int r, const char *text) {
        _cleanup_free_ char *start = boot_files();
        struct err e = {};
        int found = perform(scenario(name), what, &e);

        if (found != r || !strstr(e.message, text))
                fail_msg("%s: %d %s", name, found, e.message);
        assert_files(scenario(name), "after a refusal", start);
        tree_free(t);
}

static void refuses_what_is_not_there(void **state) {
        static const char *const others[] = { "GRUB without drop-ins", "Fedora", "rEFInd", "sdbootutil", "Proxmox", "ostree" };

        (void) state;
        wanted_kernel = "6.1";
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                set_up(scenario(others[i]));
                expect_refusal(others[i], APPLY, -EOPNOTSUPP, "no way is known to choose a kernel with");
        }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                static const char *const texts[] = { "grub.cfg has no entry for that version",
                                                     "no entry in /boot/efi/loader/entries is for that version",
                                                     "must both exist" };

                set_up_kernels(scenario(names[i]));
                wanted_kernel = "6";
                expect_refusal(names[i], APPLY, -ENOENT, texts[i]);
        }
        set_up_kernels(scenario("kernelstub"));
        expect_refusal("kernelstub", TRIAL, -EOPNOTSUPP, "another kernel cannot be tried");
        set_up(scenario("systemd-boot"));
        tree_file(t, ENTRIES "/a-6.1.conf", "title A\nversion 6.1\nlinux /a\noptions root=/dev/sda1 quiet\n");
        expect_refusal("systemd-boot", APPLY, -EOPNOTSUPP, "no EFI variable says that systemd-boot started this machine");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_chosen_and_given_back),
                cmocka_unit_test(is_tried_first),
                cmocka_unit_test(a_default_that_was_set_before_comes_back),
                cmocka_unit_test(survives_kills),
                cmocka_unit_test(refuses_what_is_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
