/* SPDX-License-Identifier: GPL-2.0-or-later */

/* early.conf: whatever was accepted is packed and read back as the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/early-conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct early early = { .n_devices = 77 }, again;
        _cleanup_free_ char *first = NULL, *second = NULL;
        struct err e = {};

        if (early_conf_parse("input", (const char *) data, size, &early, &e) < 0) {
                want(*e.message && early.n_devices == 77);
                return 0;
        }
        want(early.n_devices <= EARLY_DEVICES_MAX && early.n_pools <= EARLY_POOLS_MAX &&
             early.n_keep <= EARLY_KEEP_MAX);
        for (size_t i = 0; i < early.n_devices; i++)
                want(early.devices[i].device.has_id && driver_is_vfio(early_driver(&early.devices[i])));
        first = early_conf_format(&early);
        want(early_conf_parse("packed", first, strlen(first), &again, &e) == 0);
        second = early_conf_format(&again);
        want(strcmp(first, second) == 0);
        return 0;
}
