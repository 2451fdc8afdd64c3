/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "sys/holders.h"
#include "sys/module.h"

static int compare(const void *a, const void *b, void *userdata) {
        const struct pci_devices *devices = userdata;
        const struct pci_device *x = &devices->list[*(const size_t *) a], *y = &devices->list[*(const size_t *) b];

        return x->group != y->group ? x->group - y->group : bdf_compare(&x->address, &y->address);
}

size_t *groups_order(const struct groups *g) {
        size_t *order = calloc(g->devices.n + 1, sizeof(*order));

        if (!order)
                abort();
        for (size_t i = 0; i < g->devices.n; i++)
                order[i] = i;
        qsort_r(order, g->devices.n, sizeof(*order), compare, (void *) &g->devices);
        return order;
}

const struct lease *groups_lent_to(const struct groups *g, const struct pci_device *d) {
        char address[BDF_TEXT_MAX];

        return state_claimant(&g->state, &knob_pci_driver, bdf_format(&d->address, address));
}

bool groups_is_wanted(const struct groups *g, size_t device) {
        for (size_t i = 0; i < g->n_wanted; i++)
                if (bdf_compare(&g->wanted[i], &g->devices.list[device].address) == 0)
                        return true;
        return false;
}

bool groups_comes_along(const struct groups *g, size_t device) {
        const struct pci_device *d = &g->devices.list[device];

        if (d->bridge || d->group < 0 || groups_is_wanted(g, device))
                return false;
        for (size_t i = 0; i < g->devices.n; i++)
                if (g->devices.list[i].group == d->group && groups_is_wanted(g, i))
                        return true;
        return false;
}

size_t groups_given_up(const struct groups *g) {
        size_t n = 0;

        for (size_t a = 0; a < g->devices.n; a++)
                for (size_t b = a + 1; b < g->devices.n; b++)
                        n += prediction_gives_up(&g->prediction, &g->devices, a, b);
        return n;
}

const char *groups_note(const struct groups *g, size_t i) {
        static const struct {
                enum prediction_note note;
                const char *text;
        } notes[] = {
                { NOTE_RULES_DIFFER,
                  "the host's groups are not what the rules of a stock kernel give for it as it runs now: an ACS "
                  "override is active, or its kernel has other rules. Do not rely on this prediction" },
                { NOTE_NEEDS_PATCH,
                  "pcie_acs_override= works only with a patched kernel; others ignore it silently" },
                { NOTE_NO_CONFIG_ACS,
                  "the host's kernel does not know pci=config_acs=, which came with Linux 6.11" },
                { NOTE_FIRMWARE_UNKNOWN,
                  "config_acs leaves flags (x, or not written) to what the firmware set, and the kernel has "
                  "changed those since: they are taken as off. Write all seven flags to be sure" },
                { NOTE_IOMMU_OFF,
                  "the IOMMU was off when the registers were read: this is for a boot with it on" },
                { NOTE_NEWER_KERNEL,
                  "the rules were compared with kernels up to " IOMMU_GROUPS_CHECKED "; the host's is newer" },
        };
        size_t n = 0;

        for (size_t k = 0; k < ARRAY_SIZE(notes); k++)
                if ((g->prediction.notes & notes[k].note) && n++ == i)
                        return notes[k].text;
        return NULL;
}

int groups_read_details(const struct root *root, struct groups *g, struct err *e) {
        _cleanup_free_ const struct pci_device **list = calloc(g->devices.n + 1, sizeof(*list));
        struct holders *holders = calloc(g->devices.n + 1, sizeof(*holders));
        int r = -ENOMEM;

        g->details = calloc(g->devices.n + 1, sizeof(*g->details));
        if (!list || !holders || !g->details) {
                (void) err_set(e, r, ERR_FAILED, "", "out of memory");
                goto finish;
        }
        for (size_t i = 0; i < g->devices.n; i++) {
                struct group_details *details = &g->details[i];
                char address[BDF_TEXT_MAX];

                list[i] = &g->devices.list[i];
                bdf_format(&list[i]->address, address);
                (void) module_for_device(root, address, details->modules, sizeof(details->modules));
                if (root_read_attr(root, details->reset, sizeof(details->reset),
                                   "/sys/bus/pci/devices/%s/reset_method", address) < 0)
                        *details->reset = '\0';
        }
        r = holders_find(root, list, g->devices.n, holders, e);
        for (size_t i = 0; r >= 0 && i < g->devices.n; i++)
                if (holders[i].n > 0)
                        (void) holders_describe(&holders[i], g->details[i].used, sizeof(g->details[i].used));
finish:
        for (size_t i = 0; holders && i < g->devices.n; i++)
                holders_done(&holders[i]);
        free(holders);
        return r;
}
