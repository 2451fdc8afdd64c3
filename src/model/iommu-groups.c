/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/iommu-groups.h"

#include <string.h>

#include "model/dma-alias.h"

struct prediction {
        const struct pci_topology *t;
        const struct acs_override *override;
        int *group; /* by function, -1: none yet */
        int n_groups;
};

/* Addresses on a bus that a search has been at: it goes in circles otherwise. */
struct visited {
        uint64_t bits[4];
};

static bool visit(struct visited *v, uint8_t devfn) {
        uint64_t bit = UINT64_C(1) << (devfn & 63);
        bool first = !(v->bits[devfn >> 6] & bit);

        v->bits[devfn >> 6] |= bit;
        return first;
}

static int group_of_slot(const struct prediction *p, size_t i, struct visited *v);

/* The group of a function or of one that does DMA in its name. */
static int group_of_alias(const struct prediction *p, size_t i, struct visited *v) {
        const struct pci_function *f = &p->t->list[i];

        if (!visit(v, pci_function_devfn(f)))
                return -1;
        if (p->group[i] >= 0)
                return p->group[i];
        for (size_t k = 0; k < p->t->n; k++) {
                const struct pci_function *other = &p->t->list[k];
                int g;

                if (k == i || !pci_function_same_bus(f, other) || !dma_aliases(f, other))
                        continue;
                g = group_of_alias(p, k, v);
                if (g < 0)
                        g = group_of_slot(p, k, v);
                if (g >= 0)
                        return g;
        }
        return -1;
}

/* The group of another function of the slot: nothing keeps the functions of a device apart when neither says it
 * does. */
static int group_of_slot(const struct prediction *p, size_t i, struct visited *v) {
        const struct pci_function *f = &p->t->list[i];

        if (!f->multifunction || acs_enabled(p->t, i, p->override))
                return -1;
        for (size_t k = 0; k < p->t->n; k++) {
                int g;

                if (k == i || !bdf_same_slot(&f->address, &p->t->list[k].address) ||
                    acs_enabled(p->t, k, p->override))
                        continue;
                g = group_of_alias(p, k, v);
                if (g >= 0)
                        return g;
        }
        return -1;
}

/* The bridge that takes over the requests of a function; a group on the way there ends the search. *i is the
 * function whose requests the IOMMU sees. */
static int group_of_requester(const struct prediction *p, size_t *i) {
        const struct pci_function *list = p->t->list;

        *i = (size_t) list[*i].requester;
        if (p->group[*i] >= 0)
                return p->group[*i];
        for (ssize_t b = list[*i].bridge; b >= 0; b = list[b].bridge) {
                if (list[b].type != PCIE_NONE && list[b].type != PCIE_TO_PCI && list[b].type != PCI_TO_PCIE)
                        continue;
                *i = (size_t) b;
                if (p->group[b] >= 0)
                        return p->group[b];
        }
        return -1;
}

static int group_of(struct prediction *p, size_t i) {
        const struct pci_function *list = p->t->list;
        struct visited v = {};
        int g;

        g = group_of_requester(p, &i);
        if (g >= 0)
                return g;
        /* Up to where peers can't reach each other below the IOMMU. */
        for (ssize_t b = list[i].bridge; b >= 0 && !acs_path_enabled(p->t, b, p->override); b = list[b].bridge) {
                i = (size_t) b;
                if (p->group[b] >= 0)
                        return p->group[b];
        }
        g = group_of_alias(p, i, &v);
        if (g < 0)
                g = group_of_slot(p, i, &v);
        return g >= 0 ? g : p->n_groups++;
}

void iommu_groups_predict(const struct pci_topology *t, const struct acs_override *override, int *ret) {
        struct prediction p = { .t = t, .override = override, .group = ret };

        for (size_t i = 0; i < t->n; i++)
                ret[i] = -1;
        /* Virtual functions come into being last, when a driver asks for them. */
        for (int vf = 0; vf < 2; vf++)
                for (size_t i = 0; i < t->n; i++)
                        if (t->list[i].translated && t->list[i].is_vf == vf)
                                ret[i] = group_of(&p, i);
}

bool iommu_groups_equal(const int *a, const int *b, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if ((a[i] < 0) != (b[i] < 0))
                        return false;
                for (size_t k = 0; k < i; k++)
                        if (a[i] >= 0 && (a[i] == a[k]) != (b[i] == b[k]))
                                return false;
        }
        return true;
}
