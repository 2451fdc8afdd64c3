/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early/pools.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

void pool_name(const struct early_pool *pool, char *buf, size_t size) {
        unsigned long long kib = pool->page_kib;
        const char *unit = kib >= 1 << 20 ? "G" : kib >= 1 << 10 ? "M" : "K";
        char node[16] = "";

        kib >>= kib >= 1 << 20 ? 20 : kib >= 1 << 10 ? 10 : 0;
        if (pool->node != EARLY_NODE_ANY)
                (void) str_format(node, sizeof(node), " %d", pool->node);
        (void) str_format(buf, size, "hugepages %llu%s%s", kib, unit, node);
}

static void pool_path(const struct early_pool *pool, char *buf, size_t size) {
        char folder[64] = "/kernel/mm";

        if (pool->node != EARLY_NODE_ANY)
                (void) str_format(folder, sizeof(folder), "/devices/system/node/node%d", pool->node);
        (void) str_format(buf, size, "%s/hugepages/hugepages-%llukB/nr_hugepages", folder,
                          (unsigned long long) pool->page_kib);
}

static enum early_state fail(int r, const char *what, char *message, size_t size) {
        (void) str_format(message, size, "%s: %s", what,
                          r == -ENOENT ? "this host has no such node, or no pages of this size" : strerror(-r));
        return EARLY_FAILED;
}

enum early_state pool_fill(const struct root *root, const struct early_pool *pool, char *message, size_t size) {
        _cleanup_free_ char *outside = root_join(root, "/sys");
        _cleanup_root_ struct root *sys = NULL;
        char path[128], number[24];
        uint64_t had, got;
        int r;

        /* The kernel may take its time, and meanwhile what starts the system moves /sys: its path leads nowhere
         * then. */
        r = outside ? root_new(outside, &sys) : -ENOMEM;
        if (r < 0)
                return fail(r, "/sys", message, size);
        pool_path(pool, path, sizeof(path));
        r = root_read_u64(sys, 10, UINT64_MAX, &had, "%s", path);
        if (r < 0)
                return fail(r, path, message, size);
        if (had < pool->pages) {
                (void) str_format(number, sizeof(number), "%u", pool->pages);
                r = root_write_attr(sys, number, "%s", path);
                if (r < 0)
                        return fail(r, path, message, size);
        }
        r = root_read_u64(sys, 10, UINT64_MAX, &got, "%s", path);
        if (r < 0)
                return fail(r, path, message, size);
        (void) str_format(message, size, "%llu of %u pages", (unsigned long long) got, pool->pages);
        return got >= pool->pages ? EARLY_DONE : EARLY_FAILED;
}
