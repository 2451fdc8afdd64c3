/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/str.h"

#define SUFFIX ".passthru-new"

static int write_new(int folder, const char *name, const char *text, const struct stat *old, mode_t mode) {
        _cleanup_close_ int fd = -1;
        size_t size = strlen(text);

        fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        text += n;
                        size -= (size_t) n;
                }
        }
        /* VFAT has neither modes nor owners and says EPERM for those that its mount options don't give. */
        if (old && fchown(fd, old->st_uid, old->st_gid) < 0 && errno != EPERM)
                return -errno;
        if (fchmod(fd, old ? old->st_mode & 07777 : mode) < 0 && errno != EPERM)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

static bool is_vfat(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) >= 0 && fs.f_type == MSDOS_SUPER_MAGIC;
}

/* On VFAT a rename over a file first frees the old one's clusters on disk. Exchanged, both names exist at any time, and the
 * old content goes only after the new one is safely there (measured: DESIGN, "Rules of the code"). */
static int exchange(int folder, const char *fresh, const char *name) {
        _cleanup_close_ int fd = -1;

        if (renameat2(folder, fresh, folder, name, RENAME_EXCHANGE) < 0)
                return -errno;
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0 || syncfs(folder) < 0)
                return -errno;
        return unlinkat(folder, fresh, 0) < 0 ? -errno : 0;
}

/* Also a file system with a journal is synced as a whole: GRUB does not replay one. */
static int commit(int folder, const char *fresh, const char *name, bool exists) {
        int r;

        if (exists && is_vfat(folder)) {
                r = exchange(folder, fresh, name);
                if (r < 0)
                        return r;
        } else if (renameat(folder, fresh, folder, name) < 0)
                return -errno;
        return fsync(folder) < 0 || syncfs(folder) < 0 ? -errno : 0;
}

/* The folder and the name of the file itself, links resolved inside the root. */
static int find_folder(const struct root *root, const char *path, char name[static NAME_MAX + 1]) {
        char current[PATH_MAX], target[PATH_MAX];
        int r, fd;

        r = str_copy(current, sizeof(current), path);
        for (int depth = 0; r >= 0; depth++) {
                char *slash = strrchr(current, '/');

                if (depth == 16)
                        return -ELOOP;
                if (!slash || !slash[1])
                        return -EINVAL;
                r = root_read_link(root, target, sizeof(target), "%s", current);
                if (r < 0) { /* no link, or nothing there */
                        r = str_copy(name, NAME_MAX + 1, slash + 1);
                        if (r < 0)
                                return r;
                        *slash = '\0';
                        fd = root_open(root, *current ? current : "/", O_RDONLY | O_DIRECTORY, 0);
                        return fd;
                }
                if (*target == '/')
                        r = str_copy(current, sizeof(current), target);
                else
                        r = str_copy(slash + 1, sizeof(current) - (size_t) (slash + 1 - current), target);
        }
        return r;
}

int boot_file_replace(const struct root *root, const char *path, const char *text, mode_t mode) {
        _cleanup_close_ int folder = -1;
        char name[NAME_MAX + 1], fresh[NAME_MAX + 1];
        struct stat old;
        bool exists;
        int r;

        folder = find_folder(root, path, name);
        if (folder < 0)
                return folder;
        exists = fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) >= 0;
        if (exists && !S_ISREG(old.st_mode))
                return -EINVAL;
        if (!text) {
                if (exists && unlinkat(folder, name, 0) < 0)
                        return -errno;
                return fsync(folder) < 0 || syncfs(folder) < 0 ? -errno : 0;
        }

        r = str_format(fresh, sizeof(fresh), "%s" SUFFIX, name);
        if (r < 0)
                return r;
        if (unlinkat(folder, fresh, 0) < 0 && errno != ENOENT)
                return -errno;
        r = write_new(folder, fresh, text, exists ? &old : NULL, mode);
        if (r >= 0)
                r = commit(folder, fresh, name, exists);
        if (r < 0)
                (void) unlinkat(folder, fresh, 0);
        return r;
}
