/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/groups.h"
#include "cli/table.h"

/* "[lent to win10] [boot VGA] VGA compatible controller: NVIDIA …" */
static void describe(const struct groups *g, size_t i, char *buf, size_t size) {
        const struct pci_device *d = &g->devices.list[i];
        const struct lease *lease = groups_lent_to(g, d);
        char kind[128], name[256];

        (void) str_format(buf, size, "%s%s%s%s%s: %s", lease ? "[lent to " : "", lease ? lease->domain : "",
                          lease ? "] " : "", d->boot_vga ? "[boot VGA] " : "",
                          pci_names_class(g->names, d, kind, sizeof(kind)),
                          pci_names_device(g->names, d, name, sizeof(name)));
}

static void format_group(const struct pci_device *d, char *buf, size_t size) {
        if (d->group >= 0)
                (void) str_format(buf, size, "%d", d->group);
        else
                (void) str_copy(buf, size, "-");
}

static void add_row(const struct groups *g, struct table *t, size_t i) {
        const struct pci_device *d = &g->devices.list[i];
        char group[16], address[BDF_TEXT_MAX], id[PCI_ID_TEXT_MAX], text[1024];

        format_group(d, group, sizeof(group));
        describe(g, i, text, sizeof(text));
        table_row(t, group, bdf_format(&d->address, address), pci_id_format(&d->id, id),
                  *d->driver ? d->driver : "-", text);
}

static void add_long_row(const struct groups *g, struct table *t, size_t i) {
        const struct pci_device *d = &g->devices.list[i];
        const struct group_details *details = &g->details[i];
        const char *idle = geteuid() == 0 ? "not in use" : "only root sees whether it is in use";
        char group[16], address[BDF_TEXT_MAX], id[PCI_ID_TEXT_MAX], text[1024], all[2048];

        format_group(d, group, sizeof(group));
        describe(g, i, text, sizeof(text));
        (void) str_format(all, sizeof(all), "%s; modules: %s; reset: %s; %s", text,
                          *details->modules ? details->modules : "none", *details->reset ? details->reset : "none",
                          *details->used ? details->used : idle);
        table_row(t, group, bdf_format(&d->address, address), pci_id_format(&d->id, id),
                  *d->driver ? d->driver : "-", all);
}

void groups_print_table(const struct groups *g) {
        _cleanup_table_ struct table *t = table_new("GROUP", "ADDRESS", "ID", "DRIVER", "DEVICE", NULL);
        _cleanup_free_ size_t *order = groups_order(g);

        for (size_t i = 0; i < g->devices.n; i++)
                if (g->details)
                        add_long_row(g, t, order[i]);
                else
                        add_row(g, t, order[i]);
        table_print(t, g->details ? TABLE_WRAP : TABLE_CUT);
}

static void add_branch(const struct groups *g, struct table *t, const struct bdf *parent, int depth) {
        for (size_t i = 0; i < g->devices.n; i++) {
                const struct pci_device *d = &g->devices.list[i];
                char group[16], address[BDF_TEXT_MAX], indented[256], id[PCI_ID_TEXT_MAX], text[1024];

                if (parent ? !d->has_parent || bdf_compare(&d->parent, parent) != 0 :
                             d->has_parent && pci_devices_find(&g->devices, &d->parent))
                        continue;
                (void) str_format(indented, sizeof(indented), "%*s%s", 2 * (depth < 64 ? depth : 64), "",
                                  bdf_format(&d->address, address));
                format_group(d, group, sizeof(group));
                describe(g, i, text, sizeof(text));
                table_row(t, indented, group, pci_id_format(&d->id, id), *d->driver ? d->driver : "-", text);
                /* A bridge is before what is behind it: an address that is its own ancestor is none of ours. */
                if (!parent || bdf_compare(&d->address, parent) > 0)
                        add_branch(g, t, &d->address, depth + 1);
        }
}

void groups_print_tree(const struct groups *g) {
        _cleanup_table_ struct table *t = table_new("ADDRESS", "GROUP", "ID", "DRIVER", "DEVICE", NULL);

        add_branch(g, t, NULL, 0);
        table_print(t, TABLE_CUT);
}
