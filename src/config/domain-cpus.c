/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Where a domain's vCPUs run: libvirt's docs/formatdomain.rst, "CPU Tuning". */

#include <errno.h>

#include "base/str.h"
#include "config/domain-parts.h"

int domain_take_cpus(const struct xml_node *domain, struct request *q, struct err *e) {
        const struct xml_node *tune = xml_child(domain, "cputune");

        for (const struct xml_node *n = tune ? tune->children : NULL; n; n = n->next) {
                const char *text = xml_attribute(n, "cpuset");
                struct cpu_set cpus;

                if (!xml_is(n, "vcpupin"))
                        continue;
                if (!text || cpu_set_parse(text, &cpus) < 0 || cpu_set_is_empty(&cpus))
                        return fail_syntax(n, e, "cpuset: wanted numbers as 2-5,8 below %d, found “%s”", CPU_SET_MAX,
                                           text ? text : "");
                cpu_set_unite(&q->cpus, &cpus);
        }
        return 0;
}
