/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/pci-topology.h"

/* pcie_acs_override=, the parameter of a patch that is in no released kernel: it makes the kernel believe in
 * isolation. */

#define ACS_OVERRIDE_IDS_MAX 16 /* the patch's own limit */

struct acs_override {
        bool downstream, multifunction;
        struct pci_id ids[ACS_OVERRIDE_IDS_MAX];
        size_t n_ids;
};

/* "downstream,multifunction,id:10de:2206". -EINVAL with what is wrong. */
int acs_override_parse(const char *s, struct acs_override *ret, struct err *e);

/* The patch declares this function isolated. It is asked after all quirks, and only speaks for PCI Express
 * functions that have no ACS capability at all. */
bool acs_override_covers(const struct acs_override *o, const struct pci_function *f);
