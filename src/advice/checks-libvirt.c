/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/checks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define HOOKS "/etc/libvirt/hooks"
#define HOOK HOOKS "/qemu.d/50-passthru"

int check_libvirt(const struct root *root, struct finding *f) {
        static const char *const daemons[] = { "/usr/sbin/virtqemud", "/usr/sbin/libvirtd" };

        for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
                if (root_exists(root, "%s", daemons[i]) > 0)
                        return finding_set(f, SEVERITY_OK, "", "%s", daemons[i]);
        return finding_set(f, SEVERITY_NOTE, "install libvirt-daemon-system, or use passthru-lease@.service",
                           "no libvirt daemon in /usr/sbin");
}

int check_hook_installed(const struct root *root, struct finding *f) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = root_open(root, HOOK, O_PATH, 0);
        if (fd < 0)
                return finding_set(f, SEVERITY_ERROR, "reinstall passthru: the hook is part of its package", HOOK ": %s",
                                   strerror(-fd));
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!(st.st_mode & 0111))
                return finding_set(f, SEVERITY_ERROR, "chmod 755 " HOOK, HOOK " is not executable");
        return finding_set(f, SEVERITY_OK, "", HOOK);
}

/* The process's start in clock ticks after boot: field 22 of /proc/PID/stat, behind the name in parentheses. */
static int start_ticks(const struct root *root, const char *pid, uint64_t *ret) {
        char stat[1024], *p, *save;

        if (root_read_attr(root, stat, sizeof(stat), "/proc/%s/stat", pid) < 0 || !(p = strrchr(stat, ')')))
                return -ESRCH;
        p = strtok_r(p + 1, " ", &save);
        for (int field = 3; p && field < 22; field++)
                p = strtok_r(NULL, " ", &save);
        return p ? str_to_u64(p, 10, UINT64_MAX, ret) : -ESRCH;
}

/* libvirt looks for hooks once, when its daemon starts: a folder that was made later is never read (tried with 9.0
 * and 11.3). The folder's birth says whether that is so; a hook that was added to it later is seen. */
int check_hook_seen(const struct root *root, struct finding *f) {
        _cleanup_strv_ char **pids = NULL;
        _cleanup_close_ int fd = -1;
        struct statx stx;
        struct timespec real, boot;
        int r;

        if (!root_is_live(root))
                return finding_set(f, SEVERITY_OK, "", "not a running host");
        fd = root_open(root, HOOK, O_PATH, 0);
        if (fd < 0)
                return finding_set(f, SEVERITY_OK, "", "no hook to be seen");
        if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) < 0 || !(stx.stx_mask & STATX_BTIME))
                return finding_set(f, SEVERITY_NOTE, "", "the file system does not tell when the hook was installed");
        (void) clock_gettime(CLOCK_REALTIME, &real);
        (void) clock_gettime(CLOCK_BOOTTIME, &boot);

        r = root_list(root, &pids, "/proc");
        if (r < 0)
                return r;
        for (char **p = pids; *p; p++) {
                char name[64];
                uint64_t ticks;
                int64_t started;

                if (**p < '0' || **p > '9' || root_read_attr(root, name, sizeof(name), "/proc/%s/comm", *p) < 0 ||
                    (!str_eq(name, "libvirtd") && !str_eq(name, "virtqemud")) || start_ticks(root, *p, &ticks) < 0)
                        continue;
                started = real.tv_sec - boot.tv_sec + (int64_t) (ticks / (uint64_t) sysconf(_SC_CLK_TCK));
                if (started < stx.stx_btime.tv_sec)
                        return finding_set(f, SEVERITY_WARNING, "systemctl restart libvirtd  (running domains go on)",
                                           "%s (pid %s) started before the hook was installed and may not see it", name,
                                           *p);
                return finding_set(f, SEVERITY_OK, "", "%s (pid %s) started after the hook was installed", name, *p);
        }
        return finding_set(f, SEVERITY_OK, "", "libvirt's daemon is not running; it will see the hook when it starts");
}

/* A script that cannot be read counts as harmless: only root can read all. */
static bool rebinds(const struct root *root, const char *path) {
        _cleanup_free_ char *text = NULL;

        if (root_read(root, path, 1U << 20, &text, NULL) < 0)
                return false;
        return strstr(text, "nodedev-detach") || strstr(text, "driver_override") || strstr(text, "/unbind");
}

static int rebinding(struct finding *f, const char *path) {
        char remedy[sizeof(f->remedy)];

        (void) str_format(remedy, sizeof(remedy), "remove the detach commands from %s", path);
        return finding_set(f, SEVERITY_WARNING, remedy, "%s rebinds devices too: both would work on the same devices",
                           path);
}

int check_hook_others(const struct root *root, struct finding *f) {
        /* Where the VFIO-Tools dispatcher, which is a hooks/qemu, looks for what to run. */
        static const char *const folders[] = { "prepare/begin", "release/end" };
        _cleanup_strv_ char **names = NULL;
        char path[PATH_MAX];
        int r;

        if (rebinds(root, HOOKS "/qemu"))
                return rebinding(f, HOOKS "/qemu");
        r = root_list(root, &names, HOOKS "/qemu.d");
        if (r < 0 && r != -ENOENT)
                return r;
        for (char **n = names; n && *n; n++) {
                if (str_format(path, sizeof(path), HOOKS "/qemu.d/%s", *n) >= 0 && rebinds(root, path))
                        return rebinding(f, path);
                for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                        _cleanup_strv_ char **scripts = NULL;

                        if (root_list(root, &scripts, HOOKS "/qemu.d/%s/%s", *n, folders[i]) < 0)
                                continue;
                        for (char **s = scripts; *s; s++)
                                if (str_format(path, sizeof(path), HOOKS "/qemu.d/%s/%s/%s", *n, folders[i], *s) >= 0 &&
                                    rebinds(root, path))
                                        return rebinding(f, path);
                }
        }
        if (root_exists(root, HOOKS "/qemu") > 0)
                return finding_set(f, SEVERITY_NOTE, "", HOOKS "/qemu exists and runs before passthru");
        return finding_set(f, SEVERITY_OK, "", "no other hook rebinds devices");
}
