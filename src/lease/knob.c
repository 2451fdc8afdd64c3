/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/knob.h"

#include "base/str.h"

static const struct knob_kind *const kinds[] = {
        &knob_d3cold,       &knob_epp,        &knob_governor, &knob_hugepages, &knob_irq,       &knob_pci_driver,
        &knob_reset_method, &knob_runtime_pm, &knob_service,  &knob_slice,     &knob_vtconsole, &knob_workqueue,
};

const struct knob_kind *knob_kind_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (str_eq(kinds[i]->name, name))
                        return kinds[i];
        return NULL;
}
