/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/hugepages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "sys/memory.h"

#define POOL "/sys/devices/system/node/node%u/hugepages/hugepages-%llukB"

/* Stopping at the first try that brought nothing lost one run of three. */
#define IDLE_TRIES_MAX 3

/* In pieces, so that there is progress to tell and a deadline can be kept. */
#define PIECES 8
#define PIECE_KIB_MIN (UINT64_C(128) << 10)

struct pool {
        const struct root *root;
        unsigned node;
        uint64_t kib;
        struct hugepages now;
};

const char *kib_format(uint64_t kib, char buf[static 24]) {
        static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
        size_t u = 0;

        while (u + 1 < ARRAY_SIZE(units) && kib >= 1024 && kib % 1024 == 0) {
                kib /= 1024;
                u++;
        }
        (void) str_format(buf, 24, "%llu %s", (unsigned long long) kib, units[u]);
        return buf;
}

int hugepages_nodes(const struct root *root, struct cpu_set *ret, struct err *e) {
        char text[256];
        int r;

        r = root_read_attr(root, text, sizeof(text), "/sys/devices/system/node/has_memory");
        if (r >= 0)
                r = cpu_set_parse(text, ret);
        if (r >= 0)
                return 0;
        return err_set(
                e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "hugepages",
                "the kernel shows no memory nodes (/sys/devices/system/node/has_memory): %s; it needs CONFIG_NUMA",
                strerror(-r));
}

int hugepages_default_kib(const struct root *root, uint64_t *ret, struct err *e) {
        uint64_t kib;

        if (memory_info(root, "/proc/meminfo", "Hugepagesize", &kib) < 0 || kib == 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "hugepages",
                               "/proc/meminfo names no Hugepagesize: this kernel or machine has no huge pages");
        *ret = kib;
        return 0;
}

int hugepages_read(const struct root *root, unsigned node, uint64_t kib, struct hugepages *ret, struct err *e) {
        unsigned long long size = kib;
        uint64_t total, unused, surplus = 0;
        char text[24];
        int r;

        r = root_read_u64(root, 10, UINT32_MAX, &total, POOL "/nr_hugepages", node, size);
        if (r >= 0)
                r = root_read_u64(root, 10, UINT32_MAX, &unused, POOL "/free_hugepages", node, size);
        if (r >= 0)
                r = root_read_u64(root, 10, UINT32_MAX, &surplus, POOL "/surplus_hugepages", node, size);
        if (r == -ENOENT)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, "hugepages",
                               "node %u has no pages of %s, or does not exist", node, kib_format(kib, text));
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "hugepages", "node %u: pages of %s cannot be read: %s", node,
                               kib_format(kib, text), strerror(-r));
        *ret = (struct hugepages){ .total = total > surplus ? total - surplus : 0, .free = unused };
        return 0;
}

static int set(struct pool *p, uint64_t count, struct err *e) {
        char value[24], text[24];
        int r;

        (void) str_format(value, sizeof(value), "%llu", (unsigned long long) count);
        r = root_write_attr(p->root, value, POOL "/nr_hugepages", p->node, (unsigned long long) p->kib);
        if (r < 0 && r != -ENOMEM)
                return err_set(
                        e, r, ERR_FAILED, "hugepages", "node %u: the kernel refuses %s pages of %s: %s%s", p->node,
                        value, kib_format(p->kib, text), strerror(-r),
                        r == -EINVAL ? "; pages of this size may have to be reserved at boot: see [hugepages] in "
                                       "passthru.conf and 'passthru boot plan'"
                                     : "");
        return hugepages_read(p->root, p->node, p->kib, &p->now, e);
}

/* How many pages the node's free blocks make as they are. 0 also where that cannot be told: for pages that are
 * larger than the allocator's largest block. */
static uint64_t whole_pages(const struct pool *p) {
        _cleanup_free_ char *text = NULL;
        uint64_t pages = 0, blocks = p->kib * 1024 / (uint64_t) sysconf(_SC_PAGESIZE);
        char node[24], *rest, *line;
        unsigned order = 0;

        while (UINT64_C(1) << order < blocks)
                order++;
        (void) str_format(node, sizeof(node), "Node %u,", p->node);
        if (root_read(p->root, "/proc/buddyinfo", 1U << 20, &text, NULL) < 0)
                return 0;
        for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                unsigned column = 0;
                char *fields;

                /* "Node 0, zone   Normal   216   55 …": blocks of each order */
                if (!str_starts(line, node))
                        continue;
                (void) strtok_r(line + strlen(node), " ", &fields);
                (void) strtok_r(NULL, " ", &fields);
                for (char *f = strtok_r(NULL, " ", &fields); f; f = strtok_r(NULL, " ", &fields), column++)
                        if (column >= order)
                                pages += strtoull(f, NULL, 10) << (column - order);
        }
        return pages;
}

static void compact(const struct pool *p) {
        (void) root_write_attr(p->root, "1", "/sys/devices/system/node/node%u/compact", p->node);
}

/* Clean page cache only: nothing is lost, but the next reads are slow. So it comes late. */
static void drop_cache(const struct pool *p) {
        (void) root_write_attr(p->root, "1", "/proc/sys/vm/drop_caches");
}

/* With the memory full of page cache, to compact first brought less than to just ask: the kernel reclaims then. */
static bool is_free_but_in_pieces(const struct pool *p, uint64_t missing) {
        struct node_memory m;

        return node_memory_read(p->root, p->node, &m) >= 0 && m.free_kib / p->kib >= missing;
}

static uint64_t piece(const struct pool *p, uint64_t missing) {
        uint64_t smallest = p->kib < PIECE_KIB_MIN ? PIECE_KIB_MIN / p->kib : 1;
        uint64_t n = missing / PIECES > smallest ? missing / PIECES : smallest;

        /* One write is the fastest where nothing has to be searched for. */
        return n >= missing || whole_pages(p) >= missing ? missing : n;
}

static int grow(struct pool *p, uint64_t count, uint64_t until_usec,
                void (*progress)(uint64_t done, uint64_t total, void *userdata), void *userdata, struct err *e) {
        uint64_t start = now_usec(), before = p->now.total;
        char size[24], users[256];
        unsigned idle = 0;
        int r;

        if (whole_pages(p) < count - before && is_free_but_in_pieces(p, count - before))
                compact(p);
        do {
                uint64_t last = p->now.total;

                r = set(p, last + piece(p, count - last), e);
                if (r < 0)
                        return r;
                if (p->now.total >= count)
                        return 0;
                progress(p->now.total > before ? p->now.total - before : 0, count - before, userdata);
                if (p->now.total > last) {
                        idle = 0;
                        continue;
                }
                if (++idle < IDLE_TRIES_MAX) {
                        drop_cache(p);
                        compact(p);
                }
        } while (idle < IDLE_TRIES_MAX && now_usec() < until_usec);
        return err_set(e, -ENOMEM, ERR_FAILED, "hugepages",
                       "node %u has %llu of %llu pages of %s after %.1f s: its memory is in use, or in pieces. "
                       "Largest users of memory: %s",
                       p->node, (unsigned long long) p->now.total, (unsigned long long) count,
                       kib_format(p->kib, size), (double) (now_usec() - start) / 1000000,
                       memory_users(p->root, users, sizeof(users)));
}

int hugepages_set(const struct root *root, unsigned node, uint64_t kib, uint64_t count, uint64_t until_usec,
                  void (*progress)(uint64_t done, uint64_t total, void *userdata), void *userdata, struct err *e) {
        struct pool p = { .root = root, .node = node, .kib = kib };
        uint64_t used;
        char size[24];
        int r;

        r = hugepages_read(root, node, kib, &p.now, e);
        if (r < 0)
                return r;
        if (p.now.total < count)
                return grow(&p, count, until_usec, progress, userdata, e);
        used = p.now.total > p.now.free ? p.now.total - p.now.free : 0;
        r = set(&p, used > count ? used : count, e);
        if (r < 0)
                return r;
        if (used <= count)
                return 0;
        return err_set(e, -EBUSY, ERR_IN_USE, "hugepages",
                       "node %u: %llu pages of %s are still in use and are given back when they are free", node,
                       (unsigned long long) (used - count), kib_format(kib, size));
}
