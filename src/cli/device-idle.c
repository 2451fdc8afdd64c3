/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/device-idle.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/str.h"
#include "config/early-conf.h"
#include "config/settings.h"
#include "lease/state.h"
#include "sys/driver.h"
#include "sys/holders.h"
#include "sys/pci.h"

#define UDEV_WAIT_MS 5000

struct idle {
        const struct root *root;
        struct bdf addresses[EARLY_DEVICES_MAX];
        size_t n;
        struct err failed[EARLY_DEVICES_MAX]; /* code 0: it went well */
};

struct record {
        size_t index;
        char driver[DRIVER_NAME_MAX]; /* "" none */
        struct err err;
};

static void wanted_devices(const struct early *early, const struct pci_devices *devices, const struct state *state,
                           struct idle *idle) {
        for (size_t i = 0; i < early->n_devices; i++) {
                const struct early_device *want = &early->devices[i];
                const struct pci_device *d;
                char text[BDF_TEXT_MAX];
                enum early_match match;

                if (!want->idle_host)
                        continue;
                match = early_find(early, want, devices, &d);
                if ((match == EARLY_AT_ADDRESS || match == EARLY_MOVED) && str_eq(d->driver, early_driver(want)) &&
                    !state_claimant(state, &knob_pci_driver, bdf_format(&d->address, text)))
                        idle->addresses[idle->n++] = d->address;
        }
}

/* The module of the host's driver may not be there yet: udev loads it when a device is announced. */
static int wait_for_driver(const struct root *root, const char *address, struct binding *now, struct err *e) {
        struct bdf bdf;
        int r;

        r = bdf_parse(address, &bdf);
        if (r < 0)
                return r;
        (void) root_write_attr(root, "add", "/sys/bus/pci/devices/%s/uevent", address);
        for (int waited = 0;; waited += 50) {
                r = binding_read(root, &bdf, now, e);
                if (r < 0 || *now->driver || waited >= UDEV_WAIT_MS)
                        return r;
                (void) poll(NULL, 0, 50);
        }
}

static int give(const struct root *root, const struct bdf *address, struct binding *now, struct err *e) {
        _cleanup_holders_ struct holders holders = {};
        static const struct binding none;
        char text[BDF_TEXT_MAX], users[512];
        struct pci_device d;
        int r;

        bdf_format(address, text);
        r = host_pci_device(root, address, &d, e);
        if (r >= 0)
                r = holders_find(root, (const struct pci_device *[]){ &d }, 1, &holders, e);
        if (r < 0)
                return r;
        if (holders.n > 0)
                return err_set(e, -EBUSY, ERR_IN_USE, text, "%s stays with %s: %s", text, d.driver,
                               holders_describe(&holders, users, sizeof(users)));
        r = binding_write(root, address, &none, e);
        if (r >= 0)
                r = binding_auto(root, address, now, e);
        return r < 0 || *now->driver ? r : wait_for_driver(root, text, now, e);
}

static int work(int fd, size_t index, void *userdata) {
        const struct idle *idle = userdata;
        struct record record = { .index = index };
        struct binding now = {};

        (void) give(idle->root, &idle->addresses[index], &now, &record.err);
        (void) str_copy(record.driver, sizeof(record.driver), now.driver);
        return child_send(fd, &record, sizeof(record)) < 0;
}

static void on_record(const void *data, size_t size, void *userdata) {
        const struct record *record = data;
        struct idle *idle = userdata;
        char text[BDF_TEXT_MAX];

        if (size != sizeof(*record) || record->index >= idle->n)
                return;
        idle->failed[record->index] = record->err;
        if (record->err.code == 0)
                printf("%s: %s\n", bdf_format(&idle->addresses[record->index], text),
                       *record->driver ? record->driver : "no driver of the host takes it");
}

/* Each in a child of its own, as the helper does it: a driver may hang. */
static int give_all(struct idle *idle, uint64_t deadline_usec) {
        struct child children[EARLY_DEVICES_MAX];
        int status = EXIT_SUCCESS;

        for (size_t i = 0; i < idle->n; i++)
                (void) err_set(&idle->failed[i], -ETIMEDOUT, ERR_TIMEOUT, NULL, "a driver does not answer");
        if (children_run(children, idle->n, deadline_usec, sizeof(struct record), work, on_record, idle) < 0)
                status = EXIT_FAILURE;
        for (size_t i = 0; i < idle->n; i++)
                if (idle->failed[i].code != 0)
                        status = cli_fail(&idle->failed[i]);
        return status;
}

int device_idle(struct cli *cli) {
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        _cleanup_free_ struct idle *idle = calloc(1, sizeof(*idle));
        _cleanup_pci_devices_ struct pci_devices devices = {};
        _cleanup_state_ struct state state = {};
        struct settings settings;
        struct err e = {};
        int r;

        if (!early || !idle)
                return EXIT_FAILURE;
        settings_default(&settings);
        r = settings_load(cli->root, &settings, &e);
        if (r >= 0)
                r = early_conf_load(cli->root, early, &e);
        if (r >= 0)
                r = host_pci_functions(cli->root, &devices, &e);
        if (r >= 0)
                r = state_load(cli->root, &state, &e);
        if (r < 0)
                return cli_fail(&e);
        idle->root = cli->root;
        wanted_devices(early, &devices, &state, idle);
        (void) fflush(stdout); /* the children have a copy of what is in it */
        return idle->n > 0 ? give_all(idle, settings.deadline_usec) : EXIT_SUCCESS;
}
