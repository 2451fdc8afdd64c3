/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pinning.h"

#include <errno.h>
#include <stdlib.h>

void pinning_cpus(const struct pinning *p, struct cpu_set *ret) {
        struct cpu_set all = {};

        for (unsigned v = 0; v < p->n_vcpus; v++)
                cpu_set_unite(&all, &p->vcpus[v]);
        *ret = all;
}

/* Checking */

struct report {
        const struct topology *topology;
        const struct pinning *pinning;
        struct cpu_set cpus; /* of all vCPUs */
        struct finding *list;
        size_t n;
};

static struct finding *add(struct report *r, const char *id) {
        struct finding *f = &r->list[r->n++];

        *f = (struct finding){ .id = id, .part = "cpu" };
        return f;
}

static const char *text_of(const struct cpu_set *set, char buf[static 128]) {
        return cpu_set_format(set, buf, 128) < 0 ? "many" : buf;
}

static void check_there(struct report *r) {
        struct cpu_set missing = r->cpus;
        char text[128];

        for (size_t i = 0; i < r->topology->n; i++) {
                struct cpu_set one = {};

                cpu_set_add(&one, r->topology->list[i].id);
                cpu_set_subtract(&missing, &one);
        }
        if (!cpu_set_is_empty(&missing))
                (void) finding_set(add(r, "pinning-missing"), SEVERITY_ERROR, "correct <vcpupin>",
                                   "pinned to CPU %s, which is not there or offline", text_of(&missing, text));
}

static void check_shared(struct report *r) {
        struct cpu_set seen = {}, twice = {};
        char text[128];

        for (unsigned v = 0; v < r->pinning->n_vcpus; v++) {
                struct cpu_set common = r->pinning->vcpus[v];

                cpu_set_intersect(&common, &seen);
                cpu_set_unite(&twice, &common);
                cpu_set_unite(&seen, &r->pinning->vcpus[v]);
        }
        if (!cpu_set_is_empty(&twice))
                (void) finding_set(add(r, "pinning-shared"), SEVERITY_WARNING, "give each vCPU a CPU of its own",
                                   "several vCPUs share CPU %s", text_of(&twice, text));
}

static void check_cores(struct report *r) {
        struct cpu_set cores, emulator;
        char text[128];

        topology_cores_of(r->topology, &r->cpus, &cores);
        emulator = r->pinning->emulator;
        cpu_set_intersect(&emulator, &cores);
        if (!cpu_set_is_empty(&emulator))
                (void) finding_set(add(r, "pinning-emulator"), SEVERITY_WARNING,
                                   "move <emulatorpin> to the host's cores",
                                   "the emulator may run on CPU %s, on a core that vCPUs are pinned to",
                                   text_of(&emulator, text));
        cpu_set_subtract(&cores, &r->cpus);
        cpu_set_subtract(&cores, &r->pinning->emulator);
        if (!cpu_set_is_empty(&cores))
                (void) finding_set(
                        add(r, "pinning-siblings"), SEVERITY_WARNING, "pin whole cores, with all their threads",
                        "CPU %s is the other half of a core that a vCPU is pinned to, and stays with the host",
                        text_of(&cores, text));
}

/* How many caches, or nodes, the CPUs are spread over, and whether one would have room for all. */
static void check_spread(struct report *r) {
        struct cpu_set nodes = {}, covered = {};
        unsigned caches = 0, largest = 0;
        char text[128];

        for (size_t i = 0; i < r->topology->n; i++) {
                const struct cpu *c = &r->topology->list[i];

                if (cpu_set_count(&c->l3) > largest)
                        largest = cpu_set_count(&c->l3);
                if (!cpu_set_has(&r->cpus, c->id))
                        continue;
                if (c->node >= 0)
                        cpu_set_add(&nodes, (unsigned) c->node);
                if (!cpu_set_has(&covered, c->id)) {
                        cpu_set_unite(&covered, &c->l3);
                        caches++;
                }
        }
        if (cpu_set_count(&nodes) > 1)
                (void) finding_set(add(r, "pinning-nodes"), SEVERITY_WARNING,
                                   "stay on one node, or give the guest its own <numa>",
                                   "the vCPUs are on the nodes %s", text_of(&nodes, text));
        else if (caches > 1 && cpu_set_count(&r->cpus) <= largest)
                (void) finding_set(add(r, "pinning-cache"), SEVERITY_WARNING, "'passthru cpu plan' shows a layout",
                                   "the vCPUs are spread over %u last-level caches, and one has room for all",
                                   caches);
}

/* The guest takes vCPUs 2n and 2n+1 for threads of a core when it is told so. */
static void check_threads(struct report *r) {
        const struct pinning *p = r->pinning;
        unsigned threads = p->threads ? p->threads : 1, together = 0;

        for (unsigned v = 0; v < p->n_vcpus; v++) {
                const struct cpu *c = topology_find(r->topology, (unsigned) cpu_set_next(&p->vcpus[v], 0));
                unsigned first = v - v % threads;

                if (!c)
                        return;
                for (unsigned w = 0; w < v; w++) {
                        bool one_core = cpu_set_has(&c->siblings, (unsigned) cpu_set_next(&p->vcpus[w], 0));

                        if (one_core && w < first)
                                together++;
                        if (!one_core && w >= first) {
                                (void) finding_set(add(r, "pinning-threads"), SEVERITY_WARNING,
                                                   "pin the threads of a guest's core to the threads of one core",
                                                   "vCPU %u and %u are threads of one core to the guest, and on "
                                                   "different cores",
                                                   w, v);
                                return;
                        }
                }
        }
        if (together > 0)
                (void) finding_set(add(r, "pinning-threads"), SEVERITY_WARNING,
                                   "set threads= in <cpu><topology>, as 'passthru cpu plan' shows it",
                                   "vCPUs that are cores of their own to the guest are threads of one core");
}

size_t pinning_check(const struct topology *t, const struct pinning *p,
                     struct finding ret[static PINNING_FINDINGS_MAX]) {
        struct report r = { .topology = t, .pinning = p, .list = ret };

        pinning_cpus(p, &r.cpus);
        for (unsigned v = 0; v < p->n_vcpus; v++)
                if (cpu_set_is_empty(&p->vcpus[v])) {
                        if (!cpu_set_is_empty(&r.cpus))
                                (void) finding_set(add(&r, "pinning-partial"), SEVERITY_WARNING, "pin every vCPU",
                                                   "vCPU %u is not pinned, others are", v);
                        return r.n;
                }
        if (p->n_vcpus == 0)
                return 0;
        check_there(&r);
        check_shared(&r);
        check_cores(&r);
        check_spread(&r);
        check_threads(&r);
        return r.n;
}

/* Planning */

struct core {
        struct cpu_set cpus;
        int first; /* CPU */
        bool preferred;
        unsigned cache_room; /* free cores that share its cache */
        int cache;           /* the first CPU of that */
};

static int compare_cores(const void *a, const void *b) {
        const struct core *x = a, *y = b;

        if (x->preferred != y->preferred)
                return x->preferred ? -1 : 1;
        if (x->cache_room != y->cache_room)
                return x->cache_room < y->cache_room ? -1 : 1;
        return x->cache != y->cache ? x->cache - y->cache : x->first - y->first;
}

/* The cores that may be taken: all but that of CPU 0. */
static size_t list_cores(const struct topology *t, const struct cpu_set *nodes, struct core *ret) {
        size_t n = 0;

        for (size_t i = 0; i < t->n; i++) {
                const struct cpu *c = &t->list[i];

                if (cpu_set_next(&c->siblings, 0) != (int) c->id || cpu_set_has(&c->siblings, 0))
                        continue;
                ret[n++] = (struct core){
                        .cpus = c->siblings,
                        .first = (int) c->id,
                        .preferred = cpu_set_is_empty(nodes) ||
                                     (c->node >= 0 && cpu_set_has(nodes, (unsigned) c->node)),
                        .cache = cpu_set_next(&c->l3, 0),
                };
        }
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n; k++)
                        ret[i].cache_room += ret[k].cache == ret[i].cache;
        return n;
}

/* A cache that has room for all, the smallest such; else the roomiest caches first. */
static void order_cores(struct core *cores, size_t n, unsigned wanted) {
        for (size_t i = 0; i < n; i++)
                if (cores[i].cache_room < wanted)
                        cores[i].cache_room = 2 * CPU_SET_MAX - cores[i].cache_room;
        qsort(cores, n, sizeof(*cores), compare_cores);
}

int pinning_plan(const struct topology *t, unsigned n, const struct cpu_set *nodes, unsigned keep,
                 struct pinning *ret, struct err *e) {
        _cleanup_free_ struct core *cores = calloc(t->n + 1, sizeof(*cores));
        struct pinning p = {};
        unsigned threads, wanted;
        size_t n_cores;

        if (!cores)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        n_cores = list_cores(t, nodes, cores);
        threads = n_cores > 0 ? cpu_set_count(&cores[0].cpus) : 1;
        if (n == 0 || n > PINNING_VCPUS_MAX || n % threads != 0)
                return err_set(
                        e, -EINVAL, ERR_INVALID, "vcpus",
                        "wanted a number of vCPUs from %u to %d that fills whole cores of %u threads, found %u",
                        threads, PINNING_VCPUS_MAX, threads, n);
        wanted = n / threads;
        /* The core of CPU 0 is one of those that stay. */
        if (wanted + (keep > 1 ? keep - 1 : 0) > n_cores)
                return err_set(e, -ENOSPC, ERR_REFUSED, "vcpus",
                               "%u vCPUs need %u cores; of the host's %zu, %u stay with it", n, wanted,
                               n_cores + 1, keep > 1 ? keep : 1);
        order_cores(cores, n_cores, wanted);
        for (unsigned c = 0; c < wanted; c++)
                for (int cpu = cpu_set_next(&cores[c].cpus, 0); cpu >= 0 && p.n_vcpus < n;
                     cpu = cpu_set_next(&cores[c].cpus, (unsigned) cpu + 1))
                        cpu_set_add(&p.vcpus[p.n_vcpus++], (unsigned) cpu);
        for (size_t i = 0; i < t->n; i++)
                cpu_set_add(&p.emulator, t->list[i].id);
        for (unsigned c = 0; c < wanted; c++)
                cpu_set_subtract(&p.emulator, &cores[c].cpus);
        p.threads = threads;
        *ret = p;
        return 0;
}
