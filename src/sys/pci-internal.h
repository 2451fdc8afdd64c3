/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "sys/pci.h"

/* Fills in what libpci does not know, or finds only by resolving a whole path: the bridge above, group, driver, boot_vga;
 * class_code must be there. */
int pci_device_read_more(const struct root *root, const char *address, struct pci_device *d);
