/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/dir-reader.h"
#include "base/str.h"
#include "fake/tree.h"

static void test_below_a_directory(void **state) {
        static const struct {
                const char *name;
                int attr, link;
                const char *value, *target;
        } cases[] = {
                { "file", 0, -EINVAL, "one", "untouched" },
                { "sub/file", 0, -EINVAL, "two", "untouched" },
                { "long", -ENAMETOOLONG, -EINVAL, "untouched", "untouched" },
                { "near", -ELOOP, 0, "untouched", "file" },
                { "near/file", -ELOOP, -ENOTDIR, "untouched", "untouched" },
                { "out", -ELOOP, 0, "untouched", "secret" },
                { "missing", -ENOENT, -ENOENT, "untouched", "untouched" },
                { "../secret", -EXDEV, -EINVAL, "untouched", "untouched" },
                { "/secret", -EXDEV, -ENOENT, "untouched", "untouched" },
        };
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_close_ int dir = -1;

        (void) state;
        tree_file(t, "/secret", "x\n");
        tree_file(t, "/dir/file", "one\n");
        tree_file(t, "/dir/sub/file", "two");
        tree_file(t, "/dir/long", "0123456789");
        tree_link(t, "/dir/near", "file");
        tree_link(t, "/dir/out", "/secret");
        dir = root_open(tree_root(t), "/dir", O_PATH | O_DIRECTORY, 0);
        assert_true(dir >= 0);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char value[10] = "untouched", target[10] = "untouched";

                assert_int_equal(dir_read_attr(dir, cases[i].name, value, sizeof(value)), cases[i].attr);
                assert_string_equal(value, cases[i].value);
                assert_int_equal(dir_link_name(dir, cases[i].name, target, sizeof(target)), cases[i].link);
                assert_string_equal(target, cases[i].target);
        }
}

/* More than fit into its buffer at once, and names as long as they can be. */
static void test_reader(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct dir_reader reader = {};
        const struct dirent64 *entry;
        _cleanup_close_ int dir = -1;
        bool seen[300] = {};
        size_t n = 0;
        int r;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
                char path[300];

                (void) str_format(path, sizeof(path), "/dir/%0*zu", i % 2 ? 255 : 3, i);
                tree_file(t, path, "");
        }
        tree_dir(t, "/dir/sub");
        dir = root_open(tree_root(t), "/dir", O_RDONLY | O_DIRECTORY, 0);
        assert_true(dir >= 0);
        reader.fd = dir;
        while ((r = dir_next(&reader, &entry)) > 0) {
                uint64_t i;

                if (str_eq(entry->d_name, "sub")) {
                        assert_int_equal(entry->d_type, DT_DIR);
                        continue;
                }
                i = strtoul(entry->d_name, NULL, 10);
                assert_in_range(i, 0, ARRAY_SIZE(seen) - 1);
                assert_false(seen[i]);
                seen[i] = true;
                n++;
        }
        assert_int_equal(r, 0);
        assert_int_equal(n, ARRAY_SIZE(seen));
        assert_int_equal(dir_next(&reader, &entry), 0);
}

static void test_reader_of_no_directory(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        const struct dirent64 *entry = NULL;
        struct dir_reader reader = {};
        _cleanup_close_ int file = -1;

        (void) state;
        tree_file(t, "/file", "");
        file = root_open(tree_root(t), "/file", O_RDONLY, 0);
        reader.fd = file;
        assert_int_equal(dir_next(&reader, &entry), -ENOTDIR);
        assert_null(entry);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_below_a_directory),
                cmocka_unit_test(test_reader),
                cmocka_unit_test(test_reader_of_no_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
