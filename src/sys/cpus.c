/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/cpus.h"

#include <errno.h>
#include <string.h>

int cpus_listed(const struct root *root, const char *name, struct cpu_set *ret) {
        char text[4096];
        int r;

        r = root_read_attr(root, text, sizeof(text), "/sys/devices/system/cpu/%s", name);
        if (r == -ENOENT) {
                *ret = (struct cpu_set){};
                return 0;
        }
        return r < 0 ? r : cpu_set_parse(text, ret);
}

int cpus_online(const struct root *root, struct cpu_set *ret, struct err *e) {
        struct cpu_set cpus = {};
        int r;

        r = cpus_listed(root, "online", &cpus);
        if (r >= 0 && cpu_set_is_empty(&cpus))
                r = -ENODATA;
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "cpus", "/sys/devices/system/cpu/online cannot be read: %s",
                               strerror(-r));
        *ret = cpus;
        return 0;
}
