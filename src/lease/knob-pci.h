/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/knob.h"

/* What all kinds have in common whose name is a PCI function's address. */
bool pci_name_is_valid(const char *name);
void pci_lane(const char *name, char ret[static KNOB_LANE_MAX]);
int pci_identify(const struct root *root, const char *name, char ret[static KNOB_IDENTITY_MAX], struct err *e);
