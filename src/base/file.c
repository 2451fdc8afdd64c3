/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

static int write_full(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static int write_and_sync(int dirfd, const char *name, const char *data, size_t size, mode_t mode) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return -errno;
        r = write_full(fd, data, size);
        if (r < 0)
                return r;
        /* fchmod: the umask took bits from the mode above. */
        if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

int file_replace(const struct root *root, const char *dir, const char *name, const char *data, size_t size,
                 mode_t mode) {
        _cleanup_close_ int dirfd = -1;
        char temporary[NAME_MAX + 1];
        int r;

        r = str_format(temporary, sizeof(temporary), ".%s.new", name);
        if (r < 0)
                return r;
        dirfd = root_open(root, dir, O_RDONLY | O_DIRECTORY, 0);
        if (dirfd < 0)
                return dirfd;

        /* Left behind by a writer that was killed. One writer at a time: the callers hold a lock. */
        if (unlinkat(dirfd, temporary, 0) < 0 && errno != ENOENT)
                return -errno;
        r = write_and_sync(dirfd, temporary, data, size, mode);
        if (r >= 0 && renameat(dirfd, temporary, dirfd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dirfd, temporary, 0);
                return r;
        }
        return fsync(dirfd) < 0 ? -errno : 0;
}

int dir_ensure_private(const struct root *root, const char *path, mode_t mode) {
        _cleanup_close_ int parent = -1, fd = -1;
        char copy[PATH_MAX], *slash;
        struct stat st;
        int r;

        r = str_copy(copy, sizeof(copy), path);
        if (r < 0)
                return r;
        slash = strrchr(copy, '/');
        if (!slash || !slash[1])
                return -EINVAL;
        *slash = '\0';
        parent = root_open(root, *copy ? copy : "/", O_RDONLY | O_DIRECTORY, 0);
        if (parent < 0)
                return parent;
        if (mkdirat(parent, slash + 1, mode) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, slash + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        return st.st_uid != geteuid() || st.st_mode & 022 ? -EPERM : 0;
}
