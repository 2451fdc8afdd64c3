/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early/pack.h"

#include "base/str.h"
#include "config/early-conf.h"
#include "sys/boot-source.h"
#include "sys/pci.h"

int pack_prepare(const struct root *root, struct early *ret, struct err *e) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        const struct pci_device *d;
        int r;

        r = early_conf_load(root, ret, e);
        if (r < 0 || early_is_empty(ret))
                return r < 0 ? r : 0;
        r = host_pci_functions(root, &devices, e);
        if (r >= 0)
                r = boot_source_find(root, &devices, ret, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ret->n_devices; i++) {
                struct early_device *want = &ret->devices[i];
                enum early_match match;

                *want->path = '\0';
                match = early_find(ret, want, &devices, &d);
                if ((match == EARLY_AT_ADDRESS || match == EARLY_MOVED) &&
                    pci_path_format(&devices, d, want->path) < 0)
                        *want->path = '\0';
        }
        return 1;
}

const char *pack_module(const struct early *early, size_t i) {
        for (size_t k = 0; k < early->n_devices; k++) {
                const char *name = early_driver(&early->devices[k]);
                bool seen = false;

                for (size_t j = 0; j < k && !seen; j++)
                        seen = str_eq(early_driver(&early->devices[j]), name);
                if (!seen && i-- == 0)
                        return name;
        }
        return NULL;
}
