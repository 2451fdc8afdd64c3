/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/pci-device.h"

#define REQUEST_DEVICES_MAX 64
#define UUID_TEXT_MAX 37

/* One PCI function that a domain wants. */
struct request_device {
        struct bdf address;
        bool has_id, has_subsystem; /* refuse when the host shows another one at this address */
        struct pci_id id;
        struct pci_id subsystem;
        char driver[DRIVER_NAME_MAX]; /* a vfio driver; "" means vfio-pci */
};

/* What to do with endpoints of the same IOMMU group that were not asked for. */
enum group_policy {
        GROUP_EXPAND, /* lend them too */
        GROUP_STRICT, /* refuse */
};

/* All that a domain wants to borrow: plain values, checked, no paths and no commands. */
struct request {
        char domain[NAME_LENGTH_MAX + 1];
        char uuid[UUID_TEXT_MAX]; /* "" for a lease without libvirt: the name is its key */
        struct request_device devices[REQUEST_DEVICES_MAX];
        size_t n_devices;
        enum group_policy group;
        bool boot_vga;     /* the firmware's display may be lent */
        bool dry_run;      /* plan and check only */
        uint64_t seconds;  /* give back by itself after this time; 0: at Return only */
};

/* Nothing to borrow: no connection is needed. */
static inline bool request_is_empty(const struct request *q) {
        return q->n_devices == 0;
}

/* Adds a device, or returns the one with this address that is there already. NULL when full. */
struct request_device *request_add(struct request *q, const struct bdf *address);
