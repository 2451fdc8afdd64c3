/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/iommu.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/pci.h"

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

int iommu_group_of(const struct root *root, const struct bdf *address) {
        char text[16], name[BDF_TEXT_MAX];
        uint64_t group;
        int r;

        bdf_format(address, name);
        r = root_link_name(root, text, sizeof(text), "/sys/bus/pci/devices/%s/iommu_group", name);
        if (r >= 0)
                r = str_to_u64(text, 10, INT_MAX, &group);
        return r < 0 ? r : (int) group;
}

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
