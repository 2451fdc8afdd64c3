/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <pci/pci.h>

/* libpci, kept from ending the program: its error callback must not return, and gets no user data. */

/* A new handle that is silent. Free with pci_cleanup. */
struct pci_access *libpci_new(void);

static inline void pci_cleanupp(struct pci_access **access) {
        if (*access)
                pci_cleanup(*access);
}

/* Calls into libpci. -EIO when it gave up: libpci_message() has its words then. call must own nothing. */
int libpci_call(void (*call)(void *), void *arg);
const char *libpci_message(void);
