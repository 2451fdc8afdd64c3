/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan-isolation.h"

#include <errno.h>
#include <string.h>

#include "sys/cpus.h"
#include "sys/unit.h"

#define CGROUP "/sys/fs/cgroup"

/* Where libvirt and machined keep virtual machines. */
#define MACHINES "machine.slice"

#define IRQBALANCE "irqbalance.service"

int plan_check_cpus(const struct root *root, const struct request *q, struct err *e) {
        struct cpu_set online, missing = q->cpus;
        char text[256] = "", there[256] = "";
        int r;

        if (cpu_set_is_empty(&q->cpus))
                return 0;
        r = cpus_online(root, &online, e);
        if (r < 0)
                return r;
        cpu_set_subtract(&missing, &online);
        if (cpu_set_is_empty(&missing))
                return 0;
        (void) cpu_set_format(&missing, text, sizeof(text));
        (void) cpu_set_format(&online, there, sizeof(there));
        return err_set(e, -ENODEV, ERR_NOT_FOUND, "cpus",
                       "the domain is pinned to CPU %s, which this host does not have or which is offline; it has "
                       "%s: correct <cputune>, or bring it online",
                       text, there);
}

static int claim(const struct knob_kind *kind, const char *name, const struct cpu_set *host, struct lease *lease,
                 struct err *e) {
        struct claim c = { .kind = kind };
        int r;

        r = str_copy(c.name, sizeof(c.name), name);
        if (r >= 0)
                r = cpu_set_format(host, c.value, sizeof(c.value));
        if (r >= 0)
                r = lease_add_claim(lease, &c);
        return r < 0 ? err_set(e, r, ERR_NOT_SUPPORTED, name, "%s: the host's CPUs cannot be claimed: %s", name,
                               strerror(-r))
                     : 0;
}

/* What stays with the host after this domain and all others. */
static int host_cpus(const struct root *root, const struct request *q, const struct state *s, struct cpu_set *ret,
                     struct err *e) {
        struct cpu_set left;
        char text[256] = "";
        int r;

        r = cpus_online(root, &left, e);
        if (r < 0)
                return r;
        cpu_set_subtract(&left, &q->cpus);
        *ret = left;
        if (cpu_set_is_empty(&left))
                return err_set(
                        e, -EINVAL, ERR_REFUSED, "isolate",
                        "the domain is pinned to every CPU of the host: none would be left for the host itself");
        for (size_t i = 0; i < s->n_leases; i++) {
                const struct lease *other = &s->leases[i];
                const struct claim *c = lease_find_claim(other, &knob_workqueue, "unbound");
                struct cpu_set theirs;

                if (str_eq(other->domain, q->domain) || !c || cpu_set_parse(c->value, &theirs) < 0)
                        continue;
                (void) cpu_set_format(&left, text, sizeof(text));
                cpu_set_intersect(&left, &theirs);
                if (cpu_set_is_empty(&left))
                        return err_set(e, -EBUSY, ERR_REFUSED, "isolate",
                                       "the last CPUs of the host, %s, are isolated for domain %s: none would be "
                                       "left for the host itself",
                                       text, other->domain);
        }
        return 0;
}

static int plan_slices(const struct root *root, const struct cpu_set *host, struct lease *lease, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        char controllers[256];
        int r;

        if (root_read_attr(root, controllers, sizeof(controllers), CGROUP "/cgroup.controllers") < 0 ||
            !strstr(controllers, "cpuset"))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "isolate",
                               "isolate=yes needs the unified cgroup hierarchy with the cpuset controller "
                               "(%s/cgroup.controllers); boot with systemd.unified_cgroup_hierarchy=1",
                               CGROUP);
        r = root_list(root, &names, CGROUP);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "isolate", "%s cannot be read: %s", CGROUP, strerror(-r));
        for (char **name = names; *name; name++) {
                if (!unit_name_is_valid(*name) || str_eq(*name, MACHINES))
                        continue;
                r = claim(&knob_slice, *name, host, lease, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_of_lent_device(const struct root *root, const struct request *q, const char *irq) {
        for (size_t i = 0; i < q->n_devices; i++) {
                char address[BDF_TEXT_MAX];

                bdf_format(&q->devices[i].address, address);
                if (root_exists(root, "/sys/bus/pci/devices/%s/msi_irqs/%s", address, irq) > 0)
                        return true;
        }
        return false;
}

/* Where it would come without any lease. */
static int irq_cpus(const struct root *root, const struct state *s, const char *irq, struct cpu_set *ret) {
        const struct knob *k = state_find_knob(s, &knob_irq, irq);
        char text[4096];
        int r;

        if (k)
                return cpu_set_parse(k->baseline, ret);
        r = root_read_attr(root, text, sizeof(text), "/proc/irq/%s/smp_affinity_list", irq);
        return r < 0 ? r : cpu_set_parse(text, ret);
}

static int plan_irqs(const struct root *root, const struct request *q, const struct state *s,
                     const struct cpu_set *host, struct lease *lease, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = root_list(root, &names, "/proc/irq");
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "isolate", "/proc/irq cannot be read: %s", strerror(-r));
        for (char **name = names; *name; name++) {
                char actions[256];
                struct cpu_set cpus;

                if (!knob_irq.name_is_valid(*name))
                        continue;
                /* Nobody handles those without actions. */
                if (root_read_attr(root, actions, sizeof(actions), "/sys/kernel/irq/%s/actions", *name) < 0 ||
                    !*actions || irq_cpus(root, s, *name, &cpus) < 0)
                        continue;
                cpu_set_intersect(&cpus, &q->cpus);
                if (cpu_set_is_empty(&cpus) || is_of_lent_device(root, q, *name))
                        continue;
                r = claim(&knob_irq, *name, host, lease, e);
                if (r < 0)
                        return r;
        }
        return claim(&knob_irq, "default", host, lease, e);
}

/* irqbalance would put the interrupts back within seconds. */
static int plan_irqbalance(const struct root *root, const struct state *s, struct lease *lease, struct err *e) {
        struct claim c = { .kind = &knob_service, .name = IRQBALANCE, .value = "inactive" };
        bool active = false;
        int r;

        r = unit_is_active(root, IRQBALANCE, &active, NULL);
        if ((r < 0 || !active) && !state_find_knob(s, &knob_service, IRQBALANCE))
                return 0;
        r = lease_add_claim(lease, &c);
        return r < 0 ? err_set(e, r, ERR_FAILED, IRQBALANCE, "%s: %s", IRQBALANCE, strerror(-r)) : 0;
}

int plan_isolation(const struct root *root, const struct request *q, const struct state *s, struct lease *lease,
                   struct err *e) {
        struct cpu_set host;
        int r;

        if (!q->isolate)
                return 0;
        if (cpu_set_is_empty(&q->cpus))
                return err_set(
                        e, -EINVAL, ERR_INVALID, "isolate",
                        "isolate=yes needs a domain that is pinned: add <cputune> with a <vcpupin> for each vCPU");
        r = host_cpus(root, q, s, &host, e);
        if (r >= 0)
                r = plan_slices(root, &host, lease, e);
        if (r >= 0)
                r = plan_irqs(root, q, s, &host, lease, e);
        if (r >= 0)
                r = plan_irqbalance(root, s, lease, e);
        return r < 0 ? r : claim(&knob_workqueue, "unbound", &host, lease, e);
}
