/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/pci-topology.h"

/* Functions that do DMA under the address of another one on their bus: pci_add_dma_alias in drivers/pci/quirks.c
 * (the same in Linux 6.1.192 and 6.12.117). Not known here: aliases that firmware lists for an AMD IOMMU, and
 * those of Switchtec's non-transparent bridges, which stand in their memory. */

/* One uses the address of the other, or the other way round (pci_devs_are_dma_aliases). */
bool dma_aliases(const struct pci_function *a, const struct pci_function *b);
