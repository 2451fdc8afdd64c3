/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/step.h"

static void every_state_has_a_name_of_its_own(void **state) {
        (void) state;
        for (enum step_state a = STEP_PLANNED; a <= STEP_STUCK; a++)
                for (enum step_state b = STEP_PLANNED; b < a; b++)
                        assert_string_not_equal(step_state_name(a), step_state_name(b));
        assert_string_equal(step_state_name(STEP_DECLINED), "declined");
}

static void labels_say_what_a_name_alone_does_not(void **state) {
        char label[STEP_LABEL_MAX];

        (void) state;
        assert_string_equal(step_label("pci-driver", "0000:01:00.0", label), "0000:01:00.0");
        assert_string_equal(step_label("irq", "24", label), "irq 24");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_state_has_a_name_of_its_own),
                cmocka_unit_test(labels_say_what_a_name_alone_does_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
