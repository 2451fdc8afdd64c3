/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How a PCI function is reset and put to sleep while it is lent: "reset-method", "d3cold" and "runtime-pm" of an
 * address. Values are the kernel's texts (Documentation/ABI/testing/sysfs-bus-pci). */

#include "base/str.h"
#include "lease/attribute.h"
#include "lease/knob-pci.h"

#define DEVICE "/sys/bus/pci/devices/%s/"

static int target(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        return str_copy(ret, KNOB_VALUE_MAX, view->n_claims > 0 ? view->claims[0] : view->baseline);
}

static int read_reset_method(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX],
                             struct err *e) {
        return attribute_read(root, name, ret, e, DEVICE "reset_method", name);
}

static int write_reset_method(const struct knob_write *w, struct err *e) {
        return attribute_write(w, e, DEVICE "reset_method", w->name);
}

static int read_d3cold(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        return attribute_read(root, name, ret, e, DEVICE "d3cold_allowed", name);
}

static int write_d3cold(const struct knob_write *w, struct err *e) {
        return attribute_write(w, e, DEVICE "d3cold_allowed", w->name);
}

static int read_runtime_pm(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX],
                           struct err *e) {
        return attribute_read(root, name, ret, e, DEVICE "power/control", name);
}

static int write_runtime_pm(const struct knob_write *w, struct err *e) {
        return attribute_write(w, e, DEVICE "power/control", w->name);
}

/* All before the device changes its driver, and after it on the way back. */
#define TUNING(text, what)                                                                                        \
        {                                                                                                         \
                .name = text, .phase = 40, .exclusive = true, .name_is_valid = pci_name_is_valid,                 \
                .value_is_valid = attribute_value_is_valid, .read = read_##what, .write = write_##what,           \
                .target = target, .lane = pci_lane, .identify = pci_identify,                                     \
        }

const struct knob_kind knob_reset_method = TUNING("reset-method", reset_method);
const struct knob_kind knob_d3cold = TUNING("d3cold", d3cold);
const struct knob_kind knob_runtime_pm = TUNING("runtime-pm", runtime_pm);
