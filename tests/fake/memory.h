/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "fake/tree.h"

/* The memory of a fake host: nodes, their free memory, page cache and pools of huge pages, and a kernel that
 * answers to writes of nr_hugepages, compact and drop_caches as mm/hugetlb.c does. Shared with forked children.
 * One at a time. */

struct fake_node {
        uint64_t total_kib;
        uint64_t free_kib;
        uint64_t whole_kib;  /* of the free memory: in whole blocks. Compacting makes all of it whole … */
        uint64_t pinned_kib; /* … but for this */
        uint64_t cache_kib;  /* becomes free memory in pieces when it is dropped */
};

#define FAKE_NODES 2
#define FAKE_2M UINT64_C(2048)
#define FAKE_1G (UINT64_C(1) << 20)

void fake_memory_start(struct tree *tree, const struct fake_node nodes[FAKE_NODES]);
void fake_memory_stop(void);

/* Makes a node what it is to be from now on; pools stay. */
void fake_memory_node(unsigned node, const struct fake_node *n);

/* nr_hugepages, as everybody sees it. */
uint64_t fake_memory_pages(unsigned node, uint64_t kib);

/* Somebody else changes the pool, by so much. */
void fake_memory_change(unsigned node, uint64_t kib, int pages);

/* A process takes pages of the pool, or lets them go (negative): as many as there are. Returns how many. */
int fake_memory_use(unsigned node, uint64_t kib, int pages);

/* To be called before a file is read: the files show what is shared, also when the process that changed it was
 * killed before it could show it. */
void fake_memory_refresh(const char *path);

/* What a write does: 0 or -errno; 1: the path is none of this file's. */
int fake_memory_write(const char *path, const char *value);
