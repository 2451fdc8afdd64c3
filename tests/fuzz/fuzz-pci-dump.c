/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What lspci -xxxx is said to have printed, by strangers: whatever it is, each function is in one group, and in
 * that of what it does DMA through. */

#include <stdint.h>
#include <stdlib.h>

#include "model/iommu-groups.h"
#include "sys/pci-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

static void check(struct pci_topology *t, const struct acs_settings *s) {
        _cleanup_free_ int *groups = calloc(t->n + 1, sizeof(*groups));

        want(groups);
        acs_configure(t, s, NULL);
        iommu_groups_predict(t, &s->override, groups);
        for (size_t i = 0; i < t->n; i++) {
                const struct pci_function *f = &t->list[i];

                want(groups[i] >= 0 && (size_t) groups[i] < t->n);
                want(f->bridge < (ssize_t) i || f->is_vf);
                if (f->bridge >= 0 && t->list[f->bridge].type == PCIE_TO_PCI && !f->is_vf)
                        want(groups[i] == groups[f->bridge]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_pci_topology_ struct pci_topology t = {};
        struct acs_settings s = { .boot = true };
        struct err e;

        if (dump_pci_topology((const char *) data, size, &t, &e) < 0)
                return 0;
        want(t.n > 0);
        check(&t, &s);
        s.boot = false;
        check(&t, &s);
        want(acs_override_parse("downstream,multifunction", &s.override, &e) == 0);
        want(config_acs_parse("0@pci:0:0", &s.config, &e) == 0);
        s.boot = true;
        check(&t, &s);
        return 0;
}
