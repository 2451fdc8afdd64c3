/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/pci-topology.h"

/* pci=config_acs=FLAGS@DEVICE[;…], Linux 6.11: the control bits of functions that have the ACS capability. The
 * syntax is the kernel's (drivers/pci/pci.c, __pci_config_acs and pci_dev_str_match). */

#define CONFIG_ACS_ENTRIES_MAX 32
#define CONFIG_ACS_PATH_MAX 8
#define CONFIG_ACS_FLAGS 7 /* bits that may be named: DT EC UF CR RR TB SV, the last one is bit 0 */

struct config_acs_entry {
        uint16_t mask;  /* bits that are given as 0 or 1; the others keep what the firmware left */
        uint16_t flags;
        bool by_id;     /* pci:VENDOR:DEVICE[:SUBVENDOR:SUBDEVICE], 0 for any */
        struct pci_id id, subsystem;
        struct bdf address; /* else [DOMAIN:]BUS:DEVICE.FUNCTION[/DEVICE.FUNCTION]… */
        uint8_t path[CONFIG_ACS_PATH_MAX];
        size_t n_path;
};

struct config_acs {
        struct config_acs_entry entries[CONFIG_ACS_ENTRIES_MAX];
        size_t n;
};

/* -EINVAL with what is wrong: the kernel would ignore the parameter, or the rest of it. */
int config_acs_parse(const char *s, struct config_acs *ret, struct err *e);

/* The first entry that matches, NULL when none does. */
const struct config_acs_entry *config_acs_find(const struct config_acs *c, const struct pci_topology *t,
                                               const struct pci_function *f);
