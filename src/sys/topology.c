/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/topology.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "sys/cpus.h"

#define CPU "/sys/devices/system/cpu/cpu%u/"
#define CACHES_MAX 16

static int read_set(const struct root *root, struct cpu_set *ret, const char *fmt, ...) _printf_(3, 4);
static int read_set(const struct root *root, struct cpu_set *ret, const char *fmt, ...) {
        char path[256], text[4096];
        va_list ap;
        int r;

        va_start(ap, fmt);
        (void) vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        r = root_read_attr(root, text, sizeof(text), "%s", path);
        return r < 0 ? r : cpu_set_parse(text, ret);
}

/* The cache of the highest level, whatever that is. */
static void read_last_cache(const struct root *root, struct cpu *c) {
        uint64_t level, last = 0;

        for (unsigned i = 0; i < CACHES_MAX; i++) {
                struct cpu_set shared;

                if (root_read_u64(root, 10, 9, &level, CPU "cache/index%u/level", c->id, i) < 0)
                        return;
                if (level > last && read_set(root, &shared, CPU "cache/index%u/shared_cpu_list", c->id, i) >= 0) {
                        c->l3 = shared;
                        last = level;
                }
        }
}

static void read_cpu(const struct root *root, struct cpu *c) {
        uint64_t package;

        if (root_read_u64(root, 10, INT32_MAX, &package, CPU "topology/physical_package_id", c->id) >= 0)
                c->package = (int) package;
        cpu_set_add(&c->siblings, c->id);
        (void) read_set(root, &c->siblings, CPU "topology/thread_siblings_list", c->id);
        c->l3 = c->siblings;
        (void) read_set(root, &c->l3, CPU "topology/package_cpus_list", c->id);
        read_last_cache(root, c);
}

static void read_nodes(const struct root *root, struct topology *t) {
        struct cpu_set nodes, cpus;

        if (read_set(root, &nodes, "/sys/devices/system/node/online") < 0)
                return;
        for (int node = cpu_set_next(&nodes, 0); node >= 0; node = cpu_set_next(&nodes, (unsigned) node + 1)) {
                if (read_set(root, &cpus, "/sys/devices/system/node/node%d/cpulist", node) < 0)
                        continue;
                for (size_t i = 0; i < t->n; i++)
                        if (cpu_set_has(&cpus, t->list[i].id))
                                t->list[i].node = node;
        }
}

int topology_read(const struct root *root, struct topology *ret, struct err *e) {
        _cleanup_topology_ struct topology t = {};
        struct cpu_set online;
        int r;

        r = cpus_online(root, &online, e);
        if (r < 0)
                return r;
        t.list = calloc(cpu_set_count(&online), sizeof(*t.list));
        if (!t.list)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        for (int id = cpu_set_next(&online, 0); id >= 0; id = cpu_set_next(&online, (unsigned) id + 1)) {
                struct cpu *c = &t.list[t.n++];

                *c = (struct cpu){ .id = (unsigned) id, .node = -1, .package = -1 };
                read_cpu(root, c);
        }
        read_nodes(root, &t);
        *ret = TAKE(t, (struct topology){});
        return 0;
}
