/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early/devices.h"

#include <string.h>

#include "base/command.h"
#include "base/str.h"
#include "model/reserve.h"
#include "sys/driver.h"
#include "sys/pci.h"

static struct early_item *add_item(struct early_result *result, const struct bdf *address,
                                   enum early_state state) {
        char name[48], text[BDF_TEXT_MAX];

        (void) str_format(name, sizeof(name), "device %s", bdf_format(address, text));
        return early_result_add(result, name, state);
}

/* Why the device that is meant was not found. */
static void explain_missing(const struct early_device *want, enum early_match match, const struct pci_device *here,
                            struct early_item *item) {
        char id[PCI_ID_TEXT_MAX], now[PCI_ID_TEXT_MAX], there[64] = "nothing";

        if (here)
                (void) str_format(there, sizeof(there), "%s", pci_id_format(&here->id, now));
        (void) str_format(item->message, sizeof(item->message), "wanted %s, found %s at this address, and %s",
                          pci_id_format(&want->device.id, id), there,
                          match == EARLY_ABSENT ? "no such device elsewhere"
                                                : "several such devices: which one is meant cannot be told");
}

/* The controller of a disk that has a driver already may be the root's: only the image's maker knew, and it listed
 * those that it needed itself. Taking a disk away is for the running system, which sees what is on it. */
static int check_driver(const struct pci_device *d, const char *wanted, struct err *e) {
        char text[BDF_TEXT_MAX];

        if (!*d->driver || str_eq(d->driver, wanted) || !pci_device_is_storage(d))
                return 0;
        return err_set(
                e, -1, ERR_REFUSED, bdf_format(&d->address, text),
                "driver %s, which is part of the kernel or was loaded before, has this disk already, and the "
                "host may boot from it",
                d->driver);
}

static void reserve_one(const struct root *root, const struct early *early, const struct early_device *want,
                        const struct pci_devices *devices, const char *cmdline, struct early_result *result,
                        struct reserved_list *reserved) {
        struct early_item *item = add_item(result, &want->device.address, EARLY_LEFT);
        const char *driver = early_driver(want);
        const struct pci_device *d = NULL;
        enum early_match match = early_find(early, want, devices, &d);
        char text[BDF_TEXT_MAX];
        struct err e = {};
        int r;

        if (!item)
                return;
        if (match != EARLY_AT_ADDRESS && match != EARLY_MOVED) {
                explain_missing(want, match, d, item);
                return;
        }
        r = reserve_check(early, devices, d, want->force, cmdline, &e);
        if (r >= 0)
                r = check_driver(d, driver, &e);
        if (r < 0) {
                (void) str_copy(item->message, sizeof(item->message), e.message);
                return;
        }
        r = binding_reserve(root, &d->address, driver, &e);
        if (r < 0) {
                item->state = EARLY_FAILED;
                (void) str_copy(item->message, sizeof(item->message), e.message);
                return;
        }
        item->state = EARLY_PENDING;
        if (match == EARLY_MOVED)
                (void) str_format(item->message, sizeof(item->message), "moved to %s",
                                  bdf_format(&d->address, text));
        reserved->list[reserved->n++] = (struct reserved){
                .address = d->address,
                .driver = driver,
                .item = (size_t) (item - result->items),
        };
}

void devices_reserve(const struct root *root, const struct early *early, const char *cmdline,
                     struct early_result *result, struct reserved_list *ret) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        struct err e = {};

        ret->n = 0;
        if (host_pci_functions(root, &devices, &e) < 0) {
                result->state = EARLY_FAILED;
                (void) str_copy(result->message, sizeof(result->message), e.message);
                return;
        }
        for (size_t i = 0; i < early->n_devices; i++)
                reserve_one(root, early, &early->devices[i], &devices, cmdline, result, ret);
}

/* "": loaded, or part of the kernel. */
static void load(const struct root *root, const char *name, char *message, size_t size) {
        char *const argv[] = { (char *) "modprobe", (char *) name, NULL };
        _cleanup_free_ char *output = NULL;
        int r;

        *message = '\0';
        if (!root_is_live(root) || root_exists(root, "/sys/bus/pci/drivers/%s", name) == 1)
                return;
        r = command_run(NULL, NULL, argv, &output);
        if (r < 0)
                (void) str_format(message, size, "modprobe cannot be run: %s", strerror(-r));
        else if (r > 0)
                (void) str_format(message, size, "modprobe %s failed: %.200s", name,
                                  output ? str_strip(output) : "it printed nothing");
}

static void bind_one(const struct root *root, const struct reserved *x, devices_done done, void *userdata) {
        struct binding want = {};
        char message[256];
        struct err e = {};

        load(root, x->driver, message, sizeof(message));
        (void) str_copy(want.driver, sizeof(want.driver), x->driver);
        (void) str_copy(want.override, sizeof(want.override), x->driver);
        if (!*message && binding_write(root, &x->address, &want, &e) >= 0)
                done(x->item, EARLY_DONE, "", userdata);
        else if (root_exists(root, "/sys/bus/pci") == 0)
                done(x->item, EARLY_PENDING, "nobody saw how it ended: the root file system came first", userdata);
        else
                done(x->item, EARLY_FAILED, *message ? message : e.message, userdata);
}

void devices_bind(const struct root *root, const struct reserved_list *reserved, devices_done done,
                  void *userdata) {
        for (size_t i = 0; i < reserved->n; i++)
                bind_one(root, &reserved->list[i], done, userdata);
}
