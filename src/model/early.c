/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/early.h"

#include "base/str.h"

const char *early_driver(const struct early_device *d) {
        return *d->device.driver ? d->device.driver : "vfio-pci";
}

static bool is_same_kind(const struct early_device *want, const struct pci_device *d) {
        return pci_id_equal(&d->id, &want->device.id) &&
               (!want->device.has_subsystem || pci_id_equal(&d->subsystem, &want->device.subsystem));
}

static bool is_at_path(const struct pci_devices *devices, const struct pci_device *d, const char *path) {
        char now[PCI_PATH_MAX];

        return pci_path_format(devices, d, now) >= 0 && str_eq(now, path);
}

/* Another entry says that this one is its own. */
static bool is_named_by_other(const struct early *early, const struct early_device *want,
                              const struct pci_device *d) {
        for (size_t i = 0; i < early->n_devices; i++) {
                const struct early_device *other = &early->devices[i];

                if (other != want && bdf_compare(&other->device.address, &d->address) == 0 &&
                    is_same_kind(other, d))
                        return true;
        }
        return false;
}

enum early_match early_find(const struct early *early, const struct early_device *want,
                            const struct pci_devices *devices, const struct pci_device **ret) {
        const struct pci_device *here = pci_devices_find(devices, &want->device.address), *other = NULL;
        size_t n = 0;

        if (here && is_same_kind(want, here) && (!*want->path || is_at_path(devices, here, want->path))) {
                *ret = here;
                return EARLY_AT_ADDRESS;
        }
        for (size_t i = 0; i < devices->n; i++) {
                const struct pci_device *d = &devices->list[i];

                if (!is_same_kind(want, d))
                        continue;
                if (*want->path && is_at_path(devices, d, want->path)) {
                        *ret = d;
                        return EARLY_MOVED;
                }
                if (!is_named_by_other(early, want, d)) {
                        other = d;
                        n++;
                }
        }
        *ret = n == 1 ? other : here;
        /* A card that was put into another slot, or the path is that of another machine. */
        if (n == 1)
                return other == here ? EARLY_AT_ADDRESS : EARLY_MOVED;
        return n == 0 ? EARLY_ABSENT : EARLY_AMBIGUOUS;
}
