/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/pci-device.h"

/* Lists all PCI functions, ordered by address, through libpci's sysfs back end on root's /sys. Configuration
 * space is not read: that would wake suspended GPUs. A host without PCI gives an empty list. Caller calls
 * pci_devices_done. Errors: -ENOMEM, -EIO (libpci's own message in *e). */
int host_pci_devices(const struct root *root, struct pci_devices *ret, struct err *e) _must_check_;

/* One function, read from sysfs only. Never hangs. -ENODEV with a message when it is not there, -EIO when its
 * modalias is not as the kernel writes it. */
int host_pci_device(const struct root *root, const struct bdf *address, struct pci_device *ret, struct err *e)
        _must_check_;

/* Its ids alone, for a third of the cost. */
int host_pci_ids(const struct root *root, const struct bdf *address, struct pci_id *ret_id,
                 struct pci_id *ret_subsystem, struct err *e) _must_check_;

/* All functions, ordered by address, read from sysfs only, for programs that have no room for libpci. Caller calls
 * pci_devices_done. A host without PCI gives an empty list; a function that goes meanwhile is left out. */
int host_pci_functions(const struct root *root, struct pci_devices *ret, struct err *e) _must_check_;

/* Names out of pci.ids. */
struct pci_names;
int pci_names_new(struct pci_names **ret);
void pci_names_free(struct pci_names *names);
DEFINE_CLEANUP(struct pci_names *, pci_names_free)
#define _cleanup_pci_names_ _cleanup_(pci_names_freep)

/* "VGA compatible controller" and "NVIDIA Corporation GA102 [GeForce RTX 3080]"; numbers where pci.ids has no
 * name. Written into buf, which is returned. */
const char *pci_names_class(struct pci_names *names, const struct pci_device *d, char *buf, size_t size);
const char *pci_names_device(struct pci_names *names, const struct pci_device *d, char *buf, size_t size);
