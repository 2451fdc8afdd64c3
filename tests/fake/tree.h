/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/root.h"

/* Builds the /sys, /proc and /dev of a host that does not exist, in a new temporary folder. Paths are absolute
 * as that host sees them; missing folders are made. A test has no use for a half-built tree: whatever fails
 * aborts the program with a message. */
struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *tree); /* removes the folder too */
DEFINE_CLEANUP(struct tree *, tree_free)
#define _cleanup_tree_ _cleanup_(tree_freep)

/* The handle that the code under test gets; belongs to the tree. */
const struct root *tree_root(const struct tree *tree);

void tree_dir(struct tree *tree, const char *path);

/* Makes or replaces a file. content is written as it is: sysfs attributes end in "\n". */
void tree_file(struct tree *tree, const char *path, const char *content);
void tree_filef(struct tree *tree, const char *path, const char *fmt, ...) _printf_(3, 4);

/* Makes or replaces a symlink. An absolute target is stored as a relative one, as sysfs does: so it stays in
 * the tree for libraries that know nothing of our root. Any other target is stored as it is. */
void tree_link(struct tree *tree, const char *path, const char *target);

/* Removes a file, a link, or a folder with all that is in it. Nothing there: nothing happens. */
void tree_remove(struct tree *tree, const char *path);

/* As rename(2). */
void tree_rename(struct tree *tree, const char *from, const char *to);

/* One PCI function in the kernel's layout: /sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0 and the links to
 * it from the bus, its driver and its IOMMU group. */
struct tree_pci {
        const char *address;
        const char *parent; /* address of the bridge above, made before; NULL: on the root bus */
        uint16_t vendor, device;
        uint16_t subsystem_vendor, subsystem_device;
        uint32_t class_code;
        uint8_t revision;
        int group;            /* -1: none */
        const char *driver;   /* NULL: none */
        const char *override; /* NULL: not set */
        bool boot_vga;        /* attribute present, as for every VGA device (class 0300xx), and 1 */
};
void tree_pci(struct tree *tree, const struct tree_pci *f);

/* "/sys/devices/pci0000:00/…/0000:01:00.0", valid until tree_free; NULL when it was not made. */
const char *tree_pci_path(const struct tree *tree, const char *address);

/* The node of an IOMMU group on vfio, as sysfs shows it. */
void tree_vfio_group(struct tree *tree, const char *group);

/* Binds to the driver (made when missing), or to none (NULL), as the links in sysfs show it; a vfio driver brings
 * the node of the group, which stays. Nothing else is touched: neither driver_override nor other functions. */
void tree_pci_bind(struct tree *tree, const char *address, const char *driver);

/* /sys/bus/pci/drivers/NAME and /sys/module/NAME ('-' as '_'). */
void tree_pci_driver(struct tree *tree, const char *name);

/* A process with this name, and a file that it has open: target as /proc shows it. */
void tree_process(struct tree *tree, int pid, const char *comm);
void tree_process_fd(struct tree *tree, int pid, int fd, const char *target);

/* Takes the function out of sysfs, as a hot unplug does. */
void tree_pci_remove(struct tree *tree, const char *address);
