/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"

#define POOLS 2
#define POOL "/sys/devices/system/node/node%u/hugepages/hugepages-%llukB"

struct pool {
        uint64_t nr, used, surplus;
};

static const uint64_t sizes[POOLS] = { FAKE_2M, FAKE_1G };

static struct shared {
        struct fake_node nodes[FAKE_NODES];
        struct pool pools[FAKE_NODES][POOLS];
} * shared;
static struct tree *tree;

static void show_node(unsigned node) {
        const struct fake_node *n = &shared->nodes[node];
        char path[128];

        (void) str_format(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
        tree_filef(tree, path,
                   "Node %u MemTotal:       %llu kB\nNode %u MemFree:        %llu kB\nNode %u FilePages:      "
                   "%llu kB\n"
                   "Node %u Shmem:          0 kB\nNode %u SReclaimable:   0 kB\n",
                   node, (unsigned long long) n->total_kib, node, (unsigned long long) n->free_kib, node,
                   (unsigned long long) n->cache_kib, node, node);
        for (size_t i = 0; i < POOLS; i++) {
                const struct pool *p = &shared->pools[node][i];
                const struct {
                        const char *name;
                        uint64_t value;
                } files[] = { { "nr", p->nr }, { "free", p->nr - p->used }, { "surplus", p->surplus } };

                for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
                        (void) str_format(path, sizeof(path), POOL "/%s_hugepages", node,
                                          (unsigned long long) sizes[i], files[f].name);
                        tree_filef(tree, path, "%llu\n", (unsigned long long) files[f].value);
                }
        }
}

static void show_blocks(void) {
        char lines[512] = "";
        size_t used = 0;

        for (unsigned n = 0; n < FAKE_NODES; n++) {
                /* One block of order 9 at most, the rest of order 10. */
                unsigned long long blocks = shared->nodes[n].whole_kib / FAKE_2M;

                used += (size_t) snprintf(
                        lines + used, sizeof(lines) - used,
                        "Node %u, zone   Normal    216     55     20      8      4      2      1      0      "
                        "0 %6llu %6llu\n",
                        n, blocks % 2, blocks / 2);
        }
        tree_file(tree, "/proc/buddyinfo", lines);
}

static void show(void) {
        show_blocks();
        for (unsigned n = 0; n < FAKE_NODES; n++)
                show_node(n);
}

void fake_memory_refresh(const char *path) {
        unsigned node;

        if (!shared)
                return;
        if (str_eq(path, "/proc/buddyinfo"))
                show_blocks();
        else if (sscanf(path, "/sys/devices/system/node/node%u/", &node) == 1 && node < FAKE_NODES)
                show_node(node);
}

void fake_memory_start(struct tree *t, const struct fake_node nodes[FAKE_NODES]) {
        char path[128];

        tree = t;
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                abort();
        memcpy(shared->nodes, nodes, sizeof(shared->nodes));
        tree_file(tree, "/sys/devices/system/node/has_memory", "0-1\n");
        tree_file(tree, "/proc/meminfo", "MemTotal: 8388608 kB\nHugepagesize:       2048 kB\n");
        tree_file(tree, "/proc/sys/vm/drop_caches", "0\n");
        for (size_t i = 0; i < POOLS; i++) {
                (void) str_format(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB",
                                  (unsigned long long) sizes[i]);
                tree_dir(tree, path);
        }
        for (unsigned n = 0; n < FAKE_NODES; n++) {
                (void) str_format(path, sizeof(path), "/sys/devices/system/node/node%u/compact", n);
                tree_file(tree, path, "");
        }
        show();
}

void fake_memory_stop(void) {
        munmap(shared, sizeof(*shared));
        shared = NULL;
        tree = NULL;
}

void fake_memory_node(unsigned node, const struct fake_node *n) {
        shared->nodes[node] = *n;
        show();
}

static struct pool *pool_of(unsigned node, uint64_t kib) {
        for (size_t i = 0; i < POOLS; i++)
                if (sizes[i] == kib)
                        return &shared->pools[node][i];
        abort();
}

uint64_t fake_memory_pages(unsigned node, uint64_t kib) {
        return pool_of(node, kib)->nr;
}

static void set_pages(unsigned node, uint64_t kib, uint64_t wanted) {
        struct fake_node *n = &shared->nodes[node];
        struct pool *p = pool_of(node, kib);

        while (p->nr < wanted && n->whole_kib >= kib) {
                n->whole_kib -= kib;
                n->free_kib -= kib;
                p->nr++;
        }
        while (p->nr > wanted && p->nr > p->used) {
                n->whole_kib += kib;
                n->free_kib += kib;
                p->nr--;
        }
        p->surplus = p->nr > wanted ? p->nr - wanted : 0;
}

void fake_memory_change(unsigned node, uint64_t kib, int pages) {
        set_pages(node, kib, (uint64_t) ((int64_t) pool_of(node, kib)->nr + pages));
        show();
}

int fake_memory_use(unsigned node, uint64_t kib, int pages) {
        struct pool *p = pool_of(node, kib);
        int64_t used = (int64_t) p->used + pages;

        used = used < 0 ? 0 : used > (int64_t) p->nr ? (int64_t) p->nr : used;
        pages = (int) (used - (int64_t) p->used);
        p->used = (uint64_t) used;
        if (p->surplus)
                set_pages(node, kib, p->nr - p->surplus);
        show();
        return pages;
}

int fake_memory_write(const char *path, const char *value) {
        unsigned long long kib;
        uint64_t count;
        unsigned node;
        char end[32];

        if (!shared)
                return 1;
        if (str_eq(path, "/proc/sys/vm/drop_caches")) {
                for (unsigned n = 0; n < FAKE_NODES; n++) {
                        shared->nodes[n].free_kib += shared->nodes[n].cache_kib;
                        shared->nodes[n].cache_kib = 0;
                }
        } else if (sscanf(path, "/sys/devices/system/node/node%u/%31s", &node, end) == 2 && node < FAKE_NODES &&
                   str_eq(end, "compact")) {
                struct fake_node *n = &shared->nodes[node];

                n->whole_kib = n->free_kib > n->pinned_kib ? n->free_kib - n->pinned_kib : 0;
        } else if (sscanf(path, POOL "/%31s", &node, &kib, end) == 3 && node < FAKE_NODES &&
                   str_eq(end, "nr_hugepages")) {
                if (str_to_u64(value, 10, UINT32_MAX, &count) < 0)
                        return -EINVAL;
                set_pages(node, kib, count);
        } else
                return 1;
        return 0;
}
