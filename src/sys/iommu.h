/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/pci-device.h"

/* The number of IOMMU groups; 0 when no IOMMU is active. -errno when that cannot be read. */
int iommu_group_count(const struct root *root);

/* The group that a PCI function is in. -ENOENT: in none, or no such function. */
int iommu_group_of(const struct root *root, const struct bdf *address);

/* The PCI functions of one group, ordered by address, read from sysfs only. Members that are no PCI functions
 * are left out. Caller calls pci_devices_done. Errors: -ENOENT no such group, what host_pci_device answers. */
int iommu_group_devices(const struct root *root, int group, struct pci_devices *ret, struct err *e) _must_check_;

/* True when VFIO would find the group viable: every function of it is on a vfio driver or pci-stub, on no
 * driver, or is a PCI-to-PCI bridge. An ISA or host bridge with a driver (lpc_ich) does block: since 5.19 a
 * driver blocks unless it leaves DMA to others, before that the header type counted (kernel:
 * iommu_group_claim_dma_owner, driver_managed_dma; vfio_dev_viable). *ret_blocker, if not NULL, points to the
 * first function that prevents it. */
bool iommu_group_is_viable(const struct pci_devices *devices, int group, const struct pci_device **ret_blocker);
