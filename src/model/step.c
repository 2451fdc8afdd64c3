/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/step.h"

const char *step_state_name(enum step_state state) {
        static const char *const names[] = {
                [STEP_PLANNED] = "planned",     [STEP_WORKING] = "working", [STEP_DONE] = "done",
                [STEP_UNCHANGED] = "unchanged", [STEP_FOREIGN] = "foreign", [STEP_DECLINED] = "declined",
                [STEP_FAILED] = "failed",       [STEP_STUCK] = "stuck",
        };

        return names[state];
}

const char *step_label(const char *kind, const char *name, char buf[static STEP_LABEL_MAX]) {
        if (str_eq(kind, "pci-driver"))
                (void) str_copy(buf, STEP_LABEL_MAX, name);
        else
                (void) str_format(buf, STEP_LABEL_MAX, "%s %s", kind, name);
        return buf;
}
