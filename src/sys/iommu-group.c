/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/iommu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/pci.h"

static int compare(const void *a, const void *b) {
        return bdf_compare(&((const struct pci_device *) a)->address, &((const struct pci_device *) b)->address);
}

int iommu_group_devices(const struct root *root, int group, struct pci_devices *ret, struct err *e) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        _cleanup_strv_ char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, &names, "/sys/kernel/iommu_groups/%d/devices", group);
        if (r < 0)
                return err_set(e, r, ERR_NOT_FOUND, NULL, "IOMMU group %d: %s", group, strerror(-r));
        while (names[n])
                n++;
        devices.list = calloc(n + 1, sizeof(*devices.list));
        if (!devices.list)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");

        for (size_t i = 0; i < n; i++) {
                struct bdf address;

                /* Platform devices can be in a group too; they have no PCI address. */
                if (bdf_parse(names[i], &address) < 0)
                        continue;
                r = host_pci_device(root, &address, &devices.list[devices.n], e);
                if (r < 0)
                        return r;
                devices.n++;
        }
        qsort(devices.list, devices.n, sizeof(*devices.list), compare);

        *ret = TAKE(devices, (struct pci_devices) {});
        return 0;
}
