/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/cpu-set.h"

/* One CPU (a thread of a core) and what it shares with others. Numbers are the kernel's. */
struct cpu {
        unsigned id;
        int node, package;       /* -1: not known */
        struct cpu_set siblings; /* the threads of its core, itself among them */
        struct cpu_set l3;       /* the CPUs that share its last-level cache */
};

/* All CPUs that run, ordered by id. */
struct topology {
        struct cpu *list;
        size_t n;
};
void topology_done(struct topology *t);
#define _cleanup_topology_ _cleanup_(topology_done)

/* NULL when there is none with this number. */
const struct cpu *topology_find(const struct topology *t, unsigned id);

/* The CPUs of the cores that have any of these. */
void topology_cores_of(const struct topology *t, const struct cpu_set *cpus, struct cpu_set *ret);
