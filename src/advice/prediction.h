/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/iommu-groups.h"

/* What a machine's IOMMU groups would be after a boot with other parameters. */

enum prediction_note {
        NOTE_RULES_DIFFER = 1,     /* the host's groups are not what the rules give for it as it is */
        NOTE_FIRMWARE_UNKNOWN = 2, /* config_acs leaves bits to the firmware, that it can't know */
        NOTE_NO_CONFIG_ACS = 4,    /* the host's kernel is older than the parameter (Linux 6.11) */
        NOTE_NEWER_KERNEL = 8,     /* … newer than the rules were compared with */
        NOTE_NEEDS_PATCH = 16,     /* pcie_acs_override= is in no released kernel */
        NOTE_IOMMU_OFF = 32,       /* it was off when the registers were read: judged as if it were on */
};

struct prediction {
        size_t n;         /* functions, those of devices, in the same order */
        bool today;       /* before is what the host has; else what the rules say without parameters */
        int *before, *after;
        int *honest;      /* after, if the kernel believed in no isolation but the hardware's */
        unsigned notes;   /* enum prediction_note */
};
void prediction_done(struct prediction *p);
#define _cleanup_prediction_ _cleanup_(prediction_done)

/* For the host that root has; devices as host_pci_devices gave them. Errors: what host_pci_topology answers. */
int predict_host(const struct root *root, const struct pci_devices *devices, const struct acs_settings *s,
                 struct prediction *ret, struct err *e) _must_check_;

/* From what "lspci -xxxx" printed. *ret_devices has what configuration space says about each function. Caller
 * frees both. Errors: what dump_pci_topology answers. */
int predict_dump(const char *text, size_t size, const struct acs_settings *s, struct pci_devices *ret_devices,
                 struct prediction *ret, struct err *e) _must_check_;

/* The kernel would keep these two apart, though nothing but the override says that they can't reach each other's
 * memory. Bridges do no DMA of their own and do not count. */
bool prediction_gives_up(const struct prediction *p, const struct pci_devices *devices, size_t a, size_t b);
