/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/acs.h"

/* How Linux divides a machine's functions into IOMMU groups: drivers/iommu/iommu.c (pci_device_group) and
 * drivers/pci/search.c (pci_for_each_dma_alias), the same in 6.1 and 6.12. */

/* The newest kernel whose groups these rules were compared with; later ones may have others. */
#define IOMMU_GROUPS_CHECKED "6.12"

/* Fills ret (t->n elements) with a number for each function, in the order in which the kernel makes the groups; -1
 * for what the IOMMU does not translate. acs_configure must have been called. */
void iommu_groups_predict(const struct pci_topology *t, const struct acs_override *override, int *ret);

/* True when both divide the functions in the same way, whatever the numbers. */
bool iommu_groups_equal(const int *a, const int *b, size_t n);
