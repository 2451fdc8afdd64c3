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
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "fake/tree.h"

/* tree_link() turns absolute targets into relative ones. */
static void absolute_link(const struct tree *t, const char *path, const char *target) {
        _cleanup_free_ char *outside = root_join(tree_root(t), path);

        assert_non_null(outside);
        assert_int_equal(symlink(target, outside), 0);
}

static void test_new(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_free_ char *file = NULL, *link = NULL;
        static const char *const live[] = { NULL, "/", "/.", "//", "/proc/.." };
        struct root *root = NULL;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(live); i++) {
                assert_int_equal(root_new(live[i], &root), 0);
                assert_true(root_is_live(root));
                root_free(root);
        }
        assert_false(root_is_live(tree_root(t)));

        tree_file(t, "/file", "");
        tree_dir(t, "/dir");
        absolute_link(t, "/to-host", "/");
        file = root_join(tree_root(t), "/file");
        link = root_join(tree_root(t), "/to-host");
        root = NULL;
        assert_int_equal(root_new(file, &root), -ENOTDIR);
        assert_int_equal(root_new("/nowhere/at/all", &root), -ENOENT);
        assert_null(root);
        assert_int_equal(root_new(link, &root), 0);
        assert_true(root_is_live(root));
        root_free(root);
}

static void test_nothing_leaves_the_root(void **state) {
        static const char *const paths[] = {
                "/etc/name", "../../../../etc/name", "/../../etc/name", "/sys/../../../etc/name", "/absolute",
                "/up",       "/dir-link/name",       "/chain",
        };
        _cleanup_tree_ struct tree *t = tree_new();
        char text[64];
        struct stat st;

        (void) state;
        tree_file(t, "/etc/name", "inside\n");
        tree_dir(t, "/sys");
        absolute_link(t, "/absolute", "/etc/name");
        absolute_link(t, "/dir-link", "/etc");
        absolute_link(t, "/chain", "/absolute");
        tree_link(t, "/up", "../../../../../../../../etc/name");
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                assert_int_equal(root_read_attr(tree_root(t), text, sizeof(text), "%s", paths[i]), 0);
                assert_string_equal(text, "inside");
        }

        /* These exist on every host, and not in the tree. */
        absolute_link(t, "/proc-link", "/proc/self/status");
        tree_link(t, "/up-link", "../../../../../../../../proc/self/status");
        assert_int_equal(stat("/proc/self/status", &st), 0);
        assert_int_equal(root_exists(tree_root(t), "/proc-link"), 0);
        assert_int_equal(root_exists(tree_root(t), "/up-link"), 0);
        assert_int_equal(root_read_attr(tree_root(t), text, sizeof(text), "/proc/self/status"), -ENOENT);
}

static void test_open(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        int fd;

        (void) state;
        tree_file(t, "/file", "x");
        tree_link(t, "/link", "file");
        assert_int_equal(root_open(tree_root(t), "/link", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
        assert_int_equal(root_open(tree_root(t), "/missing", O_RDONLY, 0), -ENOENT);
        assert_int_equal(root_open(tree_root(t), "/file/x", O_RDONLY, 0), -ENOTDIR);
        fd = root_open(tree_root(t), "/link", O_RDONLY, 0);
        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
        fd = root_open(tree_root(t), "/made", O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(root_open(tree_root(t), "/made", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
}

static void test_exists(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        char longest[PATH_MAX + 1];

        (void) state;
        tree_file(t, "/a/file", "x");
        tree_link(t, "/a/dangling", "nowhere");
        tree_link(t, "/a/loop", "loop");
        assert_int_equal(root_exists(tree_root(t), "/%s/%s", "a", "file"), 1);
        assert_int_equal(root_exists(tree_root(t), "/a"), 1);
        assert_int_equal(root_exists(tree_root(t), "/b"), 0);
        assert_int_equal(root_exists(tree_root(t), "/a/file/x"), 0);
        assert_int_equal(root_exists(tree_root(t), "/a/dangling"), 0);
        assert_int_equal(root_exists(tree_root(t), "/a/loop"), -ELOOP);
        memset(longest, 'x', sizeof(longest));
        longest[PATH_MAX] = '\0';
        assert_int_equal(root_exists(tree_root(t), "/%s", longest), -ENAMETOOLONG);
}

/* Around the sizes at which the buffer grows. */
static void test_read_sizes(void **state) {
        static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 10000 };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                _cleanup_free_ char *content = malloc(sizes[i] + 1), *text = NULL;
                char *untouched = content;
                size_t n = 77;

                assert_non_null(content);
                memset(content, 'x', sizes[i]);
                content[sizes[i]] = '\0';
                tree_file(t, "/file", content);
                assert_int_equal(root_read(tree_root(t), "/file", sizes[i], &text, &n), 0);
                assert_int_equal(n, sizes[i]);
                assert_string_equal(text, content);
                if (sizes[i] == 0)
                        continue;
                n = 77;
                assert_int_equal(root_read(tree_root(t), "/file", sizes[i] - 1, &untouched, &n), -EFBIG);
                assert_ptr_equal(untouched, content);
                assert_int_equal(n, 77);
        }
}

static void test_read(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_free_ char *text = NULL;
        size_t size;
        int fd;

        (void) state;
        assert_int_equal(root_read(tree_root(t), "/missing", 99, &text, NULL), -ENOENT);
        assert_int_equal(root_read(tree_root(t), "/", 99, &text, NULL), -EISDIR);
        assert_null(text);

        fd = root_open(tree_root(t), "/nul", O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, "a\0b", 3), 3);
        close(fd);
        assert_int_equal(root_read(tree_root(t), "/nul", 99, &text, &size), 0);
        assert_int_equal(size, 3);
        assert_int_equal(strlen(text), 1);
}

/* A reader that waits for a writer would be ended by the alarm. */
static void test_fifo_does_not_hang(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_free_ char *fifo = root_join(tree_root(t), "/fifo"), *text = NULL;
        char attr[8] = "before";

        (void) state;
        assert_int_equal(mkfifo(fifo, 0600), 0);
        alarm(20);
        assert_int_equal(root_read(tree_root(t), "/fifo", 99, &text, NULL), -EINVAL);
        assert_null(text);
        assert_int_equal(root_read_attr(tree_root(t), attr, sizeof(attr), "/fifo"), 0);
        assert_string_equal(attr, "");
        alarm(0);
}

static void test_read_attr(void **state) {
        static const struct {
                const char *content;
                int r;
                const char *text;
        } cases[] = {
                { "value\n", 0, "value" },
                { "value", 0, "value" },
                { "", 0, "" },
                { "\n", 0, "" },
                { "a\n\n", 0, "a\n" },
                { " a \n", 0, " a " },
                { "1234567\n", 0, "1234567" },
                { "12345678\n", -ENAMETOOLONG, "before" },
        };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[8] = "before";

                tree_file(t, "/attr", cases[i].content);
                assert_int_equal(root_read_attr(tree_root(t), text, sizeof(text), "/%s", "attr"), cases[i].r);
                assert_string_equal(text, cases[i].text);
        }
}

static void test_read_u64(void **state) {
        static const struct {
                const char *content;
                int base, r;
                uint64_t value;
        } cases[] = {
                { "12\n", 10, 0, 12 },         { "0x10de\n", 16, 0, 0x10de }, { "ffff", 16, 0, 0xffff },
                { "65536\n", 10, -ERANGE, 7 }, { "\n", 10, -EINVAL, 7 },      { "1 2\n", 10, -EINVAL, 7 },
                { "-1\n", 10, -EINVAL, 7 },    { "12\n\n", 10, -EINVAL, 7 },
                { "00000000000000000000000000000000000001\n", 10, -ENAMETOOLONG, 7 },
        };
        _cleanup_tree_ struct tree *t = tree_new();
        uint64_t v = 7;

        (void) state;
        assert_int_equal(root_read_u64(tree_root(t), 10, 9, &v, "/attr"), -ENOENT);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                v = 7;
                tree_file(t, "/attr", cases[i].content);
                assert_int_equal(root_read_u64(tree_root(t), cases[i].base, 0xffff, &v, "/attr"), cases[i].r);
                assert_true(v == cases[i].value);
        }
}

static void test_write_attr(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct rlimit before, limit;
        char text[32];
        int r;

        (void) state;
        assert_int_equal(root_write_attr(tree_root(t), "x", "/attr"), -ENOENT);
        assert_int_equal(root_exists(tree_root(t), "/attr"), 0);
        assert_int_equal(root_write_attr(tree_root(t), "x", "/"), -EISDIR);
        tree_file(t, "/attr", "");
        assert_int_equal(root_write_attr(tree_root(t), "vfio-pci", "/%s", "attr"), 0);
        assert_int_equal(root_read_attr(tree_root(t), text, sizeof(text), "/attr"), 0);
        assert_string_equal(text, "vfio-pci");

        /* The kernel takes only as much as the limit allows. */
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = 4;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        r = root_write_attr(tree_root(t), "12345678", "/attr");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(r, -EIO);
}

static void test_list(void **state) {
        static const char *const sorted[] = { "9", "10", "card0", "card2", "card10" };
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_strv_ char **list = NULL, **empty = NULL;
        char **untouched = NULL;

        (void) state;
        assert_int_equal(root_list(tree_root(t), &untouched, "/dir"), -ENOENT);
        tree_dir(t, "/dir");
        assert_int_equal(root_list(tree_root(t), &empty, "/dir"), 0);
        assert_non_null(empty);
        assert_null(empty[0]);
        for (size_t i = ARRAY_SIZE(sorted); i-- > 0;) {
                char path[32];

                assert_int_equal(str_format(path, sizeof(path), "/dir/%s", sorted[i]), 0);
                tree_file(t, path, "");
        }
        assert_int_equal(root_list(tree_root(t), &untouched, "/dir/9"), -ENOTDIR);
        assert_null(untouched);
        assert_int_equal(root_list(tree_root(t), &list, "/%s", "dir"), 0);
        for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
                assert_string_equal(list[i], sorted[i]);
        assert_null(list[ARRAY_SIZE(sorted)]);
}

static void test_list_many(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_strv_ char **list = NULL;
        size_t n = 0;

        (void) state;
        for (int i = 0; i < 40; i++) {
                char path[32];

                assert_int_equal(str_format(path, sizeof(path), "/dir/%d", i), 0);
                tree_file(t, path, "");
        }
        assert_int_equal(root_list(tree_root(t), &list, "/dir"), 0);
        for (; list[n]; n++)
                assert_int_equal(atoi(list[n]), n);
        assert_int_equal(n, 40);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_new),
                cmocka_unit_test(test_nothing_leaves_the_root),
                cmocka_unit_test(test_open),
                cmocka_unit_test(test_exists),
                cmocka_unit_test(test_read_sizes),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_fifo_does_not_hang),
                cmocka_unit_test(test_read_attr),
                cmocka_unit_test(test_read_u64),
                cmocka_unit_test(test_write_attr),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_list_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
