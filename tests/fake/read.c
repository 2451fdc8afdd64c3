/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/read.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>

#include "base/root.h"

int __real_root_read_attr(const struct root *root, char *buf, size_t size, const char *fmt, ...);
int __wrap_root_read_attr(const struct root *root, char *buf, size_t size, const char *fmt, ...);
int __real_root_read_u64(const struct root *root, int base, uint64_t max, uint64_t *ret, const char *fmt, ...);
int __wrap_root_read_u64(const struct root *root, int base, uint64_t max, uint64_t *ret, const char *fmt, ...);
int __real_root_read(const struct root *root, const char *path, size_t max, char **ret, size_t *ret_size);
int __wrap_root_read(const struct root *root, const char *path, size_t max, char **ret, size_t *ret_size);

void (*fake_before_read)(const char *path);

int __wrap_root_read_attr(const struct root *root, char *buf, size_t size, const char *fmt, ...) {
        char path[PATH_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        if (fake_before_read)
                fake_before_read(path);
        return __real_root_read_attr(root, buf, size, "%s", path);
}

int __wrap_root_read_u64(const struct root *root, int base, uint64_t max, uint64_t *ret, const char *fmt, ...) {
        char path[PATH_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        if (fake_before_read)
                fake_before_read(path);
        return __real_root_read_u64(root, base, max, ret, "%s", path);
}

int __wrap_root_read(const struct root *root, const char *path, size_t max, char **ret, size_t *ret_size) {
        if (fake_before_read)
                fake_before_read(path);
        return __real_root_read(root, path, max, ret, ret_size);
}
