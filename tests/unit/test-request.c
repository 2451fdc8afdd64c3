/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/request.h"
#include "model/step.h"

static void test_limits(void **state) {
        struct request q = {};
        char before[sizeof(q)];

        (void) state;
        assert_true(request_is_empty(&q));
        for (unsigned i = 0; i < REQUEST_DEVICES_MAX; i++) {
                struct bdf address = { .bus = (uint8_t) i };

                assert_ptr_equal(request_add(&q, &address), &q.devices[i]);
                assert_int_equal(q.n_devices, i + 1);
                assert_false(request_is_empty(&q));
        }
        memcpy(before, &q, sizeof(q));
        assert_null(request_add(&q, &(struct bdf) { .bus = REQUEST_DEVICES_MAX }));
        assert_memory_equal(before, &q, sizeof(q));
        /* One that is there is found in a full list too. */
        assert_ptr_equal(request_add(&q, &(struct bdf) { .bus = 3 }), &q.devices[3]);
        assert_memory_equal(before, &q, sizeof(q));
}

static void test_duplicate_keeps_its_content(void **state) {
        static const struct bdf address = { 0, 1, 2, 3 }, neighbour = { 0, 1, 2, 4 };
        struct request q = {};
        struct request_device *d;

        (void) state;
        memset(q.devices, 0xff, sizeof(q.devices));
        d = request_add(&q, &address);
        assert_non_null(d);
        assert_int_equal(bdf_compare(&d->address, &address), 0);
        assert_false(d->has_id || d->has_subsystem);
        assert_string_equal(d->driver, "");
        d->has_id = true;
        strcpy(d->driver, "vfio-pci");

        assert_ptr_not_equal(request_add(&q, &neighbour), d);
        assert_ptr_equal(request_add(&q, &address), d);
        assert_int_equal(q.n_devices, 2);
        assert_true(d->has_id);
        assert_string_equal(d->driver, "vfio-pci");
}

/* The words are part of the Varlink interface. */
static void test_step_names(void **state) {
        (void) state;
        assert_string_equal(step_state_name(STEP_PLANNED), "planned");
        assert_string_equal(step_state_name(STEP_DONE), "done");
        assert_string_equal(step_state_name(STEP_UNCHANGED), "unchanged");
        assert_string_equal(step_state_name(STEP_FOREIGN), "foreign");
        assert_string_equal(step_state_name(STEP_FAILED), "failed");
        assert_string_equal(step_state_name(STEP_STUCK), "stuck");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_duplicate_keeps_its_content),
                cmocka_unit_test(test_step_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
