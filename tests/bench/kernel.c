/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define DEVICES "/sys/bus/pci/devices/"

int __real_root_new(const char *path, struct root **ret);
int __wrap_root_new(const char *path, struct root **ret);
int __real_root_write_attr(const struct root *root, const char *value, const char *fmt, ...);
int __wrap_root_write_attr(const struct root *root, const char *value, const char *fmt, ...);

/* The shipped programs know no other root than "/": the linker gives them this one. */
int __wrap_root_new(const char *path, struct root **ret) {
        const char *dir = getenv("BENCH_ROOT");

        return path || !dir ? -EINVAL : __real_root_new(dir, ret);
}

struct root *bench_root(void) {
        struct root *root;

        if (__wrap_root_new(NULL, &root) < 0) {
                fputs("BENCH_ROOT must name the tree\n", stderr);
                abort();
        }
        return root;
}

static int replace(const struct root *root, const char *path, const char *value) {
        _cleanup_close_ int fd = root_open(root, path, O_WRONLY | O_TRUNC, 0);

        if (fd < 0)
                return fd;
        return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int probe(const struct root *root, const char *address) {
        char driver[64], target[128], dir[PATH_MAX];
        _cleanup_close_ int fd = -1;

        if (root_read_attr(root, driver, sizeof(driver), DEVICES "%s/driver_override", address) < 0 ||
            str_eq(driver, "(null)") || !*driver)
                if (root_read_attr(root, driver, sizeof(driver), DEVICES "%s/native", address) < 0)
                        return 0;
        (void) str_format(target, sizeof(target), "/sys/bus/pci/drivers/%s", driver);
        (void) str_format(dir, sizeof(dir), DEVICES "%s", address);
        fd = root_open(root, dir, O_PATH, 0);
        if (fd < 0)
                return -EINVAL;
        return symlinkat(target, fd, "driver") < 0 && errno != EEXIST ? -errno : 0;
}

int bench_write(const struct root *root, const char *path, const char *value) {
        const char *end = strrchr(path, '/');

        if (str_eq(path, "/sys/bus/pci/drivers_probe"))
                return probe(root, value);
        if (str_eq(end, "/unbind")) {
                char dir[PATH_MAX];
                _cleanup_close_ int fd = -1;

                (void) str_format(dir, sizeof(dir), DEVICES "%s", value);
                fd = root_open(root, dir, O_PATH, 0);
                return fd < 0 ? fd : unlinkat(fd, "driver", 0) < 0 ? -errno : 0;
        }
        if (str_eq(end, "/driver_override"))
                return replace(root, path, *value == '\n' ? "(null)\n" : value);
        return __real_root_write_attr(root, value, "%s", path);
}

int __wrap_root_write_attr(const struct root *root, const char *value, const char *fmt, ...) {
        char path[PATH_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        return bench_write(root, path, value);
}
