/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which CPUs the host's own work may use: "slice" (a top-level slice or scope of systemd), "irq" ("24", and
 * "default" for those to come) and "workqueue" ("unbound"). A value is a list of CPUs, "all" for a slice that is
 * not restricted; claims are the CPUs that stay with the host, and what all of them allow is what is set. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/child.h"
#include "base/str.h"
#include "lease/attribute.h"
#include "lease/combine.h"
#include "sys/cpus.h"
#include "sys/unit.h"

#define ALL "all"
#define CGROUP "/sys/fs/cgroup"
#define WORKQUEUE "/sys/devices/virtual/workqueue/cpumask"
#define DEFAULT_IRQ "default"

/* How long systemd may take from its answer to the cgroup. */
#define SETTLE_USEC 2000000U

static bool value_is_list(const char *value) {
        struct cpu_set cpus;

        return cpu_set_parse(value, &cpus) >= 0 && !cpu_set_is_empty(&cpus);
}

static int format(const struct cpu_set *cpus, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        int r = cpu_set_format(cpus, ret, KNOB_VALUE_MAX);

        return r < 0 ? err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, name, "%s: its list of CPUs has too many pieces",
                               name)
                     : 0;
}

static int bad(const char *name, const char *value, struct err *e) {
        return err_set(e, -EINVAL, ERR_FAILED, name, "%s: '%s' is no list of CPUs", name, value);
}

/* Slices */

static bool name_is_slice(const char *name) {
        return strlen(name) < KNOB_NAME_MAX && unit_name_is_valid(name);
}

static bool value_is_slice(const char *value) {
        return str_eq(value, ALL) || value_is_list(value);
}

/* What systemd says may differ from what is (systemd#43846): the cgroup counts. */
static int read_slice(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        struct cpu_set cpus = {}, effective = {}, online, possible;
        char text[4096];
        int r;

        if (root_exists(root, CGROUP "/%s", name) <= 0)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, name,
                               "%s is not there any more: nothing is left to change", name);
        r = root_read_attr(root, text, sizeof(text), CGROUP "/%s/cpuset.cpus", name);
        if (r == -ENOENT || (r >= 0 && !*text))
                return str_copy(ret, KNOB_VALUE_MAX, ALL);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, name, "%s: cpuset.cpus cannot be read: %s", name, strerror(-r));
        if (cpu_set_parse(text, &cpus) < 0)
                return bad(name, text, e);
        if (root_read_attr(root, text, sizeof(text), CGROUP "/%s/cpuset.cpus.effective", name) < 0 ||
            cpu_set_parse(text, &effective) < 0 || cpus_listed(root, "online", &online) < 0 ||
            cpus_listed(root, "possible", &possible) < 0)
                return err_set(e, -EIO, ERR_FAILED, name, "%s: cpuset.cpus.effective cannot be read", name);
        /* A CPU that is offline at present is one that it must have when it is back. */
        if (cpu_set_is_subset(&possible, &cpus) && cpu_set_is_subset(&online, &effective))
                return str_copy(ret, KNOB_VALUE_MAX, ALL);
        return format(&cpus, name, ret, e);
}

static int wait_for_slice(const struct knob_write *w, struct err *e) {
        uint64_t end = now_usec() + SETTLE_USEC;
        char now[KNOB_VALUE_MAX];
        int r;

        while ((r = read_slice(w->root, w->name, now, e)) >= 0 && !str_eq(now, w->value) && now_usec() < end)
                (void) nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
        return r;
}

static int write_slice(const struct knob_write *w, struct err *e) {
        struct cpu_set cpus;
        int r;

        if (!str_eq(w->value, ALL)) {
                if (cpu_set_parse(w->value, &cpus) < 0)
                        return bad(w->name, w->value, e);
                r = unit_set_cpus(w->root, w->name, &cpus, e);
                return r < 0 ? r : wait_for_slice(w, e);
        }
        if (cpus_listed(w->root, "possible", &cpus) < 0 || cpu_set_is_empty(&cpus))
                return err_set(e, -EIO, ERR_FAILED, w->name, "/sys/devices/system/cpu/possible cannot be read");
        r = unit_set_cpus(w->root, w->name, &cpus, e);
        if (r >= 0)
                r = wait_for_slice(w, e);
        /* Only now, or the cgroup would keep the restriction where systemd forgets to undo it. */
        return r < 0 ? r : unit_set_cpus(w->root, w->name, NULL, e);
}

static int target_slice(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        return combine_intersection(view, ALL, ret);
}

/* Interrupts */

static bool name_is_irq(const char *name) {
        unsigned n;

        return str_eq(name, DEFAULT_IRQ) || numbered_name_parse(name, "", &n) >= 0;
}

static int read_irq(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        struct cpu_set cpus;
        int r;

        if (str_eq(name, DEFAULT_IRQ)) {
                r = attribute_read(root, name, ret, e, "/proc/irq/default_smp_affinity");
                if (r >= 0 && cpu_set_parse_mask(ret, &cpus) < 0)
                        return bad(name, ret, e);
                return r < 0 ? r : format(&cpus, name, ret, e);
        }
        r = attribute_read(root, name, ret, e, "/proc/irq/%s/smp_affinity_list", name);
        return r < 0 ? r : value_is_list(ret) ? 0 : bad(name, ret, e);
}

static int write_mask(const struct knob_write *w, const char *path, struct err *e) {
        struct knob_write mask = *w;
        char text[KNOB_VALUE_MAX];
        struct cpu_set cpus;

        if (cpu_set_parse(w->value, &cpus) < 0 || cpu_set_format_mask(&cpus, text, sizeof(text)) < 0)
                return bad(w->name, w->value, e);
        mask.value = text;
        return attribute_write(&mask, e, "%s", path);
}

static int write_irq(const struct knob_write *w, struct err *e) {
        int r;

        if (str_eq(w->name, DEFAULT_IRQ))
                return write_mask(w, "/proc/irq/default_smp_affinity", e);
        r = attribute_write(w, e, "/proc/irq/%s/smp_affinity_list", w->name);
        /* What an IRQ is for decides whether it may be moved (managed ones follow their queue's CPU). */
        if (r == -EIO || r == -EPERM)
                return err_set(e, r, ERR_NOT_SUPPORTED, w->name,
                               "IRQ %s cannot be moved off the domain's CPUs: the kernel itself places it",
                               w->name);
        return r;
}

/* A device that went and came back may have got the number of another one. */
static int identify_irq(const struct root *root, const char *name, char ret[static KNOB_IDENTITY_MAX],
                        struct err *e) {
        char actions[256] = "";

        (void) e;
        if (!str_eq(name, DEFAULT_IRQ))
                (void) root_read_attr(root, actions, sizeof(actions), "/sys/kernel/irq/%s/actions", name);
        (void) str_copy(ret, KNOB_IDENTITY_MAX, actions);
        return 0;
}

static int target_list(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        return combine_intersection(view, NULL, ret);
}

/* Kernel workers that are bound to no CPU */

static bool name_is_workqueue(const char *name) {
        return str_eq(name, "unbound");
}

static int read_workqueue(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX],
                          struct err *e) {
        struct cpu_set cpus;
        int r;

        r = attribute_read(root, name, ret, e, WORKQUEUE);
        if (r >= 0 && cpu_set_parse_mask(ret, &cpus) < 0)
                return bad(name, ret, e);
        return r < 0 ? r : format(&cpus, name, ret, e);
}

static int write_workqueue(const struct knob_write *w, struct err *e) {
        return write_mask(w, WORKQUEUE, e);
}

static void slice_lane(const char *name, char ret[static KNOB_LANE_MAX]) {
        (void) name;
        (void) str_copy(ret, KNOB_LANE_MAX, "slices");
}

static void irq_lane(const char *name, char ret[static KNOB_LANE_MAX]) {
        (void) name;
        (void) str_copy(ret, KNOB_LANE_MAX, "irqs");
}

/* Last: the less the host may use, the slower all the other steps are. */
const struct knob_kind knob_slice = {
        .name = "slice",
        .phase = 90,
        .ambient = true,
        .name_is_valid = name_is_slice,
        .value_is_valid = value_is_slice,
        .read = read_slice,
        .write = write_slice,
        .target = target_slice,
        .lane = slice_lane,
};

const struct knob_kind knob_irq = {
        .name = "irq",
        .phase = 90,
        .optional = true,
        .ambient = true,
        .name_is_valid = name_is_irq,
        .value_is_valid = value_is_list,
        .read = read_irq,
        .write = write_irq,
        .target = target_list,
        .lane = irq_lane,
        .identify = identify_irq,
};

const struct knob_kind knob_workqueue = {
        .name = "workqueue",
        .phase = 90,
        .name_is_valid = name_is_workqueue,
        .value_is_valid = value_is_list,
        .read = read_workqueue,
        .write = write_workqueue,
        .target = target_list,
        .lane = irq_lane,
};
