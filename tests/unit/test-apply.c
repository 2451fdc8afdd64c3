/* SPDX-License-Identifier: GPL-2.0-or-later */

/* apply and revert are killed at every step that changes something, and every such step fails in turn: afterwards each file
 * is the old or the new one, and doing it again finishes it; after an error everything is as it was. */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/command.h"
#include "base/str.h"
#include "boot/apply.h"
#include "fake/loaders.h"

/* Faults, put in the place of the C library's functions by --wrap */

enum fault { FAULT_NONE, FAULT_KILL, FAULT_ONCE, FAULT_FROM_HERE };

static struct {
        enum fault fault;
        unsigned at, steps;
        int error;
        bool vfat, armed;
} fault;

static bool step(void) {
        if (!fault.armed)
                return false;
        fault.steps++;
        if (fault.steps == fault.at && fault.fault == FAULT_KILL)
                kill(getpid(), SIGKILL);
        if ((fault.steps == fault.at && fault.fault == FAULT_ONCE) ||
            (fault.steps >= fault.at && fault.fault == FAULT_FROM_HERE)) {
                errno = fault.error;
                return true;
        }
        return false;
}

#define WRAP(name, parameters, arguments)              \
        int __real_##name parameters;                  \
        int __wrap_##name parameters;                  \
        int __wrap_##name parameters {                 \
                return step() ? -1 : __real_##name arguments; \
        }

WRAP(renameat, (int d1, const char *p1, int d2, const char *p2), (d1, p1, d2, p2))
WRAP(renameat2, (int d1, const char *p1, int d2, const char *p2, unsigned flags), (d1, p1, d2, p2, flags))
WRAP(unlinkat, (int d, const char *p, int flags), (d, p, flags))
WRAP(mkdirat, (int d, const char *p, mode_t mode), (d, p, mode))
WRAP(fchmod, (int fd, mode_t mode), (fd, mode))

ssize_t __real_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size) {
        /* A file can also be cut in the middle. */
        if (fault.armed && size > 1 && fault.fault == FAULT_KILL && fault.steps + 1 == fault.at)
                (void) !__real_write(fd, buf, size / 2);
        return step() ? -1 : __real_write(fd, buf, size);
}

/* What a disk would take its time for is not needed: a kill loses nothing. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
        (void) fd;
        return step() ? -1 : 0;
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd) {
        return __wrap_fsync(fd);
}

int __real_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs) {
        int r = __real_fstatfs(fd, fs);

        if (fault.vfat)
                fs->f_type = MSDOS_SUPER_MAGIC;
        return r;
}

/* The host */

static struct tree *t;
static const struct root *root;

#define ENTRIES "/boot/efi/loader/entries"
#define DROP_IN "/etc/default/grub.d/passthru.cfg"

/* update-grub: not atomic, as the real one (cat new > grub.cfg). */
static void update_grub(struct tree *tree, char *const *argv) {
        _cleanup_free_ char *text = NULL;
        const char *ours = "";
        bool armed = fault.armed;

        (void) argv;
        if (root_read(root, DROP_IN, 4096, &text, NULL) >= 0) {
                ours = strstr(text, "DEFAULT ");
                ours = ours ? ours + strlen("DEFAULT ") : "";
                text[strcspn(text, "\n") + 1 + strcspn(strchr(text, '\n') + 1, "\n") - 1] = '\0';
        }
        fault.armed = false;
        tree_file(tree, "/boot/grub/grub.cfg", "cut");
        fault.armed = armed;
        (void) step();
        fault.armed = false;
        tree_filef(tree, "/boot/grub/grub.cfg",
                   "### BEGIN /etc/grub.d/10_linux ###\nmenuentry 'Debian' {\n linux /vmlinuz root=/dev/sda1 ro quiet %s\n}\n",
                   ours);
        fault.armed = armed;
}

/* A host with its loader. */
struct scenario {
        const char *name, *loader;
        void (*make)(struct tree *tree);
        bool vfat;
        const char *command; /* NULL: there is none */
        void (*run)(struct tree *tree, char *const *argv);
};
static const struct scenario *current;

int __wrap_command_run(const char *chroot_to, char *const *argv, char **ret_output);
int __wrap_command_run(const char *chroot_to, char *const *argv, char **ret_output) {
        bool armed = fault.armed;

        assert_non_null(chroot_to);
        assert_string_equal(argv[0], current->command);
        if (step()) {
                *ret_output = strdup("cannot find a device\nfor / \n");
                return 1;
        }
        fault.armed = armed && current->run == update_grub; /* that one can be cut off in between */
        current->run(t, argv);
        fault.armed = armed;
        return 0;
}

static void make_grub(struct tree *tree) {
        tree_file(tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
        tree_file(tree, "/usr/sbin/grub-mkconfig", "for x in ${sysconfdir}/default/grub.d/*.cfg\n");
        update_grub(tree, NULL);
}

static void make_systemd_boot(struct tree *tree) {
        tree_file(tree, "/boot/efi/EFI/systemd/systemd-bootx64.efi", "");
        tree_file(tree, ENTRIES "/a-6.1.conf", "title A\nlinux /a\noptions root=/dev/sda1 quiet\ninitrd /i\n");
        tree_file(tree, ENTRIES "/a-6.5+3-0.conf", "title A\r\nlinux /a\r\noptions root=/dev/sda1 iommu=pt \r\n");
        tree_file(tree, ENTRIES "/b.conf", "title B\nlinux /b");
        tree_file(tree, ENTRIES "/windows.conf", "title Windows\nefi /EFI/w.efi\n");
}

static void make_systemd_boot_and_cmdline(struct tree *tree) {
        make_systemd_boot(tree);
        tree_file(tree, "/etc/kernel/cmdline", "# mine\nroot=/dev/sda1 quiet");
}

static const struct scenario scenarios[] = {
        { "GRUB", "grub", make_grub, false, "update-grub", update_grub },
        { "systemd-boot", "systemd-boot", make_systemd_boot, false, NULL, NULL },
        { "systemd-boot with VFAT and /etc/kernel/cmdline", "systemd-boot", make_systemd_boot_and_cmdline, true, NULL, NULL },
        { "kernelstub", "kernelstub", make_kernelstub, true, "kernelstub", run_kernelstub },
        { "GRUB without drop-ins", "grub-file", make_grub_file, false, "grub2-mkconfig", run_grub_mkconfig },
        { "Fedora", "grub-bls", make_fedora, false, NULL, NULL },
        { "RHEL 8", "grub-bls", make_rhel_8, false, NULL, NULL },
        { "rEFInd", "refind", make_refind, true, NULL, NULL },
        { "sdbootutil", "sdbootutil", make_sdbootutil, false, "sdbootutil", run_sdbootutil },
        { "Proxmox", "proxmox", make_proxmox, false, "proxmox-boot-tool", run_proxmox },
        { "ostree", "ostree", make_ostree, false, "rpm-ostree", run_rpm_ostree },
};

static const char *const parameters[] = { "intel_iommu=on", "iommu=pt", "hugepagesz=1G hugepages=4" };

static void set_up(const struct scenario *s) {
        fault.armed = false;
        fault.vfat = s->vfat;
        current = s;
        t = tree_new();
        root = tree_root(t);
        tree_dir(t, "/var/lib");
        tree_dir(t, "/etc/kernel");
        tree_dir(t, "/etc/default");
        s->make(t);
}

/* All files but the ledger and its backups, with their content */

static FILE *snapshot_file;
static size_t snapshot_skip;

static int add_to_snapshot(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        const char *name = path + snapshot_skip;
        _cleanup_free_ char *text = NULL;

        (void) st, (void) ftw;
        if (type == FTW_F && !str_starts(name, "/var/lib/passthru")) {
                assert_int_equal(root_read(root, name, 1U << 20, &text, NULL), 0);
                fprintf(snapshot_file, "%s: %s\n", name, text);
        }
        return 0;
}

static char *snapshot(void) {
        _cleanup_free_ char *outside = root_join(root, "");
        char *text = NULL;
        size_t size;

        snapshot_file = open_memstream(&text, &size);
        snapshot_skip = strlen(outside);
        assert_int_equal(nftw(outside, add_to_snapshot, 16, FTW_PHYS), 0);
        fclose(snapshot_file);
        return text;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* nftw has no order: the lines of a snapshot in one. */
static char *sorted(char *text) {
        char *lines[256], *out = calloc(1, strlen(text) + 2), *save;
        size_t n = 0;

        for (char *s = strtok_r(text, "\n", &save); s && n < ARRAY_SIZE(lines); s = strtok_r(NULL, "\n", &save))
                lines[n++] = s;
        qsort(lines, n, sizeof(*lines), compare);
        for (size_t i = 0; i < n; i++) {
                strcat(out, lines[i]);
                strcat(out, "\n");
        }
        free(text);
        return out;
}

/* What the program does: 1 when there was nothing to do. */
static int perform(const struct scenario *s, bool revert, struct err *e) {
        _cleanup_ledger_ struct ledger before = {};
        struct boot_edit edit = { parameters, revert ? 0 : ARRAY_SIZE(parameters), &before, {} };
        struct apply apply = { .root = root, .run_commands = true };
        _cleanup_plan_ struct plan plan = {};
        int r;

        r = ledger_load(root, &before, e);
        if (r >= 0)
                r = loader_find(root, s->loader, &apply.loader, e);
        if (r >= 0)
                r = loader_plan(apply.loader, root, &edit, &plan, e);
        if (r >= 0 && plan_is_empty(&plan))
                r = 1;
        if (r == 0)
                r = plan_apply(&apply, &plan, &edit, e);
        ledger_done(&edit.after);
        return r;
}

static int perform_with(const struct scenario *s, bool revert, enum fault how, unsigned at, int error, struct err *e) {
        int r;

        fault.fault = how;
        fault.at = at;
        fault.error = error;
        fault.steps = 0;
        fault.armed = true;
        r = perform(s, revert, e);
        fault.armed = false;
        return r;
}

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
        states.start = sorted(snapshot());
        if (perform(s, false, &e) != 0)
                fail_msg("%s: %s", s->name, e.message);
        states.applied = sorted(snapshot());
        assert_int_equal(perform(s, false, &e), 1);
        tree_free(t);
        return states;
}

static void assert_state(const struct scenario *s, const char *what, unsigned at, const char *wanted) {
        _cleanup_free_ char *now = sorted(snapshot());

        if (!str_eq(now, wanted))
                fail_msg("%s, %s %u:\n%s\nwanted:\n%s", s->name, what, at, now, wanted);
}

/* Every line is one of the old or the new state: no file is half of either. Not for grub.cfg, which is update-grub's. */
static void assert_old_or_new(const struct scenario *s, unsigned at, const struct states *states) {
        char *now = sorted(snapshot()), *save;

        for (char *line = strtok_r(now, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (!strstr(states->start, line) && !strstr(states->applied, line) && !strstr(line, "passthru-new: ") &&
                    !str_starts(line, "/boot/grub/grub.cfg"))
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
        for (size_t i = 0; i < 4 * ARRAY_SIZE(scenarios); i++) {
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
        for (size_t i = 0; i < 2 * ARRAY_SIZE(scenarios) * ARRAY_SIZE(errors); i++) {
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
        for (size_t i = 0; i < 2 * ARRAY_SIZE(scenarios); i++) {
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

/* Errors before the first write */

static void expect_error(const struct scenario *s, int r, const char *text) {
        _cleanup_free_ char *before = sorted(snapshot());
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
        start = sorted(snapshot());
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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(survives_kills),
                cmocka_unit_test(undoes_what_fails),
                cmocka_unit_test(leaves_whole_files_when_all_fails),
                cmocka_unit_test(refuses_before_it_writes),
                cmocka_unit_test(goes_back_when_the_loader_ignores_it),
                cmocka_unit_test(notices_changes_of_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
