/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/err.h"

static void test_set(void **state) {
        struct err e = {};

        (void) state;
        assert_int_equal(err_set(&e, -EBUSY, ERR_IN_USE, "0000:01:00.0", "held by %s (%d)", "Xorg", 7), -EBUSY);
        assert_int_equal(e.code, -EBUSY);
        assert_string_equal(e.id, "InUse");
        assert_string_equal(e.subject, "0000:01:00.0");
        assert_string_equal(e.message, "held by Xorg (7)");

        assert_int_equal(err_set(&e, -EIO, ERR_FAILED, NULL, "other"), -EIO);
        assert_string_equal(e.id, "Failed");
        assert_string_equal(e.subject, "");
        assert_string_equal(e.message, "other");
}

/* The message may be made of the one that it replaces. */
static void test_of_itself(void **state) {
        struct err e = {};

        (void) state;
        (void) err_set(&e, -EIO, ERR_FAILED, NULL, "inner");
        (void) err_set(&e, -EBUSY, ERR_IN_USE, NULL, "outer: %s", e.message);
        assert_string_equal(e.message, "outer: inner");
        assert_int_equal(err_prefix(&e, "%s", "domain win10"), -EBUSY);
        assert_string_equal(e.message, "domain win10: outer: inner");
        err_append(&e, "; %d tried", 3);
        assert_string_equal(e.message, "domain win10: outer: inner; 3 tried");
        assert_int_equal(e.code, -EBUSY);
        assert_string_equal(e.id, "InUse");
}

static void test_null(void **state) {
        (void) state;
        assert_int_equal(err_set(NULL, -EPERM, ERR_REFUSED, "x", "%s", "y"), -EPERM);
        assert_int_equal(err_prefix(NULL, "x"), 0);
        err_append(NULL, "x");
}

static void test_control_characters(void **state) {
        struct err e = {};

        (void) state;
        (void) err_set(&e, -EINVAL, ERR_INVALID, "a\nb", "found \"%s\"", "\x1b[2J\r\n");
        assert_string_equal(e.subject, "a?b");
        assert_string_equal(e.message, "found \"?[2J??\"");
        (void) err_prefix(&e, "%s", "x\ty");
        assert_string_equal(e.message, "x?y: found \"?[2J??\"");
        err_append(&e, "%s", "\x07");
        assert_string_equal(e.message, "x?y: found \"?[2J??\"?");
}

static void test_cut(void **state) {
        char text[sizeof(((struct err *) NULL)->message) + 100];
        struct err e = {};

        (void) state;
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        (void) err_set(&e, -EINVAL, ERR_INVALID, text, "%s", text);
        assert_int_equal(strlen(e.subject), sizeof(e.subject) - 1);
        assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
        assert_memory_equal(e.message, text, sizeof(e.message) - 1);

        err_append(&e, "more");
        assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
        (void) err_prefix(&e, "front");
        assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
        assert_memory_equal(e.message, "front: xxx", 10);
        (void) err_prefix(&e, "%s", text);
        assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
        assert_memory_equal(e.message, text, sizeof(e.message) - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_of_itself),
                cmocka_unit_test(test_null),
                cmocka_unit_test(test_control_characters),
                cmocka_unit_test(test_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
