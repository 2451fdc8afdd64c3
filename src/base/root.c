/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/dir-reader.h"
#include "base/str.h"

struct root {
        int fd;
        char *path;
        bool live;
};

int root_new(const char *path, struct root **ret) {
        _cleanup_root_ struct root *root = NULL;

        root = calloc(1, sizeof(*root));
        if (!root)
                return -ENOMEM;
        root->fd = -1;
        root->path = realpath(path ? path : "/", NULL);
        if (!root->path)
                return -errno;
        root->live = str_eq(root->path, "/");
        root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root->fd < 0)
                return -errno;

        *ret = TAKE_PTR(root);
        return 0;
}

void root_free(struct root *root) {
        closep(&root->fd);
        free(root->path);
        free(root);
}

bool root_is_live(const struct root *root) {
        return root->live;
}

static int open_resolved(int dir, const char *path, struct open_how how) {
        how.flags |= O_CLOEXEC;

        /* A rename somewhere in the system at the wrong moment gives EAGAIN, see openat2(2). */
        for (int tries = 0;; tries++) {
                int fd = (int) syscall(SYS_openat2, dir, path, &how, sizeof(how));

                if (fd >= 0)
                        return fd;
                if (errno != EAGAIN || tries >= 64)
                        return -errno;
        }
}

int root_open(const struct root *root, const char *path, int flags, mode_t mode) {
        return open_resolved(root->fd, path, (struct open_how) {
                .flags = (uint64_t) flags,
                .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
                .resolve = RESOLVE_IN_ROOT,
        });
}

int dir_open(int dir, const char *path, int flags) {
        return open_resolved(dir, path, (struct open_how) {
                .flags = (uint64_t) flags,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
        });
}

#define FORMAT_PATH(path, fmt)                                    \
        ({                                                        \
                va_list _ap;                                      \
                int _n;                                           \
                va_start(_ap, fmt);                               \
                _n = vsnprintf(path, sizeof(path), fmt, _ap);     \
                va_end(_ap);                                      \
                _n < 0 || (size_t) _n >= sizeof(path) ? -ENAMETOOLONG : 0; \
        })

int root_exists(const struct root *root, const char *fmt, ...) {
        char path[PATH_MAX];
        _cleanup_close_ int fd = -1;
        int r;

        r = FORMAT_PATH(path, fmt);
        if (r < 0)
                return r;
        fd = root_open(root, path, O_PATH, 0);
        return fd >= 0 ? 1 : fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
}

static ssize_t read_full(int fd, char *buf, size_t size) {
        size_t done = 0;

        while (done < size) {
                ssize_t n = read(fd, buf + done, size - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t) n;
        }
        return (ssize_t) done;
}

int fd_read(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *buf = NULL;
        size_t size = 0, capacity = 4096;

        /* Files in /proc and /sys say size 0 or 4096: the size is known only after reading. */
        for (;;) {
                char *bigger;
                ssize_t n;

                if (capacity > max + 1)
                        capacity = max + 1;
                bigger = realloc(buf, capacity + 1);
                if (!bigger)
                        return -ENOMEM;
                buf = bigger;
                n = read_full(fd, buf + size, capacity - size);
                if (n < 0)
                        return (int) n;
                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
                if (size < capacity)
                        break;
                capacity *= 2;
        }
        buf[size] = '\0';

        *ret = TAKE_PTR(buf);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int root_read(const struct root *root, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = root_open(root, path, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        /* It would read as an empty file. */
        if (S_ISFIFO(st.st_mode))
                return -EINVAL;
        return fd_read(fd, max, ret, ret_size);
}

/* In one read: sysfs and procfs give all of a short file at once. */
static int read_attr(int fd, char *buf, size_t size) {
        char text[4096 + 1];
        ssize_t n;

        do
                n = read(fd, text, sizeof(text) - 1);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        text[n] = '\0';
        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        if (strlen(text) >= size)
                return -ENAMETOOLONG;
        strcpy(buf, text);
        return 0;
}

static int read_attr_at(const struct root *root, const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = -1;

        fd = root_open(root, path, O_RDONLY | O_NONBLOCK, 0);
        return fd < 0 ? fd : read_attr(fd, buf, size);
}

int dir_read_attr(int dir, const char *name, char *buf, size_t size) {
        _cleanup_close_ int fd = -1;

        fd = dir_open(dir, name, O_RDONLY | O_NONBLOCK);
        return fd < 0 ? fd : read_attr(fd, buf, size);
}

int root_read_attr(const struct root *root, char *buf, size_t size, const char *fmt, ...) {
        char path[PATH_MAX];
        int r;

        r = FORMAT_PATH(path, fmt);
        return r < 0 ? r : read_attr_at(root, path, buf, size);
}

int root_read_u64(const struct root *root, int base, uint64_t max, uint64_t *ret, const char *fmt, ...) {
        char path[PATH_MAX], text[32];
        int r;

        r = FORMAT_PATH(path, fmt);
        if (r < 0)
                return r;
        r = read_attr_at(root, path, text, sizeof(text));
        return r < 0 ? r : str_to_u64(text, base, max, ret);
}

int root_write_attr(const struct root *root, const char *value, const char *fmt, ...) {
        char path[PATH_MAX];
        _cleanup_close_ int fd = -1;
        ssize_t n;
        int r;

        r = FORMAT_PATH(path, fmt);
        if (r < 0)
                return r;
        fd = root_open(root, path, O_WRONLY, 0);
        if (fd < 0)
                return fd;
        n = write(fd, value, strlen(value));
        return n < 0 ? -errno : (size_t) n != strlen(value) ? -EIO : 0;
}

static int read_link_at(const struct root *root, const char *path, char target[static PATH_MAX]) {
        _cleanup_close_ int fd = -1;
        ssize_t n;

        fd = root_open(root, path, O_PATH | O_NOFOLLOW, 0);
        if (fd < 0)
                return fd;
        n = readlinkat(fd, "", target, PATH_MAX - 1);
        if (n < 0)
                /* An empty path makes "not a link" look like "nothing there". */
                return errno == ENOENT ? -EINVAL : -errno;
        target[n] = '\0';
        return 0;
}

int root_read_link(const struct root *root, char *buf, size_t size, const char *fmt, ...) {
        char path[PATH_MAX], target[PATH_MAX];
        int r;

        r = FORMAT_PATH(path, fmt);
        if (r < 0)
                return r;
        r = read_link_at(root, path, target);
        if (r < 0)
                return r;
        if (strlen(target) >= size)
                return -ENAMETOOLONG;
        strcpy(buf, target);
        return 0;
}

static int last_component(const char *path, char *buf, size_t size) {
        const char *slash = strrchr(path, '/');

        return str_copy(buf, size, slash ? slash + 1 : path);
}

int root_link_name(const struct root *root, char *buf, size_t size, const char *fmt, ...) {
        char path[PATH_MAX], target[PATH_MAX];
        int r;

        r = FORMAT_PATH(path, fmt);
        if (r < 0)
                return r;
        r = read_link_at(root, path, target);
        if (r < 0)
                return r;
        return last_component(target, buf, size);
}

int dir_link_name(int dir, const char *name, char *buf, size_t size) {
        char target[PATH_MAX];
        ssize_t n;

        n = readlinkat(dir, name, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        return last_component(target, buf, size);
}

static int compare_names(const void *a, const void *b) {
        return strverscmp(*(char *const *) a, *(char *const *) b);
}

int root_list(const struct root *root, char ***ret, const char *fmt, ...) {
        _cleanup_strv_ char **list = NULL;
        _cleanup_close_ int fd = -1;
        const struct dirent64 *entry;
        struct dir_reader reader = {};
        size_t n = 0, room = 0;
        char path[PATH_MAX];
        int r;

        r = FORMAT_PATH(path, fmt);
        if (r < 0)
                return r;
        fd = root_open(root, path, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;

        reader.fd = fd;
        while ((r = dir_next(&reader, &entry)) > 0) {
                if (n + 2 > room) {
                        char **bigger = realloc(list, (room = room ? room * 2 : 16) * sizeof(*list));

                        if (!bigger)
                                return -ENOMEM;
                        list = bigger;
                        list[n] = NULL;
                }
                list[n] = strdup(entry->d_name);
                if (!list[n])
                        return -ENOMEM;
                list[++n] = NULL;
        }
        if (r < 0)
                return r;
        if (!list && !(list = calloc(1, sizeof(*list))))
                return -ENOMEM;

        qsort(list, n, sizeof(*list), compare_names);
        *ret = TAKE_PTR(list);
        return 0;
}

char *root_join(const struct root *root, const char *path) {
        char *joined;

        if (root->live)
                return strdup(path);
        return asprintf(&joined, "%s%s", root->path, path) < 0 ? NULL : joined;
}

void strv_free(char **list) {
        for (char **s = list; s && *s; s++)
                free(*s);
        free(list);
}
