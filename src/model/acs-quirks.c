/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Functions whose isolation the kernel knows without, or against, an ACS capability: pci_dev_acs_enabled[] in
 * drivers/pci/quirks.c. The table is the same in Linux 6.1.192 and 6.12.117; in 6.18 it lacks 17cb:0111 and
 * 17cb:0120. */

#include "model/acs.h"

enum quirk_rule {
        ISOLATED,
        NEVER,             /* not isolated, whatever its registers say */
        ROOT_PORT,         /* isolated if it is a root port */
        PORT,              /* … or a downstream port */
        PORT_NEVER,        /* a root or downstream port that is none of those above it in the table */
        RC_ENDPOINT,       /* isolated if it is integrated into the root complex: VT-d, 3.16 */
        AMD_SOUTHBRIDGE,   /* isolated in a multi-function slot of the root bus, with an AMD IOMMU */
        INTEL_PCH,         /* root port: isolated as far as the kernel finds the registers to make it so */
};

struct quirk {
        uint16_t vendor, first, last;
        enum quirk_rule rule;
};

/* The first row with an answer counts. */
static const struct quirk quirks[] = {
        { 0x1002, 0x4383, 0x4385, AMD_SOUTHBRIDGE }, /* SBx00 */
        { 0x1002, 0x4399, 0x4399, AMD_SOUTHBRIDGE },
        { 0x1002, 0x439c, 0x439d, AMD_SOUTHBRIDGE },
        { 0x1022, 0x7809, 0x7809, AMD_SOUTHBRIDGE }, /* FCH */
        { 0x1022, 0x780f, 0x780f, AMD_SOUTHBRIDGE },
        { 0x1924, 0x0903, 0x0903, ISOLATED }, /* Solarflare */
        { 0x1924, 0x0923, 0x0923, ISOLATED },
        { 0x1924, 0x0a03, 0x0a03, ISOLATED },
        { 0x8086, 0x10c6, 0x10c6, ISOLATED }, /* Intel 8259x */
        { 0x8086, 0x10db, 0x10db, ISOLATED },
        { 0x8086, 0x10dd, 0x10dd, ISOLATED },
        { 0x8086, 0x10e1, 0x10e1, ISOLATED },
        { 0x8086, 0x10f1, 0x10f1, ISOLATED },
        { 0x8086, 0x10f7, 0x10fc, ISOLATED },
        { 0x8086, 0x1507, 0x1507, ISOLATED },
        { 0x8086, 0x1514, 0x1514, ISOLATED },
        { 0x8086, 0x151c, 0x151c, ISOLATED },
        { 0x8086, 0x1529, 0x152a, ISOLATED },
        { 0x8086, 0x154d, 0x154d, ISOLATED },
        { 0x8086, 0x154f, 0x154f, ISOLATED },
        { 0x8086, 0x1551, 0x1551, ISOLATED },
        { 0x8086, 0x1558, 0x1558, ISOLATED },
        { 0x8086, 0x1509, 0x1509, ISOLATED }, /* 82580 */
        { 0x8086, 0x150e, 0x1511, ISOLATED },
        { 0x8086, 0x1516, 0x1516, ISOLATED },
        { 0x8086, 0x1527, 0x1527, ISOLATED },
        { 0x8086, 0x10c9, 0x10c9, ISOLATED }, /* 82576 */
        { 0x8086, 0x10e6, 0x10e8, ISOLATED },
        { 0x8086, 0x150a, 0x150a, ISOLATED },
        { 0x8086, 0x150d, 0x150d, ISOLATED },
        { 0x8086, 0x1518, 0x1518, ISOLATED },
        { 0x8086, 0x1526, 0x1526, ISOLATED },
        { 0x8086, 0x10a7, 0x10a7, ISOLATED }, /* 82575 */
        { 0x8086, 0x10a9, 0x10a9, ISOLATED },
        { 0x8086, 0x10d6, 0x10d6, ISOLATED },
        { 0x8086, 0x1521, 0x1524, ISOLATED }, /* I350 */
        { 0x8086, 0x105e, 0x1060, ISOLATED }, /* 82571 */
        { 0x8086, 0x10d9, 0x10d9, ISOLATED },
        { 0x8086, 0x15b7, 0x15b8, ISOLATED }, /* I219 */
        { 0x8086, 0x0000, 0xffff, RC_ENDPOINT },
        { 0x8086, 0x3b42, 0x3b51, INTEL_PCH }, /* series 5 */
        { 0x8086, 0x1c10, 0x1c1f, INTEL_PCH }, /* 6 */
        { 0x8086, 0x1e10, 0x1e1f, INTEL_PCH }, /* 7 */
        { 0x8086, 0x8c10, 0x8c1f, INTEL_PCH }, /* 8 */
        { 0x8086, 0x9c10, 0x9c1b, INTEL_PCH },
        { 0x8086, 0x9c90, 0x9c9b, INTEL_PCH },
        { 0x8086, 0x1d10, 0x1d10, INTEL_PCH }, /* X79: even numbers only */
        { 0x8086, 0x1d12, 0x1d12, INTEL_PCH },
        { 0x8086, 0x1d14, 0x1d14, INTEL_PCH },
        { 0x8086, 0x1d16, 0x1d16, INTEL_PCH },
        { 0x8086, 0x1d18, 0x1d18, INTEL_PCH },
        { 0x8086, 0x1d1a, 0x1d1a, INTEL_PCH },
        { 0x8086, 0x1d1c, 0x1d1c, INTEL_PCH },
        { 0x8086, 0x1d1e, 0x1d1e, INTEL_PCH },
        { 0x8086, 0x8d10, 0x8d1e, INTEL_PCH }, /* X99 */
        { 0x8086, 0x8c90, 0x8c90, INTEL_PCH }, /* 9: even numbers only */
        { 0x8086, 0x8c92, 0x8c92, INTEL_PCH },
        { 0x8086, 0x8c94, 0x8c94, INTEL_PCH },
        { 0x8086, 0x8c96, 0x8c96, INTEL_PCH },
        { 0x8086, 0x8c98, 0x8c98, INTEL_PCH },
        { 0x8086, 0x8c9a, 0x8c9a, INTEL_PCH },
        { 0x8086, 0x8c9c, 0x8c9c, INTEL_PCH },
        { 0x8086, 0x8c9e, 0x8c9e, INTEL_PCH },
        { 0x17cb, 0x0400, 0x0401, ISOLATED }, /* Qualcomm root ports */
        { 0x17cb, 0x0115, 0x0115, ISOLATED },
        { 0x17cb, 0x0111, 0x0111, ISOLATED },
        { 0x17cb, 0x0120, 0x0120, ISOLATED },
        { 0x1dbf, 0x0401, 0x0401, ISOLATED },  /* HXT */
        { 0x19a2, 0x0710, 0x0710, ISOLATED },  /* Emulex */
        { 0x10df, 0x0720, 0x0720, ISOLATED },
        { 0x177d, 0xa000, 0xa7ff, ROOT_PORT }, /* Cavium */
        { 0x177d, 0xaf84, 0xaf84, ROOT_PORT },
        { 0x177d, 0xb884, 0xb884, ROOT_PORT },
        { 0x177d, 0xa026, 0xa026, ISOLATED },
        { 0x177d, 0xa059, 0xa059, ISOLATED },
        { 0x177d, 0xa060, 0xa060, ISOLATED },
        { 0x10e8, 0xe004, 0xe004, ISOLATED }, /* X-Gene */
        { 0x1def, 0xe005, 0xe00c, ISOLATED }, /* Ampere */
        { 0x14e4, 0x16d7, 0x16d7, ISOLATED }, /* Broadcom */
        { 0x14e4, 0x1750, 0x1752, ISOLATED },
        { 0x14e4, 0x1760, 0x1763, ISOLATED },
        { 0x14e4, 0xd714, 0xd714, ISOLATED },
        { 0x0014, 0x3c09, 0x3c09, ISOLATED }, /* Loongson */
        { 0x0014, 0x3c19, 0x3c19, ISOLATED },
        { 0x0014, 0x3c29, 0x3c29, ISOLATED },
        { 0x0014, 0x7a09, 0x7a09, ISOLATED },
        { 0x0014, 0x7a19, 0x7a19, ISOLATED },
        { 0x0014, 0x7a29, 0x7a29, ISOLATED },
        { 0x0014, 0x7a39, 0x7a39, ISOLATED },
        { 0x0014, 0x7a49, 0x7a49, ISOLATED },
        { 0x0014, 0x7a59, 0x7a59, ISOLATED },
        { 0x0014, 0x7a69, 0x7a69, ISOLATED },
        { 0x1c36, 0x0031, 0x0031, ROOT_PORT }, /* Annapurna */
        { 0x1d17, 0x3038, 0x3038, ISOLATED },  /* Zhaoxin */
        { 0x1d17, 0x3104, 0x3104, ISOLATED },
        { 0x1d17, 0x9083, 0x9083, ISOLATED },
        { 0x1d17, 0x0710, 0x071e, PORT },
        { 0x1d17, 0x0721, 0x0721, PORT },
        { 0x1d17, 0x0723, 0x0752, PORT },
        { 0x1d17, 0x0000, 0xffff, PORT_NEVER },
        { 0x1957, 0x8d80, 0x8d83, ISOLATED }, /* NXP LX2 */
        { 0x1957, 0x8d88, 0x8d8b, ISOLATED },
        { 0x1957, 0x8d90, 0x8d93, ISOLATED },
        { 0x1957, 0x8d98, 0x8d9b, ISOLATED },
        { 0x1957, 0x8da0, 0x8da1, ISOLATED },
        { 0x1957, 0x8da8, 0x8da9, ISOLATED },
        { 0x1957, 0x8db0, 0x8db1, ISOLATED },
        { 0x1957, 0x8db8, 0x8db9, ISOLATED },
        { 0x8088, 0x0100, 0x010f, ISOLATED }, /* Wangxun */
        { 0x8088, 0x1001, 0x1001, ISOLATED },
        { 0x8088, 0x2001, 0x2001, ISOLATED },
        { 0x8088, 0x5010, 0x5010, ISOLATED },
        { 0x8088, 0x5025, 0x5025, ISOLATED },
        { 0x8088, 0x5040, 0x5040, ISOLATED },
        { 0x8088, 0x5110, 0x5110, ISOLATED },
        { 0x8088, 0x5125, 0x5125, ISOLATED },
        { 0x8088, 0x5140, 0x5140, ISOLATED },
        { 0x8088, 0x0000, 0xffff, NEVER },
};

/* The kernel asks the LPC bridge on the port's bus for the registers that it needs
 * (pci_quirk_enable_intel_lpc_acs). */
static bool has_rcba(const struct pci_topology *t, const struct pci_function *port) {
        struct bdf lpc = { port->address.domain, port->address.bus, 0x1f, 0 };
        ssize_t i = pci_topology_find(t, &lpc);

        return i >= 0 && t->list[i].rcba;
}

static enum acs_quirk answer(enum quirk_rule rule, const struct pci_topology *t, const struct pci_function *f) {
        bool port = f->type == PCIE_ROOT_PORT || f->type == PCIE_DOWNSTREAM;

        switch (rule) {
        case ISOLATED:
                return ACS_QUIRK_ISOLATED;
        case NEVER:
                return ACS_QUIRK_NOT_ISOLATED;
        case ROOT_PORT:
                return f->type == PCIE_ROOT_PORT ? ACS_QUIRK_ISOLATED : ACS_QUIRK_NONE;
        case PORT:
                return port ? ACS_QUIRK_ISOLATED : ACS_QUIRK_NONE;
        case PORT_NEVER:
                return port ? ACS_QUIRK_NOT_ISOLATED : ACS_QUIRK_NONE;
        case RC_ENDPOINT:
                return f->type == PCIE_RC_ENDPOINT ? ACS_QUIRK_ISOLATED : ACS_QUIRK_NONE;
        case AMD_SOUTHBRIDGE:
                return f->multifunction && f->bridge < 0 && t->ivrs ? ACS_QUIRK_ISOLATED : ACS_QUIRK_NONE;
        case INTEL_PCH:
                if (f->type != PCIE_ROOT_PORT)
                        return ACS_QUIRK_NONE;
                return has_rcba(t, f) ? ACS_QUIRK_ISOLATED : ACS_QUIRK_NOT_ISOLATED;
        }
        return ACS_QUIRK_NONE;
}

enum acs_quirk acs_quirk(const struct pci_topology *t, const struct pci_function *f) {
        for (size_t i = 0; i < ARRAY_SIZE(quirks); i++) {
                const struct quirk *q = &quirks[i];
                enum acs_quirk a;

                if (f->id.vendor != q->vendor || f->id.device < q->first || f->id.device > q->last)
                        continue;
                a = answer(q->rule, t, f);
                if (a != ACS_QUIRK_NONE)
                        return a;
        }
        return ACS_QUIRK_NONE;
}
