/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "fake/tree.h"

static void test_links(void **state) {
        static const struct {
                const char *path;
                int r;
                const char *target, *name;
        } cases[] = {
                { "/a/near", 0, "file", "file" },
                { "/a/up", 0, "../b/x", "x" },
                { "/proc/1/fd/1", 0, "/etc/passwd", "passwd" },
                { "/a/dangling", 0, "../../../../nowhere", "nowhere" },
                { "/a/file", -EINVAL, "untouched", "untouched" },
                { "/a", -EINVAL, "untouched", "untouched" },
                { "/a/missing", -ENOENT, "untouched", "untouched" },
                { "/missing/x", -ENOENT, "untouched", "untouched" },
        };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        tree_file(t, "/a/file", "x");
        tree_link(t, "/a/near", "file");
        tree_link(t, "/a/up", "/b/x");
        tree_link(t, "/a/dangling", "../../../../nowhere");
        tree_process_fd(t, 1, 1, "/etc/passwd");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *path = cases[i].path;
                char target[64] = "untouched", name[64] = "untouched";

                assert_int_equal(root_read_link(tree_root(t), target, sizeof(target), "%s", path), cases[i].r);
                assert_string_equal(target, cases[i].target);
                assert_int_equal(root_link_name(tree_root(t), name, sizeof(name), "%s", path), cases[i].r);
                assert_string_equal(name, cases[i].name);
        }
}

static void test_size(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        char target[8] = "before";

        (void) state;
        tree_link(t, "/link", "1234567");
        assert_int_equal(root_read_link(tree_root(t), target, 7, "/link"), -ENAMETOOLONG);
        assert_string_equal(target, "before");
        assert_int_equal(root_read_link(tree_root(t), target, 8, "/link"), 0);
        assert_string_equal(target, "1234567");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_size),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
