/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How fast a policy's CPUs run: "governor" and "epp" (the energy/performance preference) of "policy0" and so on.
 * Values are the kernel's words; of several claims the one for the most performance wins. */

#include <errno.h>

#include "base/str.h"
#include "lease/attribute.h"
#include "lease/combine.h"

#define POLICY "/sys/devices/system/cpu/cpufreq/%s/"
#define PERFORMANCE "performance"

static bool name_is_policy(const char *name) {
        unsigned n;

        return numbered_name_parse(name, "policy", &n) >= 0;
}

/* The kernel answers EBUSY for a policy whose CPUs are all offline, and gives it its last values when they are
 * back: so it has to wait for that. */
static int explain_offline(int r, const char *name, struct err *e) {
        if (r != -EBUSY)
                return r;
        return err_set(e, r, ERR_IN_USE, name, "%s: its CPUs are offline; it is given back when they are online",
                       name);
}

static int read_governor(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX],
                         struct err *e) {
        return explain_offline(attribute_read(root, name, ret, e, POLICY "scaling_governor", name), name, e);
}

static int write_governor(const struct knob_write *w, struct err *e) {
        return attribute_write(w, e, POLICY "scaling_governor", w->name);
}

static int target_governor(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        static const char *const order[] = { PERFORMANCE,    "schedutil", "ondemand",
                                             "conservative", "powersave", NULL };

        return combine_first(view, order, ret);
}

static int read_epp(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        return explain_offline(attribute_read(root, name, ret, e, POLICY "energy_performance_preference", name),
                               name, e);
}

static int write_epp(const struct knob_write *w, struct err *e) {
        return attribute_write(w, e, POLICY "energy_performance_preference", w->name);
}

static int target_epp(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        static const char *const order[] = { PERFORMANCE, "balance_performance",
                                             "default",   "balance_power",
                                             "power",     NULL };

        return combine_first(view, order, ret);
}

/* intel_pstate and amd-pstate themselves set it while the governor is performance. */
static bool is_performance(const char *current, const char *target) {
        (void) target;
        return str_eq(current, PERFORMANCE);
}

static void lane_of(const char *name, char ret[static KNOB_LANE_MAX]) {
        (void) name;
        (void) str_copy(ret, KNOB_LANE_MAX, "cpufreq");
}

/* Before the governor, and after it on the way back: with the governor performance the kernel refuses any other
 * value. */
const struct knob_kind knob_epp = {
        .name = "epp",
        .phase = 20,
        .name_is_valid = name_is_policy,
        .value_is_valid = attribute_value_is_valid,
        .read = read_epp,
        .write = write_epp,
        .target = target_epp,
        .satisfies = is_performance,
        .lane = lane_of,
};

const struct knob_kind knob_governor = {
        .name = "governor",
        .phase = 21,
        .name_is_valid = name_is_policy,
        .value_is_valid = attribute_value_is_valid,
        .read = read_governor,
        .write = write_governor,
        .target = target_governor,
        .lane = lane_of,
};
