/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* The one way to the host's files. Every path is absolute as the host sees it ("/sys/bus/pci/devices") and is
 * resolved inside the root directory with openat2(RESOLVE_IN_ROOT): neither ".." nor an absolute symlink
 * leaves it. So a captured machine, an image or a fixture works like the running host. */
struct root;

/* path NULL or "/": the running host. Errors: -ENOENT, -ENOTDIR, -ENOMEM. */
int root_new(const char *path, struct root **ret);
void root_free(struct root *root);
DEFINE_CLEANUP(struct root *, root_free)
#define _cleanup_root_ _cleanup_(root_freep)

/* True for the running host: there, processes, D-Bus and the kernel can be asked as well. */
bool root_is_live(const struct root *root);

/* Opens like open(2), O_CLOEXEC always added. Returns the fd or -errno. */
int root_open(const struct root *root, const char *path, int flags, mode_t mode);

/* 1 when it exists (links followed), 0 when not, other -errno. */
int root_exists(const struct root *root, const char *fmt, ...) _printf_(2, 3);

/* The whole file, NUL-terminated, at most max bytes (-EFBIG above). *ret_size may be NULL; a NUL byte inside
 * the file shows as *ret_size > strlen. -EINVAL: a FIFO. Caller frees. */
int root_read(const struct root *root, const char *path, size_t max, char **ret, size_t *ret_size);

/* The same from a file that was opened before, to look at its owner first. */
int fd_read(int fd, size_t max, char **ret, size_t *ret_size);

/* A short attribute (sysfs, procfs) without its trailing newline. -ENAMETOOLONG when it does not fit. */
int root_read_attr(const struct root *root, char *buf, size_t size, const char *fmt, ...) _printf_(4, 5);

/* Like root_read_attr, parsed as a strict number (base 10 or 16, at most max). */
int root_read_u64(const struct root *root, int base, uint64_t max, uint64_t *ret, const char *fmt, ...)
        _printf_(5, 6);

/* Writes value in exactly one write(2) to a file that must exist: the way of sysfs. A short write is -EIO.
 * Can hang as long as the driver behind the file likes: see base/child.h. */
int root_write_attr(const struct root *root, const char *value, const char *fmt, ...) _printf_(3, 4);

/* Where a symlink points, as it is written there. -ENOENT: nothing there, -EINVAL: not a link. */
int root_read_link(const struct root *root, char *buf, size_t size, const char *fmt, ...) _printf_(4, 5);

/* The last component of where a symlink points ("…/drivers/nvme" gives "nvme"). -ENOENT: no such link. */
int root_link_name(const struct root *root, char *buf, size_t size, const char *fmt, ...) _printf_(4, 5);

/* Opens a path below an open directory (O_PATH is enough), like root_open; links are not followed (-ELOOP). */
int dir_open(int dir, const char *path, int flags);

/* root_read_attr and root_link_name for a name in an open directory: a path of several links is
 * looked up once for all that is read there. A link in the place of an attribute: -ELOOP. */
int dir_read_attr(int dir, const char *name, char *buf, size_t size);
int dir_link_name(int dir, const char *name, char *buf, size_t size);

/* The names in a directory, sorted by version (strverscmp), without "." and "..". NULL-terminated; free with
 * strv_free. */
int root_list(const struct root *root, char ***ret, const char *fmt, ...) _printf_(3, 4);

/* The path outside of the root, for libraries that take a path only. Caller frees; NULL: out of memory. */
char *root_join(const struct root *root, const char *path);

void strv_free(char **list);
DEFINE_CLEANUP(char **, strv_free)
#define _cleanup_strv_ _cleanup_(strv_freep)
