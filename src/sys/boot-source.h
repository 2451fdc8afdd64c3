/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/early.h"

/* Which PCI functions the running system needs to boot: controllers of disks with /, /usr, /boot, /efi, /var or
 * swap, or with what it resumes from; with a root on the network, the cards of the default route. They go into
 * early->keep, with their paths; over EARLY_KEEP_MAX the rest is dropped. devices: all of the host. -ENOMEM, or
 * what reading answered. */
int boot_source_find(const struct root *root, const struct pci_devices *devices, struct early *early,
                     struct err *e);
