/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/early.h"

/* Which devices a host must keep: the same rules when one is reserved and when the host boots. */

/* passthru=off (no, 0, false): the last one counts. */
bool cmdline_is_off(const char *cmdline);

/* The root file system comes over the network, as far as the kernel command line tells: root=nfs, nfsroot=,
 * netroot=, BOOTIF=, iSCSI, NBD, or ip= that asks for an interface. */
bool cmdline_has_network_root(const char *cmdline);

/* 0, or -EPERM with the reason: a bridge; what `early` says is to be kept; a disk that root=, rootflags= or
 * resume= names by its path; and unless it is forced, the firmware's display, the only display, and with a root on
 * the network any card of a network, since no driver has said yet which one it is. */
int reserve_check(const struct early *early, const struct pci_devices *devices, const struct pci_device *d,
                  bool force, const char *cmdline, struct err *e);
