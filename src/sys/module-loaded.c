/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A file of its own, so that programs that only ask do not load libkmod. */

#include "base/str.h"
#include "model/pci-device.h"
#include "sys/module.h"

bool module_is_loaded(const struct root *root, const char *name) {
        char normalized[DRIVER_NAME_MAX];

        if (!driver_name_is_valid(name) || str_copy(normalized, sizeof(normalized), name) < 0)
                return false;
        for (char *s = normalized; *s; s++)
                if (*s == '-')
                        *s = '_';
        return root_exists(root, "/sys/module/%s", normalized) == 1;
}
