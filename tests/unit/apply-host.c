/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/apply-host.h"

#include <errno.h>
#include <ftw.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/command.h"
#include "base/str.h"
#include "boot/grubenv.h"
#include "boot/pe.h"
#include "boot/trial.h"
#include "fake/loaders.h"
#include "sys/efivar.h"

/* Faults, put in the place of the C library's functions by --wrap */


struct fault_plan fault;
const char *wanted_kernel = "";

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
WRAP(unlinkat, (int d, const char *p, int flags), (d, p, flags))
WRAP(mkdirat, (int d, const char *p, mode_t mode), (d, p, mode))
WRAP(fchmod, (int fd, mode_t mode), (fd, mode))

int __real_renameat2(int d1, const char *p1, int d2, const char *p2, unsigned flags);
int __wrap_renameat2(int d1, const char *p1, int d2, const char *p2, unsigned flags);
int __wrap_renameat2(int d1, const char *p1, int d2, const char *p2, unsigned flags) {
        if (fault.no_exchange) {
                errno = EINVAL;
                return -1;
        }
        return step() ? -1 : __real_renameat2(d1, p1, d2, p2, flags);
}

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

        fs->f_type = fault.file_system;
        return r;
}

/* The host */

struct tree *t;
const struct root *root;

/* update-grub: not atomic, as the real one (cat new > grub.cfg). */
static void update_grub(struct tree *tree, char *const *argv) {
        _cleanup_free_ char *text = NULL, *script = NULL;
        const char *ours = "", *guard = "", *chosen = "0";
        bool armed = fault.armed;

        (void) argv;
        if (root_read(root, DROP_IN, 4096, &text, NULL) >= 0) {
                char *variable = strstr(text, "\\$"), *kernel = strstr(text, "GRUB_DEFAULT='"),
                     *line = strstr(text, "DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT ");

                if (kernel) {
                        chosen = kernel + strlen("GRUB_DEFAULT='");
                        kernel[strlen("GRUB_DEFAULT='") + strcspn(chosen, "'")] = '\0';
                }
                if (line) {
                        ours = line + strlen("DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT ");
                        *strchr(ours, '"') = '\0';
                }
                if (variable) /* as sh does */
                        memmove(variable, variable + 1, strlen(variable));
        }
        if (root_read(root, "/etc/grub.d/06_passthru", 4096, &script, NULL) >= 0) {
                guard = strstr(script, "'EOF'\n") + strlen("'EOF'\n");
                *strstr(guard, "EOF\n") = '\0';
        }
        fault.armed = false;
        tree_file(tree, "/boot/grub/grub.cfg", "cut");
        fault.armed = armed;
        (void) step();
        fault.armed = false;
        tree_filef(tree, "/boot/grub/grub.cfg",
                   "load_env\nset default=\"%s\"\n%s### BEGIN /etc/grub.d/10_linux ###\n"
                   "menuentry 'Debian' $menuentry_id_option 'gnulinux-simple-U' {\n linux /vmlinuz root=/dev/sda1 ro quiet %s\n}\n"
                   "submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-U' {\n"
                   "menuentry 'Debian 6.1' $menuentry_id_option 'gnulinux-6.1-advanced-U' {\n linux /vmlinuz-6.1 root=/dev/sda1 ro quiet %s\n}\n}\n",
                   chosen, guard, ours, ours);
        fault.armed = armed;
}

/* What the fake writes goes through what is wrapped, too: only the moment in between is a step. */
static bool uki_armed;

static void cut_off(void) {
        fault.armed = uki_armed;
        (void) step();
        fault.armed = false;
}

static void run_uki(struct tree *tree, char *const *argv) {
        uki_armed = fault.armed;
        fault.armed = false;
        run_ukify(tree, argv, cut_off);
        fault.armed = uki_armed;
}

static const struct scenario *current;

int __wrap_command_run(const char *chroot_to, const char *language, char *const *argv, char **ret_output);
int __wrap_command_run(const char *chroot_to, const char *language, char *const *argv, char **ret_output) {
        bool armed = fault.armed;

        assert_non_null(chroot_to);
        assert_null(language); /* none of these hosts has set one */
        if (!str_eq(current->command, "ukify") || (!str_eq(argv[0], "mkdir") && !str_eq(argv[0], "rm")))
                assert_string_equal(argv[0], current->command);
        if (step()) {
                *ret_output = strdup("cannot find a device\nfor / \n");
                return 1;
        }
        fault.armed = armed && (current->run == update_grub || current->run == run_uki); /* can be cut off in between */
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

const struct scenario scenarios[] = {
        { "GRUB", "grub", make_grub, false, "update-grub", update_grub },
        { "systemd-boot", "systemd-boot", make_systemd_boot, false, NULL, NULL },
        { "systemd-boot with VFAT and /etc/kernel/cmdline", "systemd-boot", make_systemd_boot_and_cmdline, true, NULL, NULL },
        { "kernelstub", "kernelstub", make_kernelstub, false, "kernelstub", run_kernelstub },
        { "GRUB without drop-ins", "grub-file", make_grub_file, false, "grub2-mkconfig", run_grub_mkconfig },
        { "Fedora", "grub-bls", make_fedora, false, NULL, NULL },
        { "RHEL 8", "grub-bls", make_rhel_8, false, NULL, NULL },
        { "rEFInd", "refind", make_refind, false, NULL, NULL },
        { "sdbootutil", "sdbootutil", make_sdbootutil, false, "sdbootutil", run_sdbootutil },
        { "Proxmox", "proxmox", make_proxmox, false, "proxmox-boot-tool", run_proxmox },
        { "unified images", "uki", make_uki, false, "ukify", run_uki },
        { "ostree", "ostree", make_ostree, false, "rpm-ostree", run_rpm_ostree },
        {},
};

const char *const parameters[N_PARAMETERS] = { "intel_iommu=on", "iommu=pt", "hugepagesz=1G hugepages=4" };

void set_up(const struct scenario *s) {
        fault.armed = false;
        fault.file_system = EXT4_SUPER_MAGIC;
        fault.no_exchange = s->no_exchange;
        current = s;
        t = tree_new();
        root = tree_root(t);
        tree_dir(t, "/var/lib");
        tree_dir(t, "/etc/kernel");
        tree_dir(t, "/etc/default");
        tree_dir(t, "/etc/grub.d");
        tree_file(t, "/proc/sys/kernel/random/boot_id", "aaaaaaaa-0000-4000-8000-000000000000\n");
        tree_file(t, "/proc/sys/kernel/osrelease", "6.1\n");
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
                size_t n = strlen(name);

                /* Of an image only the line is text. */
                if (n > 4 && str_eq(name + n - 4, ".efi") && pe_section_text(root, name, ".cmdline", 4096, &text) >= 0)
                        ;
                else
                        assert_int_equal(root_read(root, name, 1U << 20, &text, NULL), 0);
                fprintf(snapshot_file, "%s: %s\n", name, text);
        }
        return 0;
}

static char *unsorted_snapshot(void) {
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
char *snapshot(void) {
        _cleanup_free_ char *text = unsorted_snapshot();
        char *lines[256], *out = calloc(1, strlen(text) + 2), *save;
        size_t n = 0;

        for (char *s = strtok_r(text, "\n", &save); s && n < ARRAY_SIZE(lines); s = strtok_r(NULL, "\n", &save))
                lines[n++] = s;
        qsort(lines, n, sizeof(*lines), compare);
        for (size_t i = 0; i < n; i++) {
                strcat(out, lines[i]);
                strcat(out, "\n");
        }
        return out;
}

int perform(const struct scenario *s, enum what what, struct err *e) {
        _cleanup_ledger_ struct ledger before = {};
        struct boot_edit edit = { parameters, what == REVERT ? 0 : N_PARAMETERS, &before, {}, what == REVERT ? "" : wanted_kernel };
        struct apply apply = { .root = root, .run_commands = true };
        _cleanup_plan_ struct plan plan = {};
        const char *ours[LEDGER_PARAMETERS_MAX];
        int r;

        r = ledger_load(root, &before, e);
        if (r >= 0)
                r = loader_find(root, s->loader, &apply.loader, e);
        if (r >= 0 && what == TRIAL)
                r = trial_new(root, parameters, N_PARAMETERS, wanted_kernel, &edit.after.trial, e);
        if (r >= 0 && what == GIVE_UP) {
                r = ledger_parameters(&before, ours, &edit.n_want);
                edit.want = ours;
                edit.kernel = before.kernel;
                assert_int_equal(ledger_set_trial(&edit.after, before.trial), 0);
                assert_int_equal(str_copy(edit.after.trial->failed, sizeof(edit.after.trial->failed), "why"), 0);
        }
        if (r >= 0)
                r = loader_plan(apply.loader, root, &edit, &plan, e);
        if (r >= 0 && plan_is_empty(&plan))
                r = 1;
        if (r == 0)
                r = plan_apply(&apply, &plan, &edit, e);
        ledger_done(&edit.after);
        return r;
}

int perform_with(const struct scenario *s, enum what what, enum fault how, unsigned at, int error, struct err *e) {
        int r;

        fault.fault = how;
        fault.at = at;
        fault.error = error;
        fault.steps = 0;
        fault.armed = true;
        r = perform(s, what, e);
        fault.armed = false;
        return r;
}

void assert_state(const struct scenario *s, const char *what, unsigned at, const char *wanted) {
        _cleanup_free_ char *now = snapshot();

        if (!str_eq(now, wanted))
                fail_msg("%s, %s %u:\n%s\nwanted:\n%s", s->name, what, at, now, wanted);
}

const struct scenario *scenario(const char *name) {
        for (const struct scenario *s = scenarios; s->name; s++)
                if (str_eq(s->name, name))
                        return s;
        fail_msg("no scenario %s", name);
        return NULL;
}

bool is_grub(const struct scenario *s) {
        return str_eq(s->loader, "grub");
}

/* A machine that its loader told about. */
void set_up_booted(const struct scenario *s) {
        set_up(s);
        if (is_grub(s))
                return;
        tree_dir(t, "/sys/firmware/efi/efivars");
        assert_int_equal(efi_loader_set(root, "LoaderInfo", "systemd-boot 252"), 0);
        assert_int_equal(efi_loader_set(root, "LoaderEntrySelected", str_eq(s->loader, "kernelstub") ? "Pop_OS-current.conf" :
                                                             str_eq(s->loader, "uki")        ? "debian-6.12.efi" :
                                                                                                    "a-6.1.conf"), 0);
}

/* What the firmware, the loader and the kernel do. */
void restart(const struct scenario *s, const char *line) {
        _cleanup_free_ char *env = NULL, *cleared = NULL;
        size_t length;

        tree_file(t, "/proc/sys/kernel/random/boot_id", "bbbbbbbb-0000-4000-8000-000000000000\n");
        tree_filef(t, "/proc/cmdline", "%s\n", line);
        if (!is_grub(s)) {
                assert_int_equal(efi_loader_set(root, "LoaderEntryOneShot", NULL), 0);
                return;
        }
        assert_int_equal(grubenv_load(root, GRUBENV, &env, NULL), 0);
        if (grubenv_get(env, "passthru_trial", &length)) {
                assert_int_equal(grubenv_set(env, "passthru_trial", NULL, &cleared), 0);
                tree_file(t, GRUBENV, cleared);
        }
}

void must(const struct scenario *s, enum what what) {
        struct err e = {};

        if (perform(s, what, &e) != 0)
                fail_msg("%s: %s", s->name, e.message);
}

/* Without the files that hold no line: the running system's, and grubenv, which GRUB clears itself. */
char *boot_files(void) {
        char *all = snapshot(), *out = calloc(1, strlen(all) + 1), *save;

        for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (!str_starts(line, "/proc/") && !str_starts(line, "/sys/"))
                        strcat(strcat(out, line), "\n");
        free(all);
        return out;
}

void assert_files(const struct scenario *s, const char *what, const char *wanted) {
        _cleanup_free_ char *now = boot_files();

        if (!str_eq(now, wanted))
                fail_msg("%s, %s:\n%s\nwanted:\n%s", s->name, what, now, wanted);
}
