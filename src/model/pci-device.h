/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "model/bdf.h"

#define DRIVER_NAME_MAX 64

/* vendor:device, as "10de:2206" */
struct pci_id {
        uint16_t vendor;
        uint16_t device;
};

/* -EINVAL unless exactly VVVV:DDDD (hexadecimal). */
int pci_id_parse(const char *s, struct pci_id *ret);
#define PCI_ID_TEXT_MAX 10
const char *pci_id_format(const struct pci_id *id, char *buf);
static inline bool pci_id_equal(const struct pci_id *a, const struct pci_id *b) {
        return a->vendor == b->vendor && a->device == b->device;
}

/* One function as the host shows it. */
struct pci_device {
        struct bdf address;
        struct bdf parent;   /* the bridge above; valid when has_parent */
        bool has_parent;     /* false on a root bus */
        struct pci_id id;
        struct pci_id subsystem;
        uint32_t class_code; /* 24 bits: base class, subclass, programming interface */
        uint8_t revision;
        int group;           /* IOMMU group, -1: none */
        bool boot_vga;       /* the firmware's display */
        bool bridge;         /* base class 06: stays with the host when a group is lent */
        char driver[DRIVER_NAME_MAX]; /* bound driver, "" when none */
};

/* All functions of a host, ordered by address. */
struct pci_devices {
        struct pci_device *list;
        size_t n;
};
void pci_devices_done(struct pci_devices *devices);
#define _cleanup_pci_devices_ _cleanup_(pci_devices_done)

/* NULL when there is none with this address. */
const struct pci_device *pci_devices_find(const struct pci_devices *devices, const struct bdf *address);

/* Where a function is, without the numbers of buses, which move when cards are added: the address on the root bus, then
 * slot and function behind each bridge: "0000:00:1c.4/00.0". buf has PCI_PATH_MAX bytes. -ENAMETOOLONG, -ENODEV a bridge
 * above is not among the devices. */
#define PCI_PATH_MAX 64
int pci_path_format(const struct pci_devices *devices, const struct pci_device *d, char *buf);

/* What pci_path_format could have written. */
bool pci_path_is_valid(const char *path);

/* Base class 03: VGA, 3D and other display controllers. */
bool pci_device_is_display(const struct pci_device *d);

/* Base classes 01 and 02: controllers of disks, and network cards. */
bool pci_device_is_storage(const struct pci_device *d);
bool pci_device_is_network(const struct pci_device *d);

/* True for vfio-pci and its variants (mlx5_vfio_pci, nvgrace_gpu_vfio_pci, …): since libvirt 10 the variant is
 * chosen by the kernel's aliases, so the name alone is never compared. Kernel: drivers/vfio/pci/. */
bool driver_is_vfio(const char *name);

/* A driver's name as sysfs can hold it: [A-Za-z0-9_.+-] and spaces inside ("cx88-mpeg driver manager"), at most
 * DRIVER_NAME_MAX - 1 characters, not "." or "..".
 * driver_override itself takes anything, "../../etc" included. */
bool driver_name_is_valid(const char *name);
