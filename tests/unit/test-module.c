/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/str.h"
#include "fake/tree.h"
#include "sys/module.h"

static void test_loaded(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct err e = {};

        (void) state;
        tree_dir(t, "/sys/module/vfio_pci");
        assert_true(module_is_loaded(tree_root(t), "vfio_pci"));
        assert_true(module_is_loaded(tree_root(t), "vfio-pci"));
        assert_false(module_is_loaded(tree_root(t), "vfio"));
        assert_false(module_is_loaded(tree_root(t), "../module/vfio_pci"));
        assert_false(module_is_loaded(tree_root(t), ".."));
        assert_false(module_is_loaded(tree_root(t), ""));
        assert_int_equal(module_ensure(tree_root(t), "vfio-pci", &e), 0);
        assert_int_equal(e.code, 0);
}

static void test_not_live(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct err e = {};

        (void) state;
        assert_int_equal(module_ensure(tree_root(t), "vfio-pci", &e), -EOPNOTSUPP);
        assert_string_equal(e.id, ERR_NOT_SUPPORTED);
        assert_string_equal(e.subject, "vfio-pci");
}

static void test_bad_names(void **state) {
        static const char *const names[] = { "", ".", "..", "a/b", " a", "a ", "a\n", "$(id)" };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct err e = {};

                assert_int_equal(module_ensure(tree_root(t), names[i], &e), -EINVAL);
                assert_string_equal(e.id, ERR_INVALID);
        }
}

/* A look-up only: nothing of this name can be loaded. */
static void test_missing_on_this_host(void **state) {
        _cleanup_root_ struct root *root = NULL;
        struct err e = {};

        (void) state;
        assert_int_equal(root_new("/", &root), 0);
        assert_int_equal(module_ensure(root, "passthru_no_such_module", &e), -ENOENT);
        assert_string_equal(e.id, ERR_NOT_FOUND);
        assert_non_null(strstr(e.message, "passthru_no_such_module"));
}

static void test_explain(void **state) {
        static const struct {
                int r;
                const char *id, *says;
        } cases[] = {
                { -ENOENT, ERR_NOT_FOUND, "linux-modules-extra-" },
                { -EKEYREJECTED, ERR_REFUSED, "Secure Boot" },
                { -ENOKEY, ERR_REFUSED, "Secure Boot" },
                { -EPERM, ERR_PERMISSION, "lockdown" },
                { -ENOEXEC, ERR_FAILED, "another kernel" },
                { -ENOMEM, ERR_FAILED, "Cannot allocate memory" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct err e = {};

                assert_int_equal(module_explain("nvidia", cases[i].r, &e), cases[i].r);
                assert_string_equal(e.id, cases[i].id);
                assert_string_equal(e.subject, "nvidia");
                assert_non_null(strstr(e.message, cases[i].says));
                assert_true(str_starts(e.message, "module nvidia: "));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_loaded),
                cmocka_unit_test(test_not_live),
                cmocka_unit_test(test_bad_names),
                cmocka_unit_test(test_missing_on_this_host),
                cmocka_unit_test(test_explain),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
