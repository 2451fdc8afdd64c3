/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/finding.h"
#include "model/topology.h"

#define PINNING_VCPUS_MAX 512

/* Which CPUs of the host a domain's threads run on, and the topology that its guest sees. */
struct pinning {
        struct cpu_set vcpus[PINNING_VCPUS_MAX]; /* empty: not pinned */
        unsigned n_vcpus;
        struct cpu_set emulator; /* empty: not pinned */
        unsigned threads;        /* of each of the guest's cores; 0: not said */
};

/* The CPUs of all vCPUs. */
void pinning_cpus(const struct pinning *p, struct cpu_set *ret);

#define PINNING_FINDINGS_MAX 8

/* What about a pinning costs speed: CPUs that are not there, vCPUs that share one, cores shared with the host or
 * with the emulator, caches and nodes that are crossed without need, and guest threads that are not threads of one
 * core. Returns how many findings; 0: nothing. A domain that is not pinned has none. */
size_t pinning_check(const struct topology *t, const struct pinning *p,
                     struct finding ret[static PINNING_FINDINGS_MAX]);

/* Lays out n vCPUs on whole cores: on the preferred nodes first (empty: no preference), in as few caches as
 * possible; the core of CPU 0 and at least `keep` cores stay with the host, and with the emulator. -EINVAL: n is
 * no multiple of a core's threads; -ENOSPC: there are not enough cores. */
int pinning_plan(const struct topology *t, unsigned n, const struct cpu_set *nodes, unsigned keep,
                 struct pinning *ret, struct err *e);
