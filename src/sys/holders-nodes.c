/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir-reader.h"
#include "base/str.h"
#include "sys/holders-internal.h"

/* Far above what any host has; they keep a broken tree from taking for ever. */
#define NODES_MAX 8192
#define DEPTH_MAX 32
#define FOLDERS_MAX 65536

struct walk {
        struct scan *scan;
        size_t device;
        size_t folders;
        char path[PATH_MAX];
};

static int add_node(struct scan *scan, const struct node *node) {
        for (size_t i = 0; i < scan->n_nodes; i++) {
                const struct node *n = &scan->nodes[i];

                if (n->device == node->device && n->type == node->type && str_eq(n->name, node->name))
                        return 0;
        }
        if (scan->n_nodes >= NODES_MAX)
                return 0;
        if (scan->n_nodes % 64 == 0) {
                struct node *bigger = reallocarray(scan->nodes, scan->n_nodes + 64, sizeof(*bigger));

                if (!bigger)
                        return -ENOMEM;
                scan->nodes = bigger;
        }
        scan->nodes[scan->n_nodes++] = *node;
        return 0;
}

static bool parse_field(const char *line, const char *key, const char **ret) {
        if (!str_starts(line, key))
                return false;
        *ret = line + strlen(key);
        return true;
}

/* Nodes whose users outlive a hot unplug: a mixer or session manager has every sound card's controls and every input
 * device open all the time, on any desktop, and loses nothing when they go. A playing stream (snd/pcm*) is not one. */
static bool is_open_by_habit(const char *name) {
        return str_starts(name, "snd/control") || str_starts(name, "snd/hw") || str_starts(name, "input/") ||
               str_starts(name, "hidraw") || str_starts(name, "bus/usb/");
}

/* The uevent file of a folder has all that the kernel would tell udev about it. */
static int add_from_uevent(struct walk *w) {
        _cleanup_free_ char *text = NULL;
        struct node node = { .type = NODE_CHAR, .device = w->device };
        size_t length = strlen(w->path);
        char *rest, *line;
        uint64_t number;
        int r;

        if (str_copy(w->path + length, sizeof(w->path) - length, "/uevent") < 0)
                return 0;
        r = root_read(w->scan->root, w->path, 16384, &text, NULL);
        w->path[length] = '\0';
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *value;

                if (parse_field(line, "MAJOR=", &value) && str_to_u64(value, 10, UINT_MAX, &number) == 0)
                        node.major = (unsigned int) number;
                else if (parse_field(line, "MINOR=", &value) && str_to_u64(value, 10, UINT_MAX, &number) == 0)
                        node.minor = (unsigned int) number;
                else if (parse_field(line, "DEVNAME=", &value))
                        (void) str_copy(node.name, sizeof(node.name), value);
                else if (str_eq(line, "DEVTYPE=disk") || str_eq(line, "DEVTYPE=partition"))
                        node.type = NODE_BLOCK;
                else if (parse_field(line, "INTERFACE=", &value)) {
                        node.type = NODE_NET;
                        (void) str_copy(node.name, sizeof(node.name), value);
                }
        }
        return *node.name && !is_open_by_habit(node.name) ? add_node(w->scan, &node) : 0;
}

/* "nvme0c1n2" is the way through controller 1 to the disk "nvme0n2". */
static bool parse_nvme_path(const char *name, unsigned int *subsystem, unsigned int *namespace) {
        unsigned int controller;
        int n = 0;

        return sscanf(name, "nvme%uc%un%u%n", subsystem, &controller, namespace, &n) == 3 && name[n] == '\0';
}

static int walk(struct walk *w, unsigned int depth) {
        size_t length = strlen(w->path);
        struct dir_reader reader = {};
        const struct dirent64 *entry;
        _cleanup_close_ int fd = -1;
        int r;

        if (depth > DEPTH_MAX || w->folders++ > FOLDERS_MAX)
                return 0;
        fd = root_open(w->scan->root, w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        if (fd < 0)
                return 0;
        reader.fd = fd;
        while (dir_next(&reader, &entry) > 0) {
                unsigned int subsystem, namespace;
                struct bdf other;

                if (str_eq(entry->d_name, "uevent")) {
                        r = add_from_uevent(w);
                        if (r < 0)
                                return r;
                        continue;
                }
                /* "power" is in every folder and has no devices. What hangs on a function behind a bridge is
                 * not the bridge's. */
                if (entry->d_type != DT_DIR || *entry->d_name == '.' || str_eq(entry->d_name, "power") ||
                    bdf_parse(entry->d_name, &other) == 0)
                        continue;
                if (parse_nvme_path(entry->d_name, &subsystem, &namespace)) {
                        struct node node = { .type = NODE_NVME_PATH, .device = w->device };

                        (void) str_copy(node.name, sizeof(node.name), entry->d_name);
                        r = add_node(w->scan, &node);
                        if (r < 0)
                                return r;
                }
                if (str_format(w->path + length, sizeof(w->path) - length, "/%s", entry->d_name) == 0) {
                        r = walk(w, depth + 1);
                        if (r < 0)
                                return r;
                }
                w->path[length] = '\0';
        }
        return 0;
}

/* Links in sysfs are relative and lead to /sys/devices: what follows the last ".." is the path below /sys. */
static int walk_link(struct scan *scan, size_t device, const char *link) {
        struct walk w = { .scan = scan, .device = device };
        char target[PATH_MAX];
        const char *tail = target;
        int r;

        r = root_read_link(scan->root, target, sizeof(target), "%s", link);
        if (r < 0)
                return 0;
        while (str_starts(tail, "../"))
                tail += 3;
        if (str_format(w.path, sizeof(w.path), "/sys/%s", tail) < 0)
                return 0;
        return walk(&w, 0);
}

static int walk_block(struct scan *scan, size_t device, const char *name) {
        char link[PATH_MAX];

        if (str_format(link, sizeof(link), "/sys/class/block/%s", name) < 0)
                return 0;
        return walk_link(scan, device, link);
}

void node_sysfs_name(const struct node *node, char ret[static 56]) {
        (void) str_copy(ret, 56, node->name);
        for (char *s = ret; *s; s++)
                if (*s == '/')
                        *s = '!';
}

static int add_stack(struct scan *scan, const struct node *below, const char *upper) {
        char what[160], name[128], node[64];
        int r;

        r = root_read_attr(scan->root, name, sizeof(name), "/sys/class/block/%s/dm/name", upper);
        (void) str_format(what, sizeof(what), r < 0 ? "%s" : "%s (%s)", upper, name);
        (void) str_format(node, sizeof(node), "/dev/%s", below->name);
        return scan_add(scan, below->device, HOLDER_STACK, 0, what, node);
}

/* Device-mapper, md and bcache devices that are built on this one, and the partitions of those. */
static int add_uppers(struct scan *scan, const struct node *below) {
        _cleanup_strv_ char **uppers = NULL;
        char name[56];
        int r;

        node_sysfs_name(below, name);
        r = root_list(scan->root, &uppers, "/sys/class/block/%s/holders", name);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char **upper = uppers; *upper; upper++) {
                r = add_stack(scan, below, *upper);
                if (r < 0)
                        return r;
                r = walk_block(scan, below->device, *upper);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_nvme_disk(struct scan *scan, const struct node *path) {
        unsigned int subsystem, namespace;
        char name[40];

        if (!parse_nvme_path(path->name, &subsystem, &namespace))
                return 0;
        (void) str_format(name, sizeof(name), "nvme%un%u", subsystem, namespace);
        return walk_block(scan, path->device, name);
}

/* NVIDIA's driver makes its nodes outside of the device model. */
static int add_nvidia(struct scan *scan, size_t device) {
        _cleanup_free_ char *text = NULL;
        struct node node = { .type = NODE_CHAR, .device = device, .major = 195 };
        char path[PATH_MAX], address[BDF_TEXT_MAX];
        uint64_t minor;
        char *value;
        int r;

        bdf_format(&scan->devices[device]->address, address);
        (void) str_format(path, sizeof(path), "/proc/driver/nvidia/gpus/%s/information", address);
        r = root_read(scan->root, path, 16384, &text, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        value = strstr(text, "Device Minor:");
        if (!value)
                return 0;
        value += strlen("Device Minor:");
        value[strcspn(value, "\n")] = '\0';
        if (str_to_u64(str_strip(value), 10, UINT_MAX, &minor) < 0)
                return 0;
        node.minor = (unsigned int) minor;
        (void) str_format(node.name, sizeof(node.name), "nvidia%u", node.minor);
        return add_node(scan, &node);
}

/* Its node is there as long as one function of the group is on vfio (drivers/vfio/group.c, vfio_create_group).
 * Where none is, nobody can have it open, and a device without other nodes needs no look at all processes. */
static int add_vfio_group(struct scan *scan, size_t device) {
        char link[64];

        if (scan->devices[device]->group < 0)
                return 0;
        (void) str_format(link, sizeof(link), "/sys/class/vfio/%d", scan->devices[device]->group);
        return walk_link(scan, device, link);
}

static int add_device(struct scan *scan, size_t device) {
        char address[BDF_TEXT_MAX], link[64];
        int r;

        (void) str_format(link, sizeof(link), "/sys/bus/pci/devices/%s",
                          bdf_format(&scan->devices[device]->address, address));
        r = walk_link(scan, device, link);
        if (r < 0)
                return r;
        r = add_nvidia(scan, device);
        return r < 0 ? r : add_vfio_group(scan, device);
}

int scan_nodes(struct scan *scan) {
        int r;

        for (size_t i = 0; i < scan->n_devices; i++) {
                r = add_device(scan, i);
                if (r < 0)
                        return r;
        }
        /* The list grows on the way: what is built on a disk can itself be built upon. */
        for (size_t i = 0; i < scan->n_nodes; i++) {
                const struct node node = scan->nodes[i];

                r = node.type == NODE_BLOCK       ? add_uppers(scan, &node)
                    : node.type == NODE_NVME_PATH ? add_nvme_disk(scan, &node)
                                                  : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}
