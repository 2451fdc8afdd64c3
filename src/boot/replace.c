/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/replace.h"

#include <dirent.h>
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

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                text += n;
                size -= (size_t) n;
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

static int sync_file(int folder, const char *name) {
        _cleanup_close_ int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 || syncfs(folder) < 0 ? -errno : 0;
}

/* On VFAT a rename over a file first frees the old one's clusters on disk. Exchanged, both names exist at any time,
 * and the old content goes only after the new one is safely there (measured: DESIGN, "Rules of the code"). */
static int exchange(int folder, const char *fresh, const char *name) {
        int r;

        if (renameat2(folder, fresh, folder, name, RENAME_EXCHANGE) < 0)
                return -errno;
        r = sync_file(folder, name);
        if (r < 0)
                (void) renameat2(folder, fresh, folder, name, RENAME_EXCHANGE);
        return r;
}

/* Also a file system with a journal is synced as a whole: GRUB does not replay one. */
static int commit(int folder, const char *fresh, const char *name, bool exists) {
        int r = -EINVAL;

        if (exists && is_vfat(folder))
                r = exchange(folder, fresh, name);
        /* VFAT can exchange since Linux 6.0. */
        if (r == -EINVAL)
                r = renameat(folder, fresh, folder, name) < 0 ? -errno : 0;
        if (r < 0 || (unlinkat(folder, fresh, 0) < 0 && errno != ENOENT) || fsync(folder) < 0 || syncfs(folder) < 0)
                return r < 0 ? r : -errno;
        return 0;
}

int boot_file_folder(const struct root *root, const char *path, char name[static NAME_MAX + 1]) {
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

/* A folder that is missing is made, since loaders read some that packages don't bring (/etc/default/grub.d). */
static int make_folder(const struct root *root, const char *path) {
        char parent[PATH_MAX], *slash;
        _cleanup_close_ int fd = -1;
        int r;

        r = str_copy(parent, sizeof(parent), path);
        if (r < 0)
                return r;
        *strrchr(parent, '/') = '\0';
        slash = strrchr(parent, '/');
        if (!slash)
                return -ENOENT;
        *slash = '\0';
        fd = root_open(root, *parent ? parent : "/", O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;
        return mkdirat(fd, slash + 1, 0755) < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int remove_file(int folder, const char *name) {
        if (unlinkat(folder, name, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(folder) < 0 || syncfs(folder) < 0 ? -errno : 0;
}

int boot_folder_clean(const struct root *root, const char *path) {
        char name[NAME_MAX + 1];
        _cleanup_close_ int folder = boot_file_folder(root, path, name);
        DIR *dir;
        struct dirent *de;
        int r = 0;

        if (folder < 0)
                return folder == -ENOENT ? 0 : folder;
        dir = fdopendir(folder);
        if (!dir)
                return -errno;
        folder = -1;
        while (r >= 0 && (de = readdir(dir))) {
                size_t n = strlen(de->d_name);

                if (n > strlen(SUFFIX) && str_eq(de->d_name + n - strlen(SUFFIX), SUFFIX))
                        r = remove_file(dirfd(dir), de->d_name);
        }
        closedir(dir);
        return r;
}

void boot_folder_remove(const struct root *root, const char *path) {
        char name[NAME_MAX + 1];
        _cleanup_close_ int folder = boot_file_folder(root, path, name);

        if (folder >= 0)
                (void) unlinkat(folder, name, AT_REMOVEDIR);
}

int boot_file_replace(const struct root *root, const char *path, const char *text, mode_t mode) {
        _cleanup_close_ int folder = -1;
        char name[NAME_MAX + 1], fresh[NAME_MAX + 1];
        struct stat old;
        bool exists;
        int r;

        folder = boot_file_folder(root, path, name);
        if (folder == -ENOENT && text) {
                r = make_folder(root, path);
                if (r < 0)
                        return r;
                folder = boot_file_folder(root, path, name);
        }
        if (folder < 0)
                return folder;
        exists = fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) >= 0;
        if (exists && !S_ISREG(old.st_mode))
                return -EINVAL;
        r = str_format(fresh, sizeof(fresh), "%s" SUFFIX, name);
        if (r >= 0)
                r = remove_file(folder, fresh);
        if (r < 0)
                return r;
        if (!text)
                return remove_file(folder, name);

        r = write_new(folder, fresh, text, exists ? &old : NULL, mode);
        if (r >= 0)
                r = commit(folder, fresh, name, exists);
        if (r < 0)
                (void) unlinkat(folder, fresh, 0);
        return r;
}
