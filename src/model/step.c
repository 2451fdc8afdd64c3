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
