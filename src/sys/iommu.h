/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"
#include "model/pci-device.h"

/* The number of IOMMU groups; 0 when no IOMMU is active. */
int iommu_group_count(const struct root *root);

/* True when VFIO would find the group viable: every function of it is on a vfio driver, on no driver, or is a
 * bridge (kernel: vfio_dev_viable in drivers/vfio/group.c, iommu_group_claim_dma_owner). *ret_blocker, if not
 * NULL, points to the first function that prevents it. */
bool iommu_group_is_viable(const struct pci_devices *devices, int group, const struct pci_device **ret_blocker);
