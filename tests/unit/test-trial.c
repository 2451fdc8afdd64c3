/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Trial boots: only the next boot gets the line, every way out leads to the old or the new one, and whatever cannot fall
 * back by itself is refused. */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/grubenv.h"
#include "boot/trial.h"
#include "sys/efivar.h"
#include "unit/apply-host.h"

#define SCRIPT "/etc/grub.d/06_passthru"
#define TRIED "root=/dev/sda1 quiet intel_iommu=on iommu=pt hugepagesz=1G hugepages=4 panic=10 passthru.trial=aaaaaaaa"

static const char *const names[] = { "GRUB", "systemd-boot", "systemd-boot with VFAT and /etc/kernel/cmdline", "kernelstub",
                                      "unified images" };

static enum trial_state find(void) {
        _cleanup_ledger_ struct ledger ledger = {};
        enum trial_state state;
        struct err e = {};

        assert_int_equal(ledger_load(root, &ledger, &e), 0);
        assert_int_equal(trial_find(root, &ledger, &state, &e), 0);
        return state;
}

static char *applied_files(const struct scenario *s) {
        char *text;

        set_up_booted(s);
        must(s, APPLY);
        text = boot_files();
        tree_free(t);
        return text;
}

static void all_ways_end_in_the_old_or_the_new_line(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct scenario *s = scenario(names[i]);
                _cleanup_free_ char *applied = applied_files(s), *start = NULL;

                set_up_booted(s);
                start = boot_files();
                assert_int_equal(find(), TRIAL_NONE);
                must(s, TRIAL);
                assert_int_equal(find(), TRIAL_WAITS);
                assert_int_equal(perform(s, TRIAL, NULL), 1);
                must(s, REVERT);
                assert_files(s, "revert before the restart", start);
                assert_int_equal(find(), TRIAL_NONE);

                must(s, TRIAL);
                restart(s, TRIED);
                assert_int_equal(find(), TRIAL_RUNS);
                must(s, CONFIRM);
                assert_files(s, "confirmed", applied);
                assert_int_equal(find(), TRIAL_NONE);
                must(s, REVERT);
                assert_files(s, "revert", start);

                tree_file(t, "/proc/sys/kernel/random/boot_id", "aaaaaaaa-0000-4000-8000-000000000000\n");
                must(s, TRIAL);
                restart(s, "root=/dev/sda1 quiet");
                assert_int_equal(find(), TRIAL_MISSED);
                must(s, GIVE_UP);
                assert_files(s, "given up", start);
                assert_int_equal(find(), TRIAL_GIVEN_UP);
                /* And once more, for all boots. */
                must(s, APPLY);
                assert_files(s, "applied after that", applied);
                assert_int_equal(find(), TRIAL_NONE);
                tree_free(t);
        }
}

/* The other boots' lines are not touched: every file that was there has the same text. */
static void other_boots_keep_their_line(void **state) {
        (void) state;
        for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
                const struct scenario *s = scenario(names[i]);
                char *before, *now, *save;

                set_up_booted(s);
                before = boot_files();
                must(s, TRIAL);
                now = boot_files();
                for (char *line = strtok_r(before, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                        if (!strstr(now, line))
                                fail_msg("%s: %s", s->name, line);
                free(before);
                free(now);
                tree_free(t);
        }
}

static void systemd_boot_gets_an_entry(void **state) {
        _cleanup_free_ char *text = NULL;
        char one_shot[64];

        (void) state;
        set_up_booted(scenario("systemd-boot"));
        tree_file(t, ENTRIES "/a-6.1.conf", "title A\nsort-key a\nlinux /a\noptions root=/dev/sda1 quiet\ninitrd /i\n");
        must(scenario("systemd-boot"), TRIAL);
        assert_int_equal(root_read(root, ENTRIES "/0-passthru-trial.conf", 4096, &text, NULL), 0);
        assert_string_equal(text, "title A (trial of passthru)\nlinux /a\ninitrd /i\noptions " TRIED "\n");
        assert_int_equal(efi_loader_text(root, "LoaderEntryOneShot", one_shot, sizeof(one_shot)), 0);
        assert_string_equal(one_shot, "0-passthru-trial.conf");
        tree_free(t);
}

static void grub_gets_a_guarded_variable(void **state) {
        _cleanup_free_ char *env = NULL, *drop_in = NULL, *script = NULL, *config = NULL;
        const char *value;
        struct stat st;
        size_t length;
        int fd;

        (void) state;
        set_up_booted(scenario("GRUB"));
        must(scenario("GRUB"), TRIAL);
        assert_int_equal(grubenv_load(root, GRUBENV, &env, NULL), 0);
        value = grubenv_get(env, "passthru_trial", &length);
        assert_non_null(value);
        assert_int_equal(length, strlen(strstr(TRIED, "intel_iommu")));
        assert_memory_equal(value, strstr(TRIED, "intel_iommu"), length);
        assert_int_equal(root_read(root, DROP_IN, 4096, &drop_in, NULL), 0);
        assert_non_null(strstr(drop_in, "\nGRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT \\$passthru_args\"\n"));
        assert_int_equal(root_read(root, SCRIPT, 4096, &script, NULL), 0);
        assert_non_null(strstr(script, "set passthru_args=''\n"));
        /* Deleted from the disk before it is used. */
        assert_true(strstr(script, "if save_env passthru_trial") < strstr(script, "set passthru_args=\"${passthru_next}\""));
        fd = root_open(root, SCRIPT, 0, 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
        close(fd);
        assert_int_equal(root_read(root, "/boot/grub/grub.cfg", 4096, &config, NULL), 0);
        assert_non_null(strstr(config, " quiet $passthru_args\n"));
        tree_free(t);
}

/* What is ours already and wanted no more is left out of the next boot only. */
static void tries_a_change_of_what_is_ours(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct scenario *s = scenario(names[i]);
                static const char *const old[] = { "iommu=pt", "intel_iommu=off" };
                _cleanup_free_ char *applied = applied_files(s), *first = NULL;
                struct apply apply = { .root = root, .run_commands = true };
                struct ledger nothing = {};
                struct boot_edit edit = { old, 2, &nothing, {}, "" };
                _cleanup_plan_ struct plan plan = {};

                set_up_booted(s);
                if (str_eq(s->loader, "uki")) { /* the stub puts the whole addon behind any line */
                        tree_free(t);
                        continue;
                }
                apply.root = root;
                assert_int_equal(loader_find(root, s->loader, &apply.loader, NULL), 0);
                assert_int_equal(loader_plan(apply.loader, root, &edit, &plan, NULL), 0);
                assert_int_equal(plan_apply(&apply, &plan, &edit, NULL), 0);
                ledger_done(&edit.after);
                first = boot_files();
                must(s, TRIAL);
                if (is_grub(s)) {
                        _cleanup_free_ char *script = NULL;

                        assert_int_equal(root_read(root, SCRIPT, 4096, &script, NULL), 0);
                        assert_non_null(strstr(script, "set passthru_args='intel_iommu=off'\n"));
                } else {
                        _cleanup_free_ char *now = boot_files();

                        assert_null(strstr(strstr(now, "0-passthru-trial.conf: "), "intel_iommu=off intel_iommu=on"));
                }
                restart(s, "root=/dev/sda1 quiet iommu=pt intel_iommu=off");
                must(s, GIVE_UP);
                assert_files(s, "given up", first);

                tree_file(t, "/proc/sys/kernel/random/boot_id", "aaaaaaaa-0000-4000-8000-000000000000\n");
                must(s, TRIAL);
                restart(s, TRIED);
                must(s, CONFIRM);
                /* The order may be another one: iommu=pt was there first. */
                must(s, REVERT);
                must(s, APPLY);
                assert_files(s, "confirmed, reverted and applied", applied);
                tree_free(t);
        }
}

/* Faults */

static void again_after_a_kill(const struct scenario *s, enum what what, unsigned at, const char *start,
                               const char *applied) {
        enum trial_state state;
        struct err e = {};

        /* Again, or the way back; what a restart would find is whole in both cases. */
        if (at % 2 && what == TRIAL) {
                if (perform(s, TRIAL, &e) < 0)
                        fail_msg("%s, again after step %u: %s", s->name, at, e.message);
                assert_int_equal(find(), TRIAL_WAITS);
                assert_int_equal(perform(s, TRIAL, NULL), 1);
        }
        if (at % 4 < 2) {
                if (perform(s, REVERT, &e) < 0)
                        fail_msg("%s, revert after step %u: %s", s->name, at, e.message);
                assert_files(s, "revert after a kill", start);
        } else {
                if (perform(s, APPLY, &e) < 0)
                        fail_msg("%s, apply after step %u: %s", s->name, at, e.message);
                assert_files(s, "apply after a kill", applied);
        }
        /* Given up just before it was killed, with nothing left to take back: the reason stays. */
        state = find();
        assert_true(state == TRIAL_NONE || (what == GIVE_UP && state == TRIAL_GIVEN_UP));
}

static void before(const struct scenario *s, enum what what) {
        set_up_booted(s);
        if (what == TRIAL)
                return;
        must(s, TRIAL);
        restart(s, what == CONFIRM ? TRIED : "root=/dev/sda1 quiet");
}

static void survives_kills(void **state) {
        static const enum what all[] = { TRIAL, CONFIRM, GIVE_UP };
        unsigned kills = 0;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names) * ARRAY_SIZE(all); i++) {
                const struct scenario *s = scenario(names[i / ARRAY_SIZE(all)]);
                enum what what = all[i % ARRAY_SIZE(all)];
                _cleanup_free_ char *applied = applied_files(s), *start = NULL;

                set_up_booted(s);
                start = boot_files();
                tree_free(t);
                for (unsigned at = 1;; at++) {
                        int status;
                        pid_t pid;

                        before(s, what);
                        pid = fork();
                        assert_true(pid >= 0);
                        if (pid == 0)
                                _exit(perform_with(s, what, FAULT_KILL, at, 0, NULL) < 0);
                        assert_int_equal(waitpid(pid, &status, 0), pid);
                        if (WIFEXITED(status)) {
                                assert_int_equal(WEXITSTATUS(status), 0);
                                tree_free(t);
                                break;
                        }
                        assert_int_equal(WTERMSIG(status), SIGKILL);
                        kills++;
                        again_after_a_kill(s, what, at, start, applied);
                        tree_free(t);
                }
        }
        printf("# %u kills in trials, their confirmation and their end\n", kills);
        assert_true(kills > 100);
}

static void undoes_what_fails(void **state) {
        unsigned faults = 0;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct scenario *s = scenario(names[i]);

                for (unsigned at = 1;; at++) {
                        _cleanup_free_ char *start = NULL;
                        struct err e = {};
                        int r;

                        set_up_booted(s);
                        start = boot_files();
                        r = perform_with(s, TRIAL, FAULT_ONCE, at, ENOSPC, &e);
                        if (fault.steps < at) {
                                assert_int_equal(r, 0);
                                tree_free(t);
                                break;
                        }
                        faults++;
                        if (r < 0) {
                                char one_shot[64];

                                assert_files(s, e.message, start);
                                assert_int_equal(find(), TRIAL_NONE);
                                assert_int_equal(efi_loader_text(root, "LoaderEntryOneShot", one_shot,
                                                                 sizeof(one_shot)), -ENOENT);
                        }
                        if (perform(s, TRIAL, &e) < 0)
                                fail_msg("%s, again after step %u: %s", s->name, at, e.message);
                        tree_free(t);
                }
        }
        printf("# %u failed steps of trials, each undone\n", faults);
        assert_true(faults > 50);
}

/* Refusals */

/* A variable of five bytes that are no text. */
static void put_secure_boot(void) {
        static const char path[] = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
        int fd;

        tree_file(t, path, "");
        fd = root_open(root, path, O_WRONLY, 0);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "\x06\0\0\0\x01", 5), 5);
        close(fd);
}

static void expect_refusal(const char *name, int r, const char *text) {
        _cleanup_free_ char *start = boot_files();
        struct err e = {};
        int found = perform(scenario(name), TRIAL, &e);

        if (found != r || !strstr(e.message, text))
                fail_msg("%s: %d %s", name, found, e.message);
        assert_files(scenario(name), "after a refusal", start);
        tree_free(t);
}

static void refuses_what_cannot_fall_back(void **state) {
        static const char *const others[] = { "GRUB without drop-ins", "Fedora", "RHEL 8", "rEFInd", "sdbootutil", "Proxmox",
                                              "ostree" };
        _cleanup_free_ char *full = NULL;
        char long_value[1000];
        struct stat st;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                set_up(scenario(others[i]));
                expect_refusal(others[i], -EOPNOTSUPP, "'passthru boot apply --no-trial'");
        }

        set_up(scenario("systemd-boot"));
        expect_refusal("systemd-boot", -EOPNOTSUPP, "no EFI variable says that systemd-boot started this machine");
        set_up_booted(scenario("kernelstub"));
        assert_int_equal(efi_loader_set(root, "LoaderInfo", "GRUB 2.12"), 0);
        expect_refusal("kernelstub", -EOPNOTSUPP, "GRUB 2.12 started this machine");
        set_up_booted(scenario("systemd-boot"));
        assert_int_equal(efi_loader_set(root, "LoaderEntrySelected", "windows.conf"), 0);
        tree_file(t, "/proc/sys/kernel/osrelease", "5.10\n");
        expect_refusal("systemd-boot", -ENOENT, "has the kernel that runs (5.10)");
        set_up_booted(scenario("systemd-boot"));
        tree_file(t, ENTRIES "/0-passthru-trial.conf", "title Mine\nlinux /a\noptions root=1\n");
        expect_refusal("systemd-boot", -EEXIST, "the ledger does not say that it is ours");

        set_up_booted(scenario("unified images"));
        put_secure_boot();
        expect_refusal("unified images", -EOPNOTSUPP, "under Secure Boot an image takes no line but its own");
        set_up_booted(scenario("unified images"));
        assert_int_equal(efi_loader_set(root, "LoaderEntrySelected", "windows.efi"), 0);
        expect_refusal("unified images", -ENOENT, "is the one that was booted");

        set_up(scenario("GRUB"));
        tree_file(t, SCRIPT, "#!/bin/sh\n");
        expect_refusal("GRUB", -EEXIST, "06_passthru exists, and the ledger does not say that it is ours");
        set_up(scenario("GRUB"));
        tree_file(t, GRUBENV, "saved_entry=0\n");
        expect_refusal("GRUB", -EBADMSG, "make it anew with 'grub-editenv");
        set_up(scenario("GRUB"));
        memset(long_value, 'x', sizeof(long_value) - 1);
        long_value[930] = '\0';
        assert_int_equal(grubenv_set(NULL, "saved", long_value, &full), 0);
        tree_file(t, GRUBENV, full);
        expect_refusal("GRUB", -ENOSPC, "takes 1024 bytes, too few");

        set_up(scenario("GRUB"));
        fault.file_system = BTRFS_SUPER_MAGIC;
        expect_refusal("GRUB", -EOPNOTSUPP, "a file system that GRUB only reads");
        for (int i = 0; i < 2; i++) {
                _cleanup_free_ char *outside = NULL;
                char path[64];

                set_up(scenario("GRUB"));
                outside = root_join(root, "/boot/grub");
                assert_int_equal(stat(outside, &st), 0);
                assert_int_equal(str_format(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(st.st_dev),
                                            minor(st.st_dev), i ? "md" : "dm"), 0);
                tree_dir(t, path);
                expect_refusal("GRUB", -EOPNOTSUPP, i ? "RAID, which GRUB only reads" : "LVM or encryption");
        }
}

/* The verdict */

static void judges(void **state) {
        static const struct {
                const char *line, *failing;
                bool groups;
                const char *why; /* NULL: it did well */
        } cases[] = {
                { TRIED, "", true, NULL },
                { TRIED, "hook-installed", true, NULL },
                { TRIED, "hook-installed state", true, "the check state fails" },
                { TRIED, "hook", true, "the check hook fails" },
                { TRIED, "", false, "no IOMMU groups" },
                { "root=/dev/sda1 iommu=pt hugepagesz=1G hugepages=4", "", true, "came without intel_iommu=on" },
                { TRIED " iommu=off", "", true, "came without iommu=pt" },
        };
        struct trial *trial;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char why[256] = "";

                set_up(scenario("GRUB"));
                assert_int_equal(trial_new(root, parameters, N_PARAMETERS, "", &trial, NULL), 0);
                assert_int_equal(str_copy(trial->findings, sizeof(trial->findings), "hook-installed"), 0);
                tree_filef(t, "/proc/cmdline", "%s\n", cases[i].line);
                tree_dir(t, cases[i].groups ? "/sys/kernel/iommu_groups/0" : "/sys/kernel/iommu_groups");
                if (trial_judge(root, trial, TRIAL_RUNS, cases[i].failing, why, sizeof(why)) != !cases[i].why ||
                    (cases[i].why && !strstr(why, cases[i].why)))
                        fail_msg("%zu: %s", i, why);
                assert_false(trial_judge(root, trial, TRIAL_MISSED, "", why, sizeof(why)));
                assert_non_null(strstr(why, "did not come up"));
                free(trial);
                tree_free(t);
        }
}

static void knows_the_boot(void **state) {
        struct trial *trial = NULL;
        struct err e = {};

        (void) state;
        set_up(scenario("GRUB"));
        tree_file(t, "/proc/sys/kernel/random/boot_id", "nonsense\n");
        assert_int_equal(trial_new(root, parameters, N_PARAMETERS, "", &trial, &e), -EBADMSG);
        assert_non_null(strstr(e.message, "boot_id cannot be read"));
        tree_remove(t, "/proc/sys/kernel/random");
        assert_int_equal(trial_new(root, parameters, N_PARAMETERS, "", &trial, &e), -ENOENT);
        assert_null(trial);
        tree_free(t);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_ways_end_in_the_old_or_the_new_line),
                cmocka_unit_test(other_boots_keep_their_line),
                cmocka_unit_test(systemd_boot_gets_an_entry),
                cmocka_unit_test(grub_gets_a_guarded_variable),
                cmocka_unit_test(tries_a_change_of_what_is_ours),
                cmocka_unit_test(survives_kills),
                cmocka_unit_test(undoes_what_fails),
                cmocka_unit_test(refuses_what_cannot_fall_back),
                cmocka_unit_test(judges),
                cmocka_unit_test(knows_the_boot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
