/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/attribute.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static int format_path(char path[static PATH_MAX], const char *fmt, va_list ap) {
        int n = vsnprintf(path, PATH_MAX, fmt, ap);

        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int failed(int r, const char *name, const char *what, const char *path, struct err *e) {
        if (r == -ENOENT || r == -ENOTDIR || r == -ENODEV)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, name,
                               "%s is not there any more (%s): nothing is left to change", name, path);
        return err_set(e, r, r == -EACCES || r == -EPERM ? ERR_PERMISSION : ERR_FAILED, name,
                       "%s cannot be %s (%s): %s", name, what, path, strerror(-r));
}

int attribute_read(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e,
                   const char *path_fmt, ...) {
        char path[PATH_MAX];
        va_list ap;
        int r;

        va_start(ap, path_fmt);
        r = format_path(path, path_fmt, ap);
        va_end(ap);
        if (r >= 0)
                r = root_read_attr(root, ret, KNOB_VALUE_MAX, "%s", path);
        return r < 0 ? failed(r, name, "read", path, e) : 0;
}

int attribute_write(const struct knob_write *w, struct err *e, const char *path_fmt, ...) {
        char path[PATH_MAX];
        va_list ap;
        int r;

        va_start(ap, path_fmt);
        r = format_path(path, path_fmt, ap);
        va_end(ap);
        if (r >= 0)
                r = root_write_attr(w->root, w->value, "%s", path);
        return r < 0 ? failed(r, w->name, "written", path, e) : 0;
}

bool attribute_value_is_valid(const char *value) {
        return *value &&
               value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_. -")] == '\0';
}

int numbered_name_parse(const char *name, const char *prefix, unsigned *ret) {
        const char *digits = name + strlen(prefix);
        uint64_t n;

        if (!str_starts(name, prefix) || (*digits == '0' && digits[1]) || str_to_u64(digits, 10, 65535, &n) < 0)
                return -EINVAL;
        *ret = (unsigned) n;
        return 0;
}
