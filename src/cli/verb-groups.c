/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "lease/state.h"
#include "sys/pci.h"

static int compare_groups(const void *a, const void *b) {
        const struct pci_device *x = a, *y = b;

        return x->group != y->group ? x->group - y->group : bdf_compare(&x->address, &y->address);
}

static struct json_object *device_to_json(const struct pci_device *d, struct pci_names *names,
                                          const struct lease *lease) {
        struct json_object *o = json_object_new_object();
        char text[256];

        json_object_object_add(o, "address", json_object_new_string(bdf_format(&d->address, text)));
        json_object_object_add(o, "id", json_object_new_string(pci_id_format(&d->id, text)));
        json_object_object_add(o, "subsystem", json_object_new_string(pci_id_format(&d->subsystem, text)));
        (void) str_format(text, sizeof(text), "%06x", d->class_code);
        json_object_object_add(o, "class", json_object_new_string(text));
        json_object_object_add(o, "class_name", json_object_new_string(pci_names_class(names, d, text, sizeof(text))));
        json_object_object_add(o, "name", json_object_new_string(pci_names_device(names, d, text, sizeof(text))));
        json_object_object_add(o, "driver", *d->driver ? json_object_new_string(d->driver) : NULL);
        json_object_object_add(o, "bridge", json_object_new_boolean(d->bridge));
        json_object_object_add(o, "boot_vga", json_object_new_boolean(d->boot_vga));
        json_object_object_add(o, "lent_to", lease ? json_object_new_string(lease->domain) : NULL);
        return o;
}

static const struct lease *lent_to(const struct state *s, const struct pci_device *d) {
        char address[BDF_TEXT_MAX];

        return state_claimant(s, &knob_pci_driver, bdf_format(&d->address, address));
}

/* devices are sorted by group; those without one come first. */
static int print_json(const struct pci_devices *devices, struct pci_names *names, const struct state *s) {
        struct json_object *o = json_object_new_object(), *groups = json_object_new_array(),
                           *without = json_object_new_array(), *list = without;

        for (size_t i = 0; i < devices->n; i++) {
                const struct pci_device *d = &devices->list[i];

                if (d->group >= 0 && (i == 0 || devices->list[i - 1].group != d->group)) {
                        struct json_object *group = json_object_new_object();

                        list = json_object_new_array();
                        json_object_object_add(group, "id", json_object_new_int(d->group));
                        json_object_object_add(group, "devices", list);
                        json_object_array_add(groups, group);
                }
                json_object_array_add(list, device_to_json(d, names, lent_to(s, d)));
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "groups", groups);
        json_object_object_add(o, "without_group", without);
        return cli_print_json(o);
}

static int print_table(const struct pci_devices *devices, struct pci_names *names, const struct state *s) {
        _cleanup_table_ struct table *t = table_new("GROUP", "ADDRESS", "ID", "DRIVER", "DEVICE", NULL);

        for (size_t i = 0; i < devices->n; i++) {
                const struct pci_device *d = &devices->list[i];
                const struct lease *lease = lent_to(s, d);
                char group[16] = "-", address[BDF_TEXT_MAX], id[PCI_ID_TEXT_MAX], kind[128], name[256], text[600];

                if (d->group >= 0)
                        (void) str_format(group, sizeof(group), "%d", d->group);
                (void) str_format(text, sizeof(text), "%s%s%s%s%s: %s", lease ? "[lent to " : "",
                                  lease ? lease->domain : "", lease ? "] " : "", d->boot_vga ? "[boot VGA] " : "",
                                  pci_names_class(names, d, kind, sizeof(kind)),
                                  pci_names_device(names, d, name, sizeof(name)));
                table_row(t, group, bdf_format(&d->address, address), pci_id_format(&d->id, id),
                          *d->driver ? d->driver : "-", text);
        }
        table_print(t, TABLE_CUT);
        return EXIT_SUCCESS;
}

int verb_groups(struct cli *cli, int argc, char **argv) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        _cleanup_pci_names_ struct pci_names *names = NULL;
        _cleanup_state_ struct state s = {};
        struct err e = {};
        int r;

        r = cli_no_arguments(argc, argv);
        if (r != 0)
                return r;
        r = host_pci_devices(cli->root, &devices, &e);
        if (r < 0)
                return cli_fail(&e);
        r = pci_names_new(&names);
        if (r < 0) {
                (void) err_set(&e, r, ERR_FAILED, NULL, "out of memory");
                return cli_fail(&e);
        }
        /* Only root can see what is lent; everyone can see the groups. */
        (void) state_load(cli->root, &s, NULL);
        if (devices.n > 0)
                qsort(devices.list, devices.n, sizeof(*devices.list), compare_groups);
        return cli->json ? print_json(&devices, names, &s) : print_table(&devices, names, &s);
}
