/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pci-topology.h"

#include <errno.h>
#include <stdlib.h>

#define VENDOR_AMD 0x1022
#define VENDOR_INTEL 0x8086
#define CLASS_RAID 0x0104
#define CLASS_IOMMU 0x0806

void pci_topology_done(struct pci_topology *t) {
        free(t->list);
        *t = (struct pci_topology) {};
}

static int compare(const void *a, const void *b) {
        return bdf_compare(&((const struct pci_function *) a)->address,
                           &((const struct pci_function *) b)->address);
}

ssize_t pci_topology_find(const struct pci_topology *t, const struct bdf *address) {
        struct pci_function key = { .address = *address }, *found;

        found = t->n > 0 ? bsearch(&key, t->list, t->n, sizeof(*t->list), compare) : NULL;
        return found ? found - t->list : -1;
}

static ssize_t find_bridge(const struct pci_topology *t, const struct bdf *below) {
        for (size_t i = 0; i < t->n; i++) {
                const struct pci_function *f = &t->list[i];

                /* Numbers grow away from the root; what says otherwise was never set up. */
                if (f->address.domain == below->domain && f->secondary == below->bus &&
                    f->secondary > f->address.bus)
                        return (ssize_t) i;
        }
        return -1;
}

/* A virtual function has neither ids of its own nor a bridge: its bus may be one that exists for it alone. */
static void link_virtual_functions(struct pci_topology *t) {
        for (size_t i = 0; i < t->n; i++) {
                const struct pci_function *pf = &t->list[i];
                unsigned first = (unsigned) pf->address.bus << 8 | pci_function_devfn(pf);

                for (unsigned k = 0; k < pf->vf_count; k++) {
                        unsigned id = first + pf->vf_offset + k * pf->vf_stride;
                        struct bdf address = { pf->address.domain, (uint8_t) (id >> 8), id >> 3 & 0x1f, id & 7 };
                        ssize_t at = id > 0xffff ? -1 : pci_topology_find(t, &address);

                        if (at < 0 || (size_t) at == i)
                                continue;
                        t->list[at].is_vf = true;
                        t->list[at].id = (struct pci_id) { pf->id.vendor, pf->vf_device };
                        t->list[at].multifunction = false;
                        t->list[at].bridge = pf->bridge;
                }
        }
}

static bool is_downstream(const struct pci_function *f) {
        return f->type == PCIE_ROOT_PORT || f->type == PCIE_DOWNSTREAM;
}

/* Ports that claim an impossible direction. */
static void correct_port(struct pci_topology *t, struct pci_function *f) {
        const struct pci_function *above = f->bridge < 0 ? NULL : &t->list[f->bridge];

        if (above && f->type == PCIE_DOWNSTREAM && is_downstream(above))
                f->type = PCIE_UPSTREAM;
        else if (above && f->type == PCIE_UPSTREAM && above->type == PCIE_UPSTREAM)
                f->type = PCIE_DOWNSTREAM;
}

/* Root buses other than 00 exist, but nothing of these types is on one. */
static bool needs_bridge(const struct pci_function *f) {
        return f->address.bus != 0 && f->bridge < 0 && !f->is_vf &&
               (f->type == PCIE_ENDPOINT || f->type == PCIE_LEGACY_ENDPOINT || f->type == PCIE_UPSTREAM ||
                f->type == PCIE_DOWNSTREAM || f->type == PCIE_TO_PCI);
}

static bool is_vmd(const struct pci_function *f) {
        return f->id.vendor == VENDOR_INTEL && f->class_code >> 8 == CLASS_RAID && f->type == PCIE_RC_ENDPOINT &&
               f->address.domain <= 0xffff;
}

/* What is behind a Volume Management Device has a domain above ffff, and does DMA in the VMD's name
 * (arch/x86/pci/common.c, pci_real_dma_dev). */
static int find_requesters(struct pci_topology *t, struct err *e) {
        size_t n_vmd = 0, n_behind = 0;
        ssize_t vmd = -1;

        for (size_t i = 0; i < t->n; i++) {
                t->list[i].requester = (ssize_t) i;
                if (is_vmd(&t->list[i])) {
                        vmd = (ssize_t) i;
                        n_vmd++;
                }
                n_behind += t->list[i].address.domain > 0xffff;
        }
        if (n_behind > 0 && n_vmd != 1)
                return err_set(e, -EINVAL, ERR_NOT_SUPPORTED, "",
                               "%zu functions are behind an Intel VMD, and there are %zu of those: configuration "
                               "space does not say behind which one; their groups can't be predicted",
                               n_behind, n_vmd);
        for (size_t i = 0; i < t->n; i++)
                if (t->list[i].address.domain > 0xffff)
                        t->list[i].requester = vmd;
        return 0;
}

int pci_topology_link(struct pci_topology *t, struct err *e) {
        char text[BDF_TEXT_MAX];

        if (t->n > 0)
                qsort(t->list, t->n, sizeof(*t->list), compare);
        for (size_t i = 0; i < t->n; i++) {
                struct pci_function *f = &t->list[i];

                bdf_format(&f->address, text);
                if (i > 0 && bdf_compare(&f->address, &t->list[i - 1].address) == 0)
                        return err_set(e, -EINVAL, ERR_INVALID, text, "%s: this address is there twice", text);
                f->translated = true;
                f->is_vf = false;
                f->bridge = find_bridge(t, &f->address);
                f->multifunction |= f->address.function > 0;
                if (f->id.vendor == VENDOR_AMD && f->class_code >> 8 == CLASS_IOMMU)
                        t->ivrs = true;
        }
        link_virtual_functions(t);
        /* From the root down: a port above is right before the one below it is judged. */
        for (size_t i = 0; i < t->n; i++) {
                struct pci_function *f = &t->list[i];

                correct_port(t, f);
                if (needs_bridge(f))
                        return err_set(e, -EINVAL, ERR_INVALID, bdf_format(&f->address, text),
                                       "%s: the bridge to bus %02x is missing: all functions of the machine are "
                                       "needed",
                                       text, f->address.bus);
        }
        return find_requesters(t, e);
}
