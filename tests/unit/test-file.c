/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "fake/kernel.h"

#define NOBODY 65534

static void outside_of(const struct tree *t, const char *path, char buf[static PATH_MAX]) {
        _cleanup_free_ char *joined = root_join(tree_root(t), path);

        assert_non_null(joined);
        assert_true(strlen(joined) < PATH_MAX);
        strcpy(buf, joined);
}

static mode_t mode_of(const struct tree *t, const char *path) {
        char outside[PATH_MAX];
        struct stat st;

        outside_of(t, path, outside);
        assert_int_equal(lstat(outside, &st), 0);
        return st.st_mode;
}

static void set_mode(const struct tree *t, const char *path, mode_t mode) {
        char outside[PATH_MAX];

        outside_of(t, path, outside);
        assert_int_equal(chmod(outside, mode), 0);
}

/* Neither more nor less than these names are in the folder. */
static void assert_names(const struct tree *t, const char *dir, const char *first, const char *second) {
        _cleanup_strv_ char **names = NULL;

        assert_int_equal(root_list(tree_root(t), &names, "%s", dir), 0);
        assert_non_null(names[0]);
        assert_string_equal(names[0], first);
        if (!second)
                assert_null(names[1]);
        else {
                assert_non_null(names[1]);
                assert_string_equal(names[1], second);
                assert_null(names[2]);
        }
}

static void assert_content(const struct tree *t, const char *path, const char *content) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(root_read(tree_root(t), path, 1U << 20, &text, NULL), 0);
        assert_string_equal(text, content);
}

static int replace(const struct tree *t, const char *name, const char *content, mode_t mode) {
        return file_replace(tree_root(t), "/dir", name, content, strlen(content), mode);
}

static void test_replace(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        mode_t before = umask(077);

        (void) state;
        assert_int_equal(replace(t, "file", "x", 0600), -ENOENT);
        tree_dir(t, "/dir");
        assert_int_equal(replace(t, "file", "one", 0644), 0);
        assert_content(t, "/dir/file", "one");
        assert_int_equal(mode_of(t, "/dir/file"), S_IFREG | 0644);
        assert_int_equal(replace(t, "file", "", 0600), 0);
        assert_content(t, "/dir/file", "");
        assert_int_equal(mode_of(t, "/dir/file"), S_IFREG | 0600);
        assert_names(t, "/dir", "file", NULL);
        umask(before);
}

/* A writer that was killed left its file, or somebody put something in its place. */
static void test_leftovers(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        tree_file(t, "/dir/file", "old");
        tree_file(t, "/other", "other");
        tree_file(t, "/dir/.file.new", "half of a much longer text");
        assert_int_equal(replace(t, "file", "one", 0600), 0);
        assert_content(t, "/dir/file", "one");
        tree_link(t, "/dir/.file.new", "../other");
        assert_int_equal(replace(t, "file", "two", 0600), 0);
        assert_content(t, "/dir/file", "two");
        assert_content(t, "/other", "other");
        assert_names(t, "/dir", "file", NULL);

        tree_dir(t, "/dir/.file.new");
        assert_int_equal(replace(t, "file", "three", 0600), -EISDIR);
        assert_content(t, "/dir/file", "two");
}

static void test_symlink_is_replaced(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        tree_file(t, "/dir/other", "other");
        tree_link(t, "/dir/file", "other");
        assert_int_equal(replace(t, "file", "new", 0600), 0);
        assert_int_equal(mode_of(t, "/dir/file"), S_IFREG | 0600);
        assert_content(t, "/dir/file", "new");
        assert_content(t, "/dir/other", "other");
}

static void test_folder_in_the_way(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        char longest[NAME_MAX + 1];

        (void) state;
        tree_dir(t, "/dir/file");
        assert_int_equal(replace(t, "file", "new", 0600), -EISDIR);
        assert_names(t, "/dir", "file", NULL);
        assert_true(S_ISDIR(mode_of(t, "/dir/file")));

        memset(longest, 'x', NAME_MAX);
        longest[NAME_MAX] = '\0';
        assert_int_equal(replace(t, longest, "new", 0600), -ENAMETOOLONG);
}

/* The disk is full, as far as this process can see. */
static void test_failed_write(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct rlimit before, limit;
        void (*handler)(int);
        int r;

        (void) state;
        tree_file(t, "/dir/file", "old");
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = 4;
        handler = signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        r = replace(t, "file", "longer than that", 0600);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        (void) signal(SIGXFSZ, handler);
        assert_int_equal(r, -EFBIG);
        assert_content(t, "/dir/file", "old");
        assert_names(t, "/dir", "file", NULL);
}

static void test_read_only_folder(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        bool is_root = geteuid() == 0;
        int r;

        (void) state;
        tree_file(t, "/dir/file", "old");
        set_mode(t, "/", 0755);
        set_mode(t, "/dir", 0555);
        if (is_root)
                assert_int_equal(seteuid(NOBODY), 0);
        r = replace(t, "file", "new", 0600);
        if (is_root)
                assert_int_equal(seteuid(0), 0);
        assert_int_equal(r, -EACCES);
        assert_content(t, "/dir/file", "old");
        assert_names(t, "/dir", "file", NULL);
        set_mode(t, "/dir", 0755);
}

/* Killed before every system call that changes something: a reader finds the old text or the new one, and the next
 * writer is not hindered. */
static void test_killed_writer(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        unsigned killed = 0, old = 0;
        int status;

        (void) state;
        fake_kernel_start(t);
        tree_dir(t, "/dir");
        do {
                _cleanup_free_ char *text = NULL;
                pid_t pid;

                fake_kernel_die_at(DEATH_NONE, 0);
                assert_int_equal(replace(t, "file", "the old text", 0600), 0);
                assert_names(t, "/dir", "file", NULL);
                fake_kernel_die_at(DEATH_SELF, killed + 1);
                pid = fork();
                if (pid == 0)
                        _exit(replace(t, "file", "new", 0600) < 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(root_read(tree_root(t), "/dir/file", 99, &text, NULL), 0);
                if (strcmp(text, "the old text") == 0)
                        old++;
                else
                        assert_string_equal(text, "new");
                killed += WIFSIGNALED(status);
        } while (WIFSIGNALED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_content(t, "/dir/file", "new");
        /* write, fsync, rename; the fsync of the folder comes after it */
        assert_int_equal(killed, 4);
        assert_int_equal(old, 3);
        fake_kernel_stop();
}

static void test_private_folder(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        assert_int_equal(dir_ensure_private(tree_root(t), "/run/passthru", 0700), -ENOENT);
        tree_dir(t, "/run");
        for (int twice = 0; twice < 2; twice++) {
                assert_int_equal(dir_ensure_private(tree_root(t), "/run/passthru", 0700), 0);
                assert_int_equal(mode_of(t, "/run/passthru"), S_IFDIR | 0700);
        }
        assert_int_equal(dir_ensure_private(tree_root(t), "/top", 0700), 0);
        set_mode(t, "/run/passthru", 0755);
        assert_int_equal(dir_ensure_private(tree_root(t), "/run/passthru", 0700), 0);
}

static void test_private_folder_refused(void **state) {
        static const mode_t writable[] = { 0720, 0702, 0777, 01777 };
        static const char *const bad_paths[] = { "", "run", "/run/", "/" };
        _cleanup_tree_ struct tree *t = tree_new();
        char outside[PATH_MAX];

        (void) state;
        tree_dir(t, "/run/good");
        set_mode(t, "/run/good", 0700);
        for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
                set_mode(t, "/run/good", writable[i]);
                assert_int_equal(dir_ensure_private(tree_root(t), "/run/good", 0700), -EPERM);
        }
        set_mode(t, "/run/good", 0700);
        for (size_t i = 0; i < ARRAY_SIZE(bad_paths); i++)
                assert_int_equal(dir_ensure_private(tree_root(t), bad_paths[i], 0700), -EINVAL);

        tree_link(t, "/run/link", "good");
        assert_int_equal(dir_ensure_private(tree_root(t), "/run/link", 0700), -ENOTDIR);
        tree_link(t, "/run/dangling", "nowhere");
        assert_int_equal(dir_ensure_private(tree_root(t), "/run/dangling", 0700), -ENOTDIR);
        assert_int_equal(root_exists(tree_root(t), "/run/nowhere"), 0);
        tree_file(t, "/run/file", "");
        assert_int_equal(dir_ensure_private(tree_root(t), "/run/file", 0700), -ENOTDIR);

        if (geteuid() != 0) {
                _cleanup_root_ struct root *host = NULL;

                assert_int_equal(root_new(NULL, &host), 0);
                assert_int_equal(dir_ensure_private(host, "/usr", 0700), -EPERM);
                return;
        }
        outside_of(t, "/run/good", outside);
        assert_int_equal(chown(outside, NOBODY, 0), 0);
        assert_int_equal(dir_ensure_private(tree_root(t), "/run/good", 0700), -EPERM);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replace),
                cmocka_unit_test(test_leftovers),
                cmocka_unit_test(test_symlink_is_replaced),
                cmocka_unit_test(test_folder_in_the_way),
                cmocka_unit_test(test_failed_write),
                cmocka_unit_test(test_read_only_folder),
                cmocka_unit_test(test_killed_writer),
                cmocka_unit_test(test_private_folder),
                cmocka_unit_test(test_private_folder_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
