/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which huge pages a domain takes, of which sizes, from which nodes of the host: libvirt's docs/formatdomain.rst,
 * "Memory Backing", "NUMA Node Tuning" and "Guest NUMA Topology". */

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "config/domain-parts.h"

static const struct unit {
        const char *name;
        uint64_t bytes;
} units[] = {
        { "b", 1 },
        { "bytes", 1 },
        { "KB", 1000 },
        { "k", 1024 },
        { "KiB", 1024 },
        { "MB", 1000000 },
        { "M", 1U << 20 },
        { "MiB", 1U << 20 },
        { "GB", 1000000000 },
        { "G", 1U << 30 },
        { "GiB", 1U << 30 },
        { "TB", UINT64_C(1000000000000) },
        { "T", UINT64_C(1) << 40 },
        { "TiB", UINT64_C(1) << 40 },
};

/* libvirt rounds up to whole KiB. */
static int parse_size(const struct xml_node *n, const char *text, const char *unit, uint64_t *ret_kib,
                      struct err *e) {
        uint64_t v;

        if (!unit)
                unit = "KiB";
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                const struct unit *u = &units[i];

                if (strcasecmp(u->name, unit) != 0)
                        continue;
                if (!text || str_to_u64(text, 10, REQUEST_KIB_MAX * 1024 / u->bytes, &v) < 0 || v == 0)
                        return fail_syntax(n, e, "wanted an amount of memory, found “%s” %s", text ? text : "",
                                           unit);
                *ret_kib = (v * u->bytes + 1023) / 1024;
                return 0;
        }
        return fail_syntax(n, e, "wanted a unit such as KiB, MiB or GiB, found “%s”", unit);
}

static int parse_set(const struct xml_node *n, const char *name, struct cpu_set *ret, struct err *e) {
        const char *text = xml_attribute(n, name);

        if (!text) {
                *ret = (struct cpu_set){};
                return 0;
        }
        if (cpu_set_parse(text, ret) < 0 || cpu_set_is_empty(ret))
                return fail_syntax(n, e, "%s: wanted numbers as 0-3,8 below %d, found “%s”", name, CPU_SET_MAX,
                                   text);
        return 0;
}

/* The size of the pages that a cell gets: of the <page> that names it, else of the one that names none. */
static int page_size(const struct xml_node *hugepages, unsigned cell, uint64_t *ret_kib, struct err *e) {
        const struct xml_node *found = NULL;

        *ret_kib = 0;
        for (const struct xml_node *n = hugepages->children; n; n = n->next) {
                struct cpu_set cells;
                int r;

                if (!xml_is(n, "page"))
                        continue;
                r = parse_set(n, "nodeset", &cells, e);
                if (r < 0)
                        return r;
                if (cpu_set_has(&cells, cell) || (!found && cpu_set_is_empty(&cells)))
                        found = n;
        }
        return found ? parse_size(found, xml_attribute(found, "size"), xml_attribute(found, "unit"), ret_kib, e)
                     : 0;
}

/* Where the host is to take a cell's memory from. Without a word, or with placement="auto", where there is room.
 */
static int host_nodes(const struct xml_node *numatune, unsigned cell, struct request_memory *m, struct err *e) {
        const struct xml_node *found = xml_child(numatune, "memory");
        const char *mode;
        int r;

        for (const struct xml_node *n = numatune ? numatune->children : NULL; n; n = n->next) {
                const char *id = xml_is(n, "memnode") ? xml_attribute(n, "cellid") : NULL;
                uint64_t v;

                if (id && str_to_u64(id, 10, CPU_SET_MAX, &v) >= 0 && v == cell)
                        found = n;
        }
        if (!found)
                return 0;
        mode = xml_attribute(found, "mode"); /* strict is libvirt's default */
        r = parse_set(found, "nodeset", &m->nodes, e);
        if (r < 0)
                return r;
        m->interleave = mode && str_eq(mode, "interleave") && !cpu_set_is_empty(&m->nodes);
        return 0;
}

static int add_cell(const struct xml_node *domain, const struct xml_node *hugepages, const struct xml_node *n,
                    unsigned cell, uint64_t kib, struct request *q, struct err *e) {
        struct request_memory m = { .kib = kib };
        int r;

        r = page_size(hugepages, cell, &m.page_kib, e);
        if (r >= 0)
                r = host_nodes(xml_child(domain, "numatune"), cell, &m, e);
        if (r < 0)
                return r;
        if (q->n_memory == ARRAY_SIZE(q->memory))
                return fail_syntax(n, e, "wanted at most %d cells, found one more", REQUEST_MEMORY_MAX);
        q->memory[q->n_memory++] = m;
        return 0;
}

int domain_take_memory(const struct xml_node *domain, struct request *q, struct err *e) {
        const struct xml_node *hugepages = xml_child(xml_child(domain, "memoryBacking"), "hugepages");
        const struct xml_node *memory = xml_child(domain, "memory"),
                              *numa = xml_child(xml_child(domain, "cpu"), "numa");
        uint64_t total, kib, in_cells = 0;
        unsigned cell = 0;
        int r;

        if (!hugepages)
                return 0;
        if (!memory)
                return fail_syntax(domain, e, "wanted the element memory, found none");
        r = parse_size(memory, memory->text, xml_attribute(memory, "unit"), &total, e);
        if (r < 0)
                return r;
        for (const struct xml_node *n = numa ? numa->children : NULL; n; n = n->next) {
                const char *id = xml_attribute(n, "id");
                uint64_t v = cell;

                if (!xml_is(n, "cell"))
                        continue;
                if (id && str_to_u64(id, 10, CPU_SET_MAX - 1, &v) < 0)
                        return fail_syntax(n, e, "id: wanted a number below %d, found “%s”", CPU_SET_MAX, id);
                r = parse_size(n, xml_attribute(n, "memory"), xml_attribute(n, "unit"), &kib, e);
                if (r >= 0)
                        r = add_cell(domain, hugepages, n, (unsigned) v, kib, q, e);
                if (r < 0)
                        return r;
                in_cells += kib;
                cell++;
        }
        if (cell == 0)
                return add_cell(domain, hugepages, memory, 0, total, q, e);
        /* Modules of memory are in <memory>, and in no cell's. */
        if (total > in_cells)
                q->memory[0].kib += total - in_cells;
        return 0;
}
