/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/acs-override.h"
#include "model/config-acs.h"
#include "model/pci-topology.h"

/* PCI Access Control Services: whether a function or port sends all its requests up to the IOMMU. The rules are
 * those of drivers/pci/pci.c and drivers/pci/quirks.c, read in Linux 6.1, 6.12 and 6.18 and compared with groups
 * of the first two; where versions differ it is said. */

/* Bits of the capability and control registers (include/uapi/linux/pci_regs.h) */
#define ACS_SV 0x01 /* source validation */
#define ACS_TB 0x02 /* translation blocking */
#define ACS_RR 0x04 /* peer-to-peer request redirect */
#define ACS_CR 0x08 /* peer-to-peer completion redirect */
#define ACS_UF 0x10 /* upstream forwarding */
#define ACS_EC 0x20 /* peer-to-peer egress control */
#define ACS_DT 0x40 /* direct translated peer-to-peer */

/* What the kernel switches on where it can, and asks for before it believes in isolation (drivers/iommu/iommu.c,
 * REQ_ACS_FLAGS). */
#define ACS_WANTED (ACS_SV | ACS_RR | ACS_CR | ACS_UF)

/* The parameters of a boot. */
struct acs_settings {
        bool boot;                    /* false: no boot is asked about, the registers stay as they are */
        struct acs_override override; /* pcie_acs_override= */
        struct config_acs config;     /* pci=config_acs= */
};

/* Where the control register is, from the start of the ACS capability: 6, or 8 on root ports of Intel's 100 and
 * 200 series (pci_quirk_intel_spt_pch_acs_match). */
unsigned acs_control_offset(const struct pci_id *id, enum pcie_type type);

/* Fills in acs_active of all functions. A bit that config_acs leaves to the firmware counts as off where the
 * kernel had already changed it: *ret_guessed (may be NULL) says that there was one. */
void acs_configure(struct pci_topology *t, const struct acs_settings *s, bool *ret_guessed);

/* pci_acs_enabled(function, REQ_ACS_FLAGS) */
bool acs_enabled(const struct pci_topology *t, size_t function, const struct acs_override *override);

/* The same for a bridge and all above it: pci_acs_path_enabled(bridge, NULL, …) */
bool acs_path_enabled(const struct pci_topology *t, ssize_t bridge, const struct acs_override *override);

/* What the quirks of drivers/pci/quirks.c say about a function. */
enum acs_quirk { ACS_QUIRK_NONE, ACS_QUIRK_ISOLATED, ACS_QUIRK_NOT_ISOLATED };
enum acs_quirk acs_quirk(const struct pci_topology *t, const struct pci_function *f);
