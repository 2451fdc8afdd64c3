/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What draws on a display that is to be lent: "service" ("display-manager.service": active or inactive) and
 * "vtconsole"
 * ("vtcon1": 1 while it is bound). Several leases that want one stopped share it: it starts again with the last.
 */

#include <errno.h>

#include "base/str.h"
#include "lease/attribute.h"
#include "model/request.h"
#include "sys/unit.h"

#define ACTIVE "active"
#define INACTIVE "inactive"

static int target(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        return str_copy(ret, KNOB_VALUE_MAX, view->n_claims > 0 ? view->claims[0] : view->baseline);
}

static bool is_active_or_not(const char *value) {
        return str_eq(value, ACTIVE) || str_eq(value, INACTIVE);
}

static int read_service(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX],
                        struct err *e) {
        bool active;
        int r;

        r = unit_is_active(root, name, &active, e);
        return r < 0 ? r : str_copy(ret, KNOB_VALUE_MAX, active ? ACTIVE : INACTIVE);
}

static int write_service(const struct knob_write *w, struct err *e) {
        return unit_set_active(w->root, w->name, str_eq(w->value, ACTIVE), e);
}

static void service_lane(const char *name, char ret[static KNOB_LANE_MAX]) {
        (void) name;
        (void) str_copy(ret, KNOB_LANE_MAX, "services");
}

static bool name_is_vtconsole(const char *name) {
        unsigned n;

        return numbered_name_parse(name, "vtcon", &n) >= 0;
}

static bool is_bound_or_not(const char *value) {
        return str_eq(value, "0") || str_eq(value, "1");
}

static int read_vtconsole(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX],
                          struct err *e) {
        return attribute_read(root, name, ret, e, "/sys/class/vtconsole/%s/bind", name);
}

static int write_vtconsole(const struct knob_write *w, struct err *e) {
        return attribute_write(w, e, "/sys/class/vtconsole/%s/bind", w->name);
}

static void vtconsole_lane(const char *name, char ret[static KNOB_LANE_MAX]) {
        (void) name;
        (void) str_copy(ret, KNOB_LANE_MAX, "vtconsoles");
}

/* Who draws lets go before the console, and the console before the device. */
const struct knob_kind knob_service = {
        .name = "service",
        .phase = 30,
        .name_is_valid = service_name_is_valid,
        .value_is_valid = is_active_or_not,
        .read = read_service,
        .write = write_service,
        .target = target,
        .lane = service_lane,
};

const struct knob_kind knob_vtconsole = {
        .name = "vtconsole",
        .phase = 31,
        .name_is_valid = name_is_vtconsole,
        .value_is_valid = is_bound_or_not,
        .read = read_vtconsole,
        .write = write_vtconsole,
        .target = target,
        .lane = vtconsole_lane,
};
