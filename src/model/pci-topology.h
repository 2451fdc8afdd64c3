/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "model/pci-device.h"

/* What configuration space says about a machine's functions, as far as the kernel forms IOMMU groups from it. */

/* "Device/Port Type" in the PCI Express Capabilities register (include/uapi/linux/pci_regs.h, PCI_EXP_TYPE_*). */
enum pcie_type {
        PCIE_ENDPOINT = 0,
        PCIE_LEGACY_ENDPOINT = 1,
        PCIE_ROOT_PORT = 4,
        PCIE_UPSTREAM = 5,
        PCIE_DOWNSTREAM = 6,
        PCIE_TO_PCI = 7,
        PCI_TO_PCIE = 8,
        PCIE_RC_ENDPOINT = 9,
        PCIE_RC_EVENT_COLLECTOR = 10,
        PCIE_NONE = 16, /* a conventional function: no PCI Express capability */
};

/* One function. */
struct pci_function {
        /* read from configuration space */
        struct bdf address;
        struct pci_id id, subsystem;
        uint32_t class_code;
        uint8_t secondary;   /* the bus behind a bridge; 0: none */
        enum pcie_type type;
        bool multifunction;
        bool has_acs;
        uint16_t acs_capability, acs_control;
        uint16_t vf_count, vf_offset, vf_stride, vf_device; /* SR-IOV; vf_count 0: no virtual functions now */
        bool rcba; /* an Intel LPC bridge with its Root Complex Base Address enabled */

        /* from others: pci_topology_link */
        bool translated;     /* the IOMMU knows it; false: the kernel gives it no group */
        bool is_vf;
        ssize_t bridge;      /* index of the bridge above, for a virtual one of the physical one's; -1: root bus */
        ssize_t requester;   /* index of the function in whose name it does DMA: itself, but for Intel's VMD */

        uint16_t acs_active; /* the control bits after the boot that is asked about: acs_configure */
};

/* All functions, ordered by address. */
struct pci_topology {
        struct pci_function *list;
        size_t n;
        bool iommu_on; /* the kernel had switched ACS on when acs_control was read */
        bool ivrs;     /* firmware describes an AMD IOMMU */
};
void pci_topology_done(struct pci_topology *t);
#define _cleanup_pci_topology_ _cleanup_(pci_topology_done)

/* The index of a function, -1 when there is none with this address. */
ssize_t pci_topology_find(const struct pci_topology *t, const struct bdf *address);

/* Sorts the functions and fills in what follows from several of them. Corrects what the kernel corrects
 * (drivers/pci/probe.c: set_pcie_port_type, pci_scan_slot; drivers/pci/iov.c for virtual functions).
 * -EINVAL, with a message: an address twice, a missing bridge, functions behind one of several VMDs. */
int pci_topology_link(struct pci_topology *t, struct err *e) _must_check_;

static inline bool pci_function_is_pcie(const struct pci_function *f) {
        return f->type != PCIE_NONE;
}

static inline bool pci_function_same_bus(const struct pci_function *a, const struct pci_function *b) {
        return a->address.domain == b->address.domain && a->address.bus == b->address.bus;
}

/* Device and function as one number, as the kernel counts aliases. */
static inline uint8_t pci_function_devfn(const struct pci_function *f) {
        return (uint8_t) (f->address.slot << 3 | f->address.function);
}
