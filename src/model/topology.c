/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/topology.h"

#include <stdlib.h>

void topology_done(struct topology *t) {
        free(t->list);
        *t = (struct topology){};
}

const struct cpu *topology_find(const struct topology *t, unsigned id) {
        for (size_t i = 0; i < t->n; i++)
                if (t->list[i].id == id)
                        return &t->list[i];
        return NULL;
}

void topology_cores_of(const struct topology *t, const struct cpu_set *cpus, struct cpu_set *ret) {
        struct cpu_set all = {};

        for (size_t i = 0; i < t->n; i++)
                if (cpu_set_has(cpus, t->list[i].id))
                        cpu_set_unite(&all, &t->list[i].siblings);
        *ret = all;
}
