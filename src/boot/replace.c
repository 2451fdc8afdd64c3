/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define SUFFIX ".passthru-new"

static int write_new(int folder, const char *name, const char *text, const struct stat *old, mode_t mode, int *ret) {
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
        *ret = TAKE_FD(fd);
        return 0;
}

/* All of the file system of a file is in its place and will stay there. syncfs() writes what a journal holds to its place
 * but does not make the disk flush it; fsync() does, though not of a folder: that only commits ext4's journal. */
static int settle(int file) {
        return syncfs(file) < 0 || fsync(file) < 0 ? -errno : 0;
}

static int exchange(int folder, int file, const char *fresh, const char *name) {
        int r;

        if (renameat2(folder, fresh, folder, name, RENAME_EXCHANGE) < 0)
                return -errno;
        r = settle(file);
        if (r < 0)
                (void) renameat2(folder, fresh, folder, name, RENAME_EXCHANGE);
        return r;
}

/* A rename over a file changes the folder and frees the old file, and a disk may do the second first: then the name has
 * an empty inode (ext4, for GRUB does not replay its journal) or clusters that are free (VFAT). So the new file is
 * there before the folder names it, and the old one is freed when the folder no longer does. Measured: the lab's cell
 * 70-power-cut. */
static int commit(int folder, int file, const char *fresh, const char *name, bool exists) {
        int r = settle(file);

        if (r < 0)
                return r;
        r = exists ? exchange(folder, file, fresh, name) : -EINVAL;
        /* Not all file systems can exchange; VFAT can since Linux 6.0. */
        if (r == -EINVAL)
                r = renameat(folder, fresh, folder, name) < 0 ? -errno : 0;
        if (r >= 0 && unlinkat(folder, fresh, 0) < 0 && errno != ENOENT)
                r = -errno;
        return r < 0 ? r : settle(file);
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
        return fsync(folder) < 0 ? -errno : 0;
}

/* As in commit(): nobody looks for the name under which the file is freed. */
static int take_away(int folder, const char *fresh, const char *name) {
        _cleanup_close_ int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (file < 0)
                return errno == ENOENT ? 0 : -errno;
        if (renameat(folder, name, folder, fresh) < 0)
                return -errno;
        r = settle(file);
        if (r >= 0)
                r = remove_file(folder, fresh);
        return r < 0 ? r : settle(file);
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
        _cleanup_close_ int folder = -1, file = -1;
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
                return take_away(folder, fresh, name);

        r = write_new(folder, fresh, text, exists ? &old : NULL, mode, &file);
        if (r >= 0)
                r = commit(folder, file, fresh, name, exists);
        if (r < 0)
                (void) unlinkat(folder, fresh, 0);
        return r;
}
