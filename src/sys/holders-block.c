/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/holders-internal.h"

#define TABLE_SIZE_MAX (64U * 1024 * 1024) /* hosts with many containers have megabytes of mounts */

/* Undoes the octal escapes of mountinfo and swaps, in place: "\040" is a space. */
static void unescape(char *s) {
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
                    s[3] <= '7') {
                        *to++ = (char) ((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 4;
                } else
                        *to++ = *s++;
        }
        *to = '\0';
}

/* The name of the kernel for a device path: "/dev/mapper/home" is a link to "../dm-0". false: no device path. */
static bool kernel_name(const struct scan *scan, const char *path, char ret[static 56]) {
        char target[56];
        int r;

        if (!str_starts(path, "/dev/"))
                return false;
        r = root_link_name(scan->root, target, sizeof(target), "%s", path);
        return str_copy(ret, 56, r == 0 ? target : path + strlen("/dev/")) == 0;
}

struct mount {
        unsigned int major, minor;
        char *point, *type, *source;
};

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw": any number of fields before the "-". */
static bool parse_mount(char *line, struct mount *ret) {
        struct mount m = {};
        char *field, *rest = line;

        for (size_t i = 0; (field = strsep(&rest, " ")); i++) {
                if (i == 2 && sscanf(field, "%u:%u", &m.major, &m.minor) != 2)
                        return false;
                if (i == 4)
                        m.point = field;
                if (i >= 6 && str_eq(field, "-"))
                        break;
        }
        m.type = strsep(&rest, " ");
        m.source = strsep(&rest, " ");
        if (!m.point || !m.type || !m.source)
                return false;
        unescape(m.point);
        unescape(m.source);

        *ret = m;
        return true;
}

static int add_mount(struct scan *scan, const struct node *node, const char *point) {
        char name[64];

        (void) str_format(name, sizeof(name), "/dev/%s", node->name);
        return scan_add(scan, node->device, HOLDER_MOUNT, 0, point, name);
}

static int add_named(struct scan *scan, const char *name, const char *point) {
        int r;

        for (size_t i = 0; i < scan->n_nodes; i++) {
                const struct node *n = &scan->nodes[i];
                char known[56];

                if (n->type != NODE_BLOCK)
                        continue;
                node_sysfs_name(n, known);
                if (!str_eq(n->name, name) && !str_eq(known, name))
                        continue;
                r = add_mount(scan, n, point);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A btrfs over several disks names only one of them as its source; sysfs has all of each mounted one. */
static int add_btrfs_members(struct scan *scan, const char *source, const char *point) {
        _cleanup_strv_ char **systems = NULL;
        int r;

        r = root_list(scan->root, &systems, "/sys/fs/btrfs");
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char **system = systems; *system; system++) {
                _cleanup_strv_ char **members = NULL;

                if (root_exists(scan->root, "/sys/fs/btrfs/%s/devices/%s", *system, source) != 1)
                        continue;
                r = root_list(scan->root, &members, "/sys/fs/btrfs/%s/devices", *system);
                if (r == -ENOMEM)
                        return r;
                for (char **member = members; member && *member; member++) {
                        r = add_named(scan, *member, point);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* btrfs, bcachefs and others show a device number of their own: what counts is the source, maybe several. */
static int add_anonymous(struct scan *scan, const struct mount *m) {
        char *rest = m->source, *source;
        char name[56];
        int r;

        /* "host:/dev/…" is a folder on a server. */
        if (!str_starts(m->source, "/dev/"))
                return 0;
        while ((source = strsep(&rest, ":"))) {
                if (!kernel_name(scan, source, name))
                        continue;
                r = add_named(scan, name, m->point);
                if (r == 0 && str_eq(m->type, "btrfs"))
                        r = add_btrfs_members(scan, name, m->point);
                if (r < 0)
                        return r;
        }
        return 0;
}

int scan_mounts(struct scan *scan) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        r = root_read(scan->root, "/proc/1/mountinfo", TABLE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                struct mount m;

                if (!parse_mount(line, &m))
                        continue;
                if (m.major == 0) {
                        r = add_anonymous(scan, &m);
                        if (r < 0)
                                return r;
                        continue;
                }
                for (size_t i = 0; i < scan->n_nodes; i++) {
                        const struct node *n = &scan->nodes[i];

                        if (n->type != NODE_BLOCK || n->major != m.major || n->minor != m.minor)
                                continue;
                        r = add_mount(scan, n, m.point);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int scan_swaps(struct scan *scan) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        r = root_read(scan->root, "/proc/swaps", TABLE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                char name[56], what[160], node[64];

                line[strcspn(line, " \t")] = '\0';
                unescape(line);
                /* A swap file is on a mounted file system: that is found already. */
                if (!kernel_name(scan, line, name))
                        continue;
                for (size_t i = 0; i < scan->n_nodes; i++) {
                        const struct node *n = &scan->nodes[i];

                        if (n->type != NODE_BLOCK || !str_eq(n->name, name))
                                continue;
                        (void) str_format(node, sizeof(node), "/dev/%s", n->name);
                        (void) str_format(what, sizeof(what), "swap on %s", node);
                        r = scan_add(scan, n->device, HOLDER_SWAP, 0, what, node);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static bool is_explained(const struct holders *found) {
        for (size_t i = 0; i < found->n; i++)
                switch (found->list[i].kind) {
                case HOLDER_MOUNT:
                case HOLDER_SWAP:
                case HOLDER_STACK:
                case HOLDER_CLAIM:
                        return true;
                default:
                        break;
                }
        return false;
}

/* File systems and volume managers open their devices exclusively; asking for the same shows those that none of
 * the tables above knows, also in other mount namespaces. Opening for reading changes nothing. */
static bool is_claimed(const struct scan *scan, const struct node *node) {
        _cleanup_close_ int fd = -1;
        char path[64];

        (void) str_format(path, sizeof(path), "/dev/%s", node->name);
        fd = root_open(scan->root, path, O_RDONLY | O_EXCL | O_NONBLOCK, 0);
        return fd == -EBUSY;
}

int scan_claims(struct scan *scan) {
        int r;

        if (!root_is_live(scan->root))
                return 0;
        /* Backwards: partitions come before their disks, which a claim of the partition makes busy too. */
        for (size_t i = scan->n_nodes; i-- > 0;) {
                const struct node *n = &scan->nodes[i];
                char node[64];

                if (n->type != NODE_BLOCK || is_explained(&scan->found[n->device]) || !is_claimed(scan, n))
                        continue;
                (void) str_format(node, sizeof(node), "/dev/%s", n->name);
                r = scan_add(scan, n->device, HOLDER_CLAIM, 0,
                             "opened exclusively (ZFS, multipath, another mount namespace?)", node);
                if (r < 0)
                        return r;
        }
        return 0;
}
