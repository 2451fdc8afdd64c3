/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/pci-topology.h"

/* Configuration space: what IOMMU groups follow from. Reading it needs root, and wakes functions in D3cold. */

/* Of the host that root has, whose functions are devices: what has no group there, while others have one, is not
 * translated. Errors: -EACCES only the first 64 bytes could be read; -ENODATA a function does not answer; what
 * pci_topology_link answers. Caller calls pci_topology_done. */
int host_pci_topology(const struct root *root, const struct pci_devices *devices, struct pci_topology *ret,
                      struct err *e) _must_check_;

/* From what "lspci -xxxx" printed as root, with whatever other options, somewhere else. Errors as above; -EBADMSG
 * or -EIO it is not such a text, or from "lspci -xxx", which lacks the part that matters. */
int dump_pci_topology(const char *text, size_t size, struct pci_topology *ret, struct err *e) _must_check_;
