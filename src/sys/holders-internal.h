/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "sys/holders.h"

/* Shared by the files of holders: what hangs on the devices, and what was found so far. */

enum node_type {
        NODE_CHAR,
        NODE_BLOCK,
        NODE_NET,
        NODE_NVME_PATH, /* one path to a namespace ("nvme0c0n1"): no device node, the disk is elsewhere in sysfs */
};

struct node {
        enum node_type type;
        size_t device;             /* index of the PCI function that it hangs on */
        unsigned int major, minor; /* 0:0 when not known */
        char name[56];             /* below /dev ("dri/card0", "nvme0n1p1"), or the interface ("eth0") */
};

struct scan {
        const struct root *root;
        const struct pci_device *const *devices;
        size_t n_devices;
        struct holders *found; /* one for each device */
        struct node *nodes;
        size_t n_nodes;
};

/* Adds a holder once; the last argument is the name of its node. A process counts once for each device and kind.
 * Over HOLDERS_MAX of one device the rest is dropped. -ENOMEM. */
#define HOLDERS_MAX 256
int scan_add(struct scan *scan, size_t device, enum holder_kind kind, int pid, const char *what,
             const char *node);

/* holders-nodes.c: all that hangs on the devices, block devices built upon their disks included. -ENOMEM. */
int scan_nodes(struct scan *scan);

/* The sysfs name of a block device: "cciss/c0d0" is "cciss!c0d0" there. */
void node_sysfs_name(const struct node *node, char ret[static 56]);

/* holders-block.c, holders-process.c, holders-net.c. What cannot be read is skipped. -ENOMEM. */
int scan_mounts(struct scan *scan);
int scan_swaps(struct scan *scan);
int scan_claims(struct scan *scan);
int scan_processes(struct scan *scan);
int scan_routes(struct scan *scan);
