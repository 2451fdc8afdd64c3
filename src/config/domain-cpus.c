/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Where a domain's vCPUs run: libvirt's docs/formatdomain.rst, "CPU Allocation" and "CPU Tuning". */

#include <errno.h>

#include "base/str.h"
#include "config/domain-parts.h"

static int parse_set(const struct xml_node *n, struct cpu_set *ret, struct err *e) {
        const char *text = xml_attribute(n, "cpuset");

        if (!text || cpu_set_parse(text, ret) < 0 || cpu_set_is_empty(ret))
                return fail_syntax(n, e, "cpuset: wanted numbers as 2-5,8 below %d, found “%s”", CPU_SET_MAX,
                                   text ? text : "");
        return 0;
}

static int parse_number(const struct xml_node *n, const char *what, const char *text, uint64_t max, uint64_t *ret,
                        struct err *e) {
        if (!text || str_to_u64(text, 10, max, ret) < 0)
                return fail_syntax(n, e, "%s: wanted a number up to %llu, found “%s”", what,
                                   (unsigned long long) max, text ? text : "");
        return 0;
}

int domain_take_pinning(const struct xml_node *domain, struct pinning *ret, struct err *e) {
        const struct xml_node *vcpu = xml_child(domain, "vcpu"), *tune = xml_child(domain, "cputune");
        const struct xml_node *topology = xml_child(xml_child(domain, "cpu"), "topology");
        struct cpu_set cpus;
        uint64_t v = 1;
        int r = 0;

        *ret = (struct pinning){ .n_vcpus = 1 };
        if (vcpu) {
                r = parse_number(vcpu, "vcpu", vcpu->text, PINNING_VCPUS_MAX, &v, e);
                ret->n_vcpus = (unsigned) v;
        }
        if (r >= 0 && topology && xml_attribute(topology, "threads")) {
                r = parse_number(topology, "threads", xml_attribute(topology, "threads"), PINNING_VCPUS_MAX, &v,
                                 e);
                ret->threads = (unsigned) v;
        }
        for (const struct xml_node *n = tune ? tune->children : NULL; r >= 0 && n; n = n->next) {
                if (xml_is(n, "emulatorpin"))
                        r = parse_set(n, &ret->emulator, e);
                if (!xml_is(n, "vcpupin"))
                        continue;
                r = parse_set(n, &cpus, e);
                if (r >= 0)
                        r = parse_number(n, "vcpu", xml_attribute(n, "vcpu"), PINNING_VCPUS_MAX - 1, &v, e);
                /* Those over the number of vCPUs are for later, as libvirt has it. */
                if (r >= 0 && v < ret->n_vcpus)
                        ret->vcpus[v] = cpus;
        }
        return r;
}

int domain_take_cpus(const struct xml_node *domain, struct request *q, struct err *e) {
        struct pinning p;
        struct err why = {};

        if (!xml_child(domain, "cputune"))
                return 0;
        if (domain_take_pinning(domain, &p, &why) >= 0)
                pinning_cpus(&p, &q->cpus);
        /* What we cannot read of one that borrows nothing is no concern of ours. */
        else if (!request_is_empty(q)) {
                if (e)
                        *e = why;
                return why.code;
        }
        return 0;
}
