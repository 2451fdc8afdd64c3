/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "model/pci-device.h"
#include "model/request.h"

/* What is to happen before the first driver of the initramfs loads: devices that only a vfio driver may take, and
 * hugepages while memory is whole. */

#define EARLY_DEVICES_MAX REQUEST_DEVICES_MAX
#define EARLY_POOLS_MAX 64
#define EARLY_KEEP_MAX 32
#define EARLY_NODE_ANY (-1)
#define EARLY_NODE_MAX 1023 /* MAX_NUMNODES of the largest configuration, less one */

struct early_device {
        struct request_device device; /* has_id is always set */
        char path[PCI_PATH_MAX];      /* where it was when the image was made; "" not known */
        bool force;                   /* also the firmware's or the only display, or a card of a network root */
        bool idle_host;               /* the booted system gives it to its own driver while nothing borrows it */
};

struct early_pool {
        uint64_t page_kib;
        int node; /* EARLY_NODE_ANY: wherever the kernel finds them */
        uint32_t pages;
};

/* A device that the running system needed to boot, when the image was made. */
struct early_keep {
        char path[PCI_PATH_MAX];
        char what[48]; /* "/", "swap", "network root" */
};

struct early {
        struct early_device devices[EARLY_DEVICES_MAX];
        size_t n_devices;
        struct early_pool pools[EARLY_POOLS_MAX];
        size_t n_pools;
        struct early_keep keep[EARLY_KEEP_MAX];
        size_t n_keep;
};

/* Nothing to do in an initramfs, so nothing to put into it. */
static inline bool early_is_empty(const struct early *early) {
        return early->n_devices == 0 && early->n_pools == 0;
}

/* "vfio-pci" unless another one is configured. */
const char *early_driver(const struct early_device *d);

enum early_match {
        EARLY_AT_ADDRESS, /* the address has this device */
        EARLY_MOVED,      /* it has another one; this one was found elsewhere */
        EARLY_ABSENT,     /* no such device */
        EARLY_AMBIGUOUS,  /* several, and nothing says which */
};

/* Finds the device that is meant. Numbers of buses change when cards are added, and two cards may be identical: so
 * the address counts only together with the id, the path (where known) before the address, and elsewhere a device
 * is taken only when it is the one with this id that no other entry names. *ret: the device (AT_ADDRESS, MOVED),
 * else what is at the address now, or NULL. */
enum early_match early_find(const struct early *early, const struct early_device *want,
                            const struct pci_devices *devices, const struct pci_device **ret);
