/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* A value in KiB from a file of lines like "MemTotal:  2026508 kB". -ENOENT when it has no such line. */
int memory_info(const struct root *root, const char *path, const char *key, uint64_t *ret);

struct node_memory {
        uint64_t total_kib;
        uint64_t free_kib;
        uint64_t cache_kib; /* page cache and slabs that the kernel gives up when asked */
};

/* -ENOENT: there is no such node. */
int node_memory_read(const struct root *root, unsigned node, struct node_memory *ret);

/* The processes with the most memory, huge pages included: "qemu-system-x86 (pid 812) 8.0 GiB, firefox (pid
 * 99) 2.1 GiB". Returns buf; "nobody stands out" when none could be read. */
const char *memory_users(const struct root *root, char *buf, size_t size);
