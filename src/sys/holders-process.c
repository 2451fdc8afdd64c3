/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/dir-reader.h"
#include "base/str.h"
#include "sys/holders-internal.h"

/* A process in another mount namespace or root sees other paths than we do, so on the running host the device
 * number tells. */
static bool is_open_node(const struct scan *scan, const struct node *node, const char *target,
                         const struct stat *st) {
        mode_t type = node->type == NODE_BLOCK ? S_IFBLK : S_IFCHR;

        if (node->type != NODE_CHAR && node->type != NODE_BLOCK)
                return false;
        if (root_is_live(scan->root) && (node->major || node->minor))
                return (st->st_mode & S_IFMT) == type && st->st_rdev == makedev(node->major, node->minor);
        return str_starts(target, "/dev/") && str_eq(target + strlen("/dev/"), node->name);
}

static int add_process(struct scan *scan, const struct node *node, int pid) {
        char comm[64], path[64];
        int r;

        r = root_read_attr(scan->root, comm, sizeof(comm), "/proc/%d/comm", pid);
        if (r < 0)
                (void) str_copy(comm, sizeof(comm), "a process");
        (void) str_format(path, sizeof(path), "/dev/%s", node->name);
        return scan_add(scan, node->device, str_starts(node->name, "vfio/") ? HOLDER_VFIO : HOLDER_PROCESS, pid,
                        comm, path);
}

/* -EACCES: nothing of this process may be read. */
static int scan_link(struct scan *scan, int pid, int dir_fd, const char *fd_name) {
        char target[PATH_MAX];
        struct stat st = {};
        ssize_t n;
        int r;

        n = readlinkat(dir_fd, fd_name, target, sizeof(target) - 1);
        if (n < 0)
                return errno == EACCES ? -EACCES : 0;
        target[n] = '\0';
        /* Most are sockets, pipes and files, of which a stat could wait for a dead network file system. Of those
         * in /dev most are this one: not asking for its number saves a quarter of the whole time. */
        if (*target != '/' || !strstr(target, "/dev/") || str_eq(target, "/dev/null"))
                return 0;
        if (root_is_live(scan->root) && fstatat(dir_fd, fd_name, &st, 0) < 0)
                return 0;

        for (size_t i = 0; i < scan->n_nodes; i++) {
                if (!is_open_node(scan, &scan->nodes[i], target, &st))
                        continue;
                r = add_process(scan, &scan->nodes[i], pid);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int scan_process(struct scan *scan, int proc, int pid) {
        struct dir_reader reader = {};
        const struct dirent64 *entry;
        _cleanup_close_ int fd = -1;
        char path[32];
        int r;

        (void) str_format(path, sizeof(path), "%d/fd", pid);
        fd = dir_open(proc, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return 0;
        reader.fd = fd;
        while (dir_next(&reader, &entry) > 0) {
                r = scan_link(scan, pid, fd, entry->d_name);
                if (r < 0)
                        return r == -EACCES ? 0 : r;
        }
        return 0;
}

int scan_processes(struct scan *scan) {
        struct dir_reader reader = {};
        const struct dirent64 *entry;
        _cleanup_close_ int fd = -1;
        pid_t self = getpid();
        bool any = false;
        int r;

        for (size_t i = 0; i < scan->n_nodes; i++)
                any = any || scan->nodes[i].type == NODE_CHAR || scan->nodes[i].type == NODE_BLOCK;
        if (!any)
                return 0;
        fd = root_open(scan->root, "/proc", O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return 0;
        reader.fd = fd;
        while (dir_next(&reader, &entry) > 0) {
                uint64_t pid;

                if (str_to_u64(entry->d_name, 10, INT_MAX, &pid) < 0 || (int) pid == self)
                        continue;
                r = scan_process(scan, fd, (int) pid);
                if (r < 0)
                        return r;
        }
        return 0;
}
