/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replacing a file that the machine boots from. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/replace.h"
#include "fake/tree.h"

static struct tree *t;
static const struct root *root;

static int set_up(void **state) {
        (void) state;
        t = tree_new();
        root = tree_root(t);
        return 0;
}

static int tear_down(void **state) {
        (void) state;
        tree_free(t);
        return 0;
}

static void outside(char buf[static 256], const char *path) {
        _cleanup_free_ char *joined = root_join(root, path);

        assert_int_equal(str_copy(buf, 256, joined), 0);
}

static void assert_text(const struct root *r, const char *path, const char *text) {
        _cleanup_free_ char *now = NULL;

        if (!text) {
                assert_int_equal(root_exists(r, "%s", path), 0);
                return;
        }
        assert_int_equal(root_read(r, path, 4096, &now, NULL), 0);
        assert_string_equal(now, text);
}

static size_t count(const struct root *r, const char *folder) {
        _cleanup_strv_ char **names = NULL;
        size_t n = 0;

        assert_int_equal(root_list(r, &names, "%s", folder), 0);
        while (names[n])
                n++;
        return n;
}

static void makes_replaces_and_removes(void **state) {
        char path[256];
        struct stat st;

        (void) state;
        tree_dir(t, "/boot");
        outside(path, "/boot/a.conf");
        umask(077);
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", "one\n", 0644), 0);
        umask(022);
        assert_text(root, "/boot/a.conf", "one\n");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);

        assert_int_equal(chmod(path, 0640), 0);
        if (geteuid() == 0)
                assert_int_equal(chown(path, 7, 8), 0);
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", "", 0600), 0);
        assert_text(root, "/boot/a.conf", "");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(st.st_uid, geteuid() == 0 ? 7 : geteuid());
        assert_int_equal(st.st_gid, geteuid() == 0 ? 8 : getegid());

        assert_int_equal(boot_file_replace(root, "/boot/a.conf", NULL, 0), 0);
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", NULL, 0), 0);
        assert_int_equal(count(root, "/boot"), 0);
}

static void replaces_what_a_link_points_to(void **state) {
        char path[256], target[256] = "";

        (void) state;
        tree_file(t, "/data/real/file", "old");
        tree_dir(t, "/etc/kernel");
        tree_link(t, "/etc/kernel/cmdline", "../../data/hop");
        tree_link(t, "/data/hop", "real/file");
        assert_int_equal(boot_file_replace(root, "/etc/kernel/cmdline", "new", 0644), 0);
        assert_text(root, "/data/real/file", "new");
        outside(path, "/etc/kernel/cmdline");
        assert_true(readlink(path, target, sizeof(target) - 1) > 0);
        assert_string_equal(target, "../../data/hop");
        assert_int_equal(count(root, "/data/real"), 1);

        /* An absolute target is one inside of the root. */
        outside(path, "/etc/absolute");
        assert_int_equal(symlink("/data/real/file", path), 0);
        assert_int_equal(boot_file_replace(root, "/etc/absolute", "again", 0644), 0);
        assert_text(root, "/data/real/file", "again");
        outside(path, "/etc/outside");
        assert_int_equal(symlink("../../../../data/fresh", path), 0);
        assert_int_equal(boot_file_replace(root, "/etc/outside", "inside", 0644), 0);
        assert_text(root, "/data/fresh", "inside");

        tree_link(t, "/etc/loop", "loop");
        assert_int_equal(boot_file_replace(root, "/etc/loop", "x", 0644), -ELOOP);
        assert_int_equal(boot_file_replace(root, "/etc/kernel/cmdline", NULL, 0644), 0);
        assert_text(root, "/data/real/file", NULL);
}

static void cleans_up_after_a_kill(void **state) {
        (void) state;
        tree_file(t, "/boot/a.conf", "old");
        tree_file(t, "/boot/a.conf.passthru-new", "half of the ne");
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", "new", 0644), 0);
        assert_text(root, "/boot/a.conf", "new");
        assert_int_equal(count(root, "/boot"), 1);

        tree_file(t, "/boot/a.conf.passthru-new", "x");
        assert_int_equal(boot_folder_clean(root, "/boot/a.conf"), 0);
        assert_int_equal(boot_folder_clean(root, "/boot/a.conf"), 0);
        assert_int_equal(boot_folder_clean(root, "/nowhere/a.conf"), 0);
        assert_int_equal(count(root, "/boot"), 1);
        tree_file(t, "/boot/a.conf.passthru-new", "x");
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", NULL, 0), 0);
        assert_int_equal(count(root, "/boot"), 0);
}

static void makes_the_last_folder_only(void **state) {
        char path[256];
        struct stat st;

        (void) state;
        tree_dir(t, "/etc/default");
        assert_int_equal(boot_file_replace(root, "/etc/default/grub.d/passthru.cfg", "x", 0644), 0);
        assert_text(root, "/etc/default/grub.d/passthru.cfg", "x");
        outside(path, "/etc/default/grub.d");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
        assert_int_equal(boot_file_replace(root, "/efi/loader/entries/a.conf", "x", 0644), -ENOENT);
        assert_int_equal(root_exists(root, "/efi"), 0);
}

static void refuses_what_is_no_file(void **state) {
        (void) state;
        tree_dir(t, "/boot/a.conf");
        tree_file(t, "/etc", "");
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", "x", 0644), -EINVAL);
        assert_int_equal(boot_file_replace(root, "/boot/a.conf", NULL, 0644), -EINVAL);
        assert_int_equal(boot_file_replace(root, "/etc/a.conf", "x", 0644), -ENOTDIR);
        assert_int_equal(boot_file_replace(root, "/boot/", "x", 0644), -EINVAL);
        assert_int_equal(count(root, "/boot"), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(makes_replaces_and_removes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(replaces_what_a_link_points_to, set_up, tear_down),
                cmocka_unit_test_setup_teardown(cleans_up_after_a_kill, set_up, tear_down),
                cmocka_unit_test_setup_teardown(makes_the_last_folder_only, set_up, tear_down),
                cmocka_unit_test_setup_teardown(refuses_what_is_no_file, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
