/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/acs.h"

#define VENDOR_INTEL 0x8086

unsigned acs_control_offset(const struct pci_id *id, enum pcie_type type) {
        static const struct {
                uint16_t first, last;
        } ports[] = {
                { 0xa110, 0xa11f }, { 0xa167, 0xa16a }, /* 100 series */
                { 0xa290, 0xa29f }, { 0xa2e7, 0xa2ee }, /* 200 series */
                { 0x9d10, 0x9d1b },                     /* their mobile versions */
        };

        if (id->vendor == VENDOR_INTEL && type == PCIE_ROOT_PORT)
                for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
                        if (id->device >= ports[i].first && id->device <= ports[i].last)
                                return 8;
        return 6;
}

static uint16_t configured(const struct pci_topology *t, const struct pci_function *f,
                           const struct acs_settings *s, bool *guessed) {
        uint16_t wanted = f->acs_capability & ACS_WANTED, firmware = f->acs_control;
        const struct config_acs_entry *entry;

        if (!s->boot && t->iommu_on)
                return f->acs_control;
        entry = config_acs_find(&s->config, t, f);
        if (!entry)
                return f->acs_control | wanted;
        /* Here the kernel ends at its quirk for disable_acs_redir, whatever the flags say. */
        if (acs_control_offset(&f->id, f->type) == 8)
                return (f->acs_control | wanted) & (uint16_t) ~(ACS_RR | ACS_CR | ACS_EC);
        if (t->iommu_on) {
                *guessed |= (firmware & wanted & ~entry->mask) != 0;
                firmware &= (uint16_t) ~wanted;
        }
        return (uint16_t) ((firmware & ~entry->mask) | (entry->flags & entry->mask));
}

void acs_configure(struct pci_topology *t, const struct acs_settings *s, bool *ret_guessed) {
        bool guessed = false;

        for (size_t i = 0; i < t->n; i++) {
                struct pci_function *f = &t->list[i];

                f->acs_active = f->has_acs ? configured(t, f, s, &guessed) : 0;
        }
        if (ret_guessed)
                *ret_guessed = guessed;
}

bool acs_enabled(const struct pci_topology *t, size_t function, const struct acs_override *override) {
        const struct pci_function *f = &t->list[function];
        enum acs_quirk quirk = acs_quirk(t, f);

        if (quirk != ACS_QUIRK_NONE)
                return quirk == ACS_QUIRK_ISOLATED;
        if (acs_override_covers(override, f))
                return true;
        switch (f->type) {
        case PCIE_NONE:
        case PCIE_TO_PCI:
        case PCI_TO_PCIE:
        case PCIE_RC_EVENT_COLLECTOR:
                return false;
        case PCIE_ENDPOINT:
        case PCIE_LEGACY_ENDPOINT:
        case PCIE_UPSTREAM:
        case PCIE_RC_ENDPOINT:
                if (!f->multifunction)
                        return true;
                break;
        case PCIE_ROOT_PORT:
        case PCIE_DOWNSTREAM:
                break;
        default: /* reserved types */
                return true;
        }
        /* A bit that the capability lacks stands for what the hardware can't do, and need not be told not to. */
        return f->has_acs && (ACS_WANTED & f->acs_capability & ~f->acs_active) == 0;
}

bool acs_path_enabled(const struct pci_topology *t, ssize_t bridge, const struct acs_override *override) {
        for (; bridge >= 0; bridge = t->list[bridge].bridge)
                if (!acs_enabled(t, (size_t) bridge, override))
                        return false;
        return true;
}
