/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/iommu.h"

#include <errno.h>

#include "base/str.h"

int iommu_group_count(const struct root *root) {
        _cleanup_strv_ char **groups = NULL;
        int r, n = 0;

        r = root_list(root, &groups, "/sys/kernel/iommu_groups");
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        while (groups[n])
                n++;
        return n;
}

/* Those with another header than type 0, told by their class: reading the header would wake them. */
static bool is_pci_bridge(const struct pci_device *d) {
        uint32_t class = d->class_code >> 8;

        return class == 0x0604 || class == 0x0607 || class == 0x0609;
}

bool iommu_group_is_viable(const struct pci_devices *devices, int group, const struct pci_device **ret_blocker) {
        for (size_t i = 0; i < devices->n; i++) {
                const struct pci_device *d = &devices->list[i];

                if (d->group != group || !*d->driver || is_pci_bridge(d) || driver_is_vfio(d->driver) ||
                    str_eq(d->driver, "pci-stub"))
                        continue;
                if (ret_blocker)
                        *ret_blocker = d;
                return false;
        }
        return true;
}
