/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/prediction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/pci-config.h"

#define BASE_CLASS_BRIDGE 0x06

void prediction_done(struct prediction *p) {
        free(p->before);
        free(p->after);
        free(p->honest);
        *p = (struct prediction) {};
}

static const struct acs_override no_override;

/* ret[i] for t->list[i] */
static unsigned predict(struct pci_topology *t, const struct acs_settings *s, struct prediction *ret) {
        static const struct acs_settings as_it_is;
        unsigned notes = 0;
        bool guessed;

        acs_configure(t, &as_it_is, NULL);
        iommu_groups_predict(t, &no_override, ret->before);
        acs_configure(t, s, &guessed);
        iommu_groups_predict(t, &no_override, ret->honest);
        iommu_groups_predict(t, &s->override, ret->after);
        if (guessed)
                notes |= NOTE_FIRMWARE_UNKNOWN;
        if (!t->iommu_on)
                notes |= NOTE_IOMMU_OFF;
        if (memcmp(&s->override, &no_override, sizeof(no_override)) != 0)
                notes |= NOTE_NEEDS_PATCH;
        return notes;
}

static int prediction_new(size_t n, struct prediction *ret) {
        *ret = (struct prediction) { .n = n };
        ret->before = calloc(n + 1, sizeof(*ret->before));
        ret->after = calloc(n + 1, sizeof(*ret->after));
        ret->honest = calloc(n + 1, sizeof(*ret->honest));
        if (ret->before && ret->after && ret->honest)
                return 0;
        prediction_done(ret);
        return -ENOMEM;
}

static unsigned kernel_notes(const struct root *root, const struct acs_settings *s) {
        unsigned major, minor, checked_major, checked_minor;
        unsigned notes = 0;
        char release[128];

        if (root_read_attr(root, release, sizeof(release), "/proc/sys/kernel/osrelease") < 0 ||
            sscanf(release, "%u.%u", &major, &minor) != 2 ||
            sscanf(IOMMU_GROUPS_CHECKED, "%u.%u", &checked_major, &checked_minor) != 2)
                return 0;
        if (s->config.n > 0 && (major < 6 || (major == 6 && minor < 11)))
                notes |= NOTE_NO_CONFIG_ACS;
        if (major > checked_major || (major == checked_major && minor > checked_minor))
                notes |= NOTE_NEWER_KERNEL;
        return notes;
}

/* Both lists are ordered by address, but a function may have come or gone in between. */
static int match(const struct pci_topology *t, const struct pci_devices *devices, struct err *e) {
        bool same = t->n == devices->n;

        for (size_t i = 0; same && i < t->n; i++)
                same = bdf_compare(&t->list[i].address, &devices->list[i].address) == 0;
        if (!same)
                return err_set(e, -EAGAIN, ERR_FAILED, "",
                               "PCI functions came or went while they were read: try again");
        return 0;
}

int predict_host(const struct root *root, const struct pci_devices *devices, const struct acs_settings *s,
                 struct prediction *ret, struct err *e) {
        _cleanup_pci_topology_ struct pci_topology t = {};
        _cleanup_prediction_ struct prediction p = {};
        int r;

        r = host_pci_topology(root, devices, &t, e);
        if (r < 0)
                return r;
        r = match(&t, devices, e);
        if (r < 0)
                return r;
        r = prediction_new(t.n, &p);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "", "out of memory");
        p.notes = predict(&t, s, &p) | kernel_notes(root, s);
        if (t.iommu_on) {
                int *rules = p.before;

                p.before = calloc(t.n + 1, sizeof(*p.before));
                for (size_t i = 0; p.before && i < t.n; i++)
                        p.before[i] = devices->list[i].group;
                if (!p.before || !iommu_groups_equal(rules, p.before, t.n))
                        p.notes |= NOTE_RULES_DIFFER;
                free(rules);
                if (!p.before)
                        return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory");
                p.today = true;
        }

        *ret = TAKE(p, (struct prediction) {});
        return 0;
}

static struct pci_device to_device(const struct pci_topology *t, const struct pci_function *f) {
        struct pci_device d = {
                .address = f->address,
                .id = f->id,
                .subsystem = f->subsystem,
                .class_code = f->class_code,
                .group = -1,
                .bridge = f->class_code >> 16 == BASE_CLASS_BRIDGE,
                .has_parent = f->bridge >= 0,
        };

        if (d.has_parent)
                d.parent = t->list[f->bridge].address;
        return d;
}

int predict_dump(const char *text, size_t size, const struct acs_settings *s, struct pci_devices *ret_devices,
                 struct prediction *ret, struct err *e) {
        _cleanup_pci_topology_ struct pci_topology t = {};
        _cleanup_pci_devices_ struct pci_devices devices = {};
        _cleanup_prediction_ struct prediction p = {};
        int r;

        r = dump_pci_topology(text, size, &t, e);
        if (r < 0)
                return r;
        devices.list = calloc(t.n + 1, sizeof(*devices.list));
        r = prediction_new(t.n, &p);
        if (r < 0 || !devices.list)
                return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory");
        for (; devices.n < t.n; devices.n++)
                devices.list[devices.n] = to_device(&t, &t.list[devices.n]);
        p.notes = predict(&t, s, &p);

        *ret_devices = TAKE(devices, (struct pci_devices) {});
        *ret = TAKE(p, (struct prediction) {});
        return 0;
}

bool prediction_gives_up(const struct prediction *p, const struct pci_devices *devices, size_t a, size_t b) {
        return a != b && !devices->list[a].bridge && !devices->list[b].bridge && p->honest[a] >= 0 &&
               p->honest[a] == p->honest[b] && p->after[a] != p->after[b];
}
