/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/str.h"
#include "cli/groups.h"

static struct json_object *text_or_null(const char *s) {
        return *s ? json_object_new_string(s) : NULL;
}

static struct json_object *address_to_json(const struct bdf *address) {
        char text[BDF_TEXT_MAX];

        return json_object_new_string(bdf_format(address, text));
}

static struct json_object *device_to_json(const struct groups *g, size_t i) {
        const struct pci_device *d = &g->devices.list[i];
        const struct lease *lease = groups_lent_to(g, d);
        struct json_object *o = json_object_new_object();
        char text[256];

        json_object_object_add(o, "address", address_to_json(&d->address));
        json_object_object_add(o, "id", json_object_new_string(pci_id_format(&d->id, text)));
        json_object_object_add(o, "subsystem", json_object_new_string(pci_id_format(&d->subsystem, text)));
        (void) str_format(text, sizeof(text), "%06x", d->class_code);
        json_object_object_add(o, "class", json_object_new_string(text));
        json_object_object_add(o, "class_name",
                               json_object_new_string(pci_names_class(g->names, d, text, sizeof(text))));
        json_object_object_add(o, "name",
                               json_object_new_string(pci_names_device(g->names, d, text, sizeof(text))));
        json_object_object_add(o, "parent", d->has_parent ? address_to_json(&d->parent) : NULL);
        json_object_object_add(o, "driver", text_or_null(d->driver));
        json_object_object_add(o, "bridge", json_object_new_boolean(d->bridge));
        json_object_object_add(o, "boot_vga", json_object_new_boolean(d->boot_vga));
        json_object_object_add(o, "lent_to", lease ? json_object_new_string(lease->domain) : NULL);
        if (g->details) {
                json_object_object_add(o, "modules", text_or_null(g->details[i].modules));
                json_object_object_add(o, "reset", text_or_null(g->details[i].reset));
                json_object_object_add(o, "used_by", text_or_null(g->details[i].used));
        }
        return o;
}

static struct json_object *wanted_to_json(const struct groups *g) {
        struct json_object *o = json_object_new_object(), *devices = json_object_new_array(),
                           *others = json_object_new_array();

        for (size_t i = 0; i < g->devices.n; i++) {
                if (groups_is_wanted(g, i))
                        json_object_array_add(devices, address_to_json(&g->devices.list[i].address));
                if (groups_comes_along(g, i))
                        json_object_array_add(others, address_to_json(&g->devices.list[i].address));
        }
        json_object_object_add(o, "devices", devices);
        json_object_object_add(o, "alone", json_object_new_boolean(json_object_array_length(others) == 0));
        json_object_object_add(o, "others", others);
        return o;
}

static struct json_object *given_up_to_json(const struct groups *g) {
        struct json_object *pairs = json_object_new_array();

        for (size_t a = 0; a < g->devices.n; a++)
                for (size_t b = a + 1; b < g->devices.n; b++)
                        if (prediction_gives_up(&g->prediction, &g->devices, a, b)) {
                                struct json_object *pair = json_object_new_array();

                                json_object_array_add(pair, address_to_json(&g->devices.list[a].address));
                                json_object_array_add(pair, address_to_json(&g->devices.list[b].address));
                                json_object_array_add(pairs, pair);
                        }
        return pairs;
}

static struct json_object *prediction_to_json(const struct groups *g) {
        const struct prediction *p = &g->prediction;
        struct json_object *o = json_object_new_object(), *before = json_object_new_object(),
                           *notes = json_object_new_array();
        char address[BDF_TEXT_MAX];
        const char *note;

        for (size_t i = 0; i < p->n; i++)
                json_object_object_add(before, bdf_format(&g->devices.list[i].address, address),
                                       p->before[i] < 0 ? NULL : json_object_new_int(p->before[i]));
        for (size_t i = 0; (note = groups_note(g, i)); i++)
                json_object_array_add(notes, json_object_new_string(note));
        json_object_object_add(o, "rules", json_object_new_string("Linux " IOMMU_GROUPS_CHECKED));
        json_object_object_add(o, "today", json_object_new_boolean(p->today));
        json_object_object_add(o, "before", before);
        json_object_object_add(o, "changed",
                               json_object_new_boolean(!iommu_groups_equal(p->before, p->after, p->n)));
        json_object_object_add(o, "isolation_given_up", given_up_to_json(g));
        json_object_object_add(o, "notes", notes);
        return o;
}

struct json_object *groups_to_json(const struct groups *g) {
        struct json_object *o = json_object_new_object(), *groups = json_object_new_array(),
                           *without = json_object_new_array(), *list = without;
        _cleanup_free_ size_t *order = groups_order(g);
        int last = -1;

        for (size_t i = 0; i < g->devices.n; i++) {
                const struct pci_device *d = &g->devices.list[order[i]];

                if (d->group != last) {
                        struct json_object *group = json_object_new_object();

                        last = d->group;
                        list = json_object_new_array();
                        json_object_object_add(group, "id", json_object_new_int(d->group));
                        json_object_object_add(group, "devices", list);
                        json_object_array_add(groups, group);
                }
                json_object_array_add(list, device_to_json(g, order[i]));
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "groups", groups);
        json_object_object_add(o, "without_group", without);
        if (g->predicted)
                json_object_object_add(o, "prediction", prediction_to_json(g));
        if (g->n_wanted > 0)
                json_object_object_add(o, "wanted", wanted_to_json(g));
        return o;
}
