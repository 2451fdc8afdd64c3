/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/finding.h"

static void test_names(void **state) {
        (void) state;
        assert_string_equal(severity_name(SEVERITY_OK), "ok");
        assert_string_equal(severity_name(SEVERITY_NOTE), "note");
        assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
        assert_string_equal(severity_name(SEVERITY_ERROR), "error");
        assert_true(SEVERITY_OK < SEVERITY_NOTE && SEVERITY_NOTE < SEVERITY_WARNING && SEVERITY_WARNING < SEVERITY_ERROR);
}

static void test_set(void **state) {
        struct finding f = { .id = "id", .part = "part", .remedy = "old" };

        (void) state;
        assert_int_equal(finding_set(&f, SEVERITY_WARNING, "run %s", "/sys/%s is %d\x1b", "x\n", 3), 0);
        assert_string_equal(f.id, "id");
        assert_string_equal(f.part, "part");
        assert_int_equal(f.severity, SEVERITY_WARNING);
        assert_string_equal(f.evidence, "/sys/x? is 3?");
        assert_string_equal(f.remedy, "run %s");
        assert_int_equal(finding_set(&f, SEVERITY_OK, "", "good"), 0);
        assert_string_equal(f.remedy, "");
        assert_string_equal(f.evidence, "good");
}

static void test_cut(void **state) {
        struct finding f = {};
        char text[sizeof(f.evidence) + 9];

        (void) state;
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(finding_set(&f, SEVERITY_ERROR, text, "%s", text), 0);
        assert_int_equal(strlen(f.evidence), sizeof(f.evidence) - 1);
        assert_int_equal(strlen(f.remedy), sizeof(f.remedy) - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
