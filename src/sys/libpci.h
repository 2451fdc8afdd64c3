/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <pci/pci.h>

#include "base/err.h"
#include "base/root.h"

/* libpci, kept from ending the program: its error callback must not return, and gets no user data. */

/* A new handle that is silent. Free with pci_cleanup. */
struct pci_access *libpci_new(void);

static inline void pci_cleanupp(struct pci_access **access) {
        if (*access)
                pci_cleanup(*access);
}

/* Lists the functions, in no order, through libpci's back end for sysfs on root's /sys, or for what lspci -xxxx
 * printed, in a file. -EIO with libpci's words; its other back ends are not tried, since some poke at ports. */
int libpci_scan_host(const struct root *root, struct pci_access **ret, struct err *e);
int libpci_scan_dump(const char *path, struct pci_access **ret, struct err *e);

/* Calls into libpci. -EIO when it gave up: libpci_message() has its words then. call must own nothing. */
int libpci_call(void (*call)(void *), void *arg);
const char *libpci_message(void);
