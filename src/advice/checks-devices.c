/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/checks.h"

#include "base/str.h"
#include "sys/pci.h"

static size_t endpoints_in_group(const struct pci_devices *devices, int group) {
        size_t n = 0;

        for (size_t i = 0; i < devices->n; i++)
                if (devices->list[i].group == group && !devices->list[i].bridge)
                        n++;
        return n;
}

/* Functions of one slot belong together anyway: only groups that span slots take something along. */
static bool spans_slots(const struct pci_devices *devices, const struct pci_device *d) {
        for (size_t i = 0; i < devices->n; i++) {
                const struct pci_device *other = &devices->list[i];

                if (other->group == d->group && !other->bridge && !bdf_same_slot(&other->address, &d->address))
                        return true;
        }
        return false;
}

int check_groups_shared(const struct root *root, struct finding *f) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        char address[BDF_TEXT_MAX];
        int r;

        r = host_pci_devices(root, &devices, NULL);
        if (r < 0)
                return r;
        for (size_t i = 0; i < devices.n; i++) {
                const struct pci_device *d = &devices.list[i];

                if (d->group < 0 || !pci_device_is_display(d) || !spans_slots(&devices, d))
                        continue;
                return finding_set(f, SEVERITY_WARNING, "try another slot, or see 'passthru groups' for what comes along",
                                   "display %s shares IOMMU group %d with %zu other devices",
                                   bdf_format(&d->address, address), d->group,
                                   endpoints_in_group(&devices, d->group) - 1);
        }
        return finding_set(f, SEVERITY_OK, "", "no display shares its IOMMU group with another slot");
}

int check_display_left(const struct root *root, struct finding *f) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        size_t displays = 0;
        int r;

        r = host_pci_devices(root, &devices, NULL);
        if (r < 0)
                return r;
        for (size_t i = 0; i < devices.n; i++)
                displays += pci_device_is_display(&devices.list[i]);
        if (displays == 1)
                return finding_set(f, SEVERITY_NOTE, "", "one display only: lending it leaves the host without a screen");
        return finding_set(f, SEVERITY_OK, "", "%zu displays", displays);
}
