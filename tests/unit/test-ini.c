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
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "config/ini.h"
#include "fake/tree.h"

/* What the handler saw: "[section]" and "key=value" of every call, '|' between. */
struct seen {
        char text[16384];
        size_t n;
};

static int collect(const struct ini_entry *entry, void *userdata, struct err *e) {
        struct seen *seen = userdata;
        int n;

        if (!entry->key)
                n = snprintf(seen->text + seen->n, sizeof(seen->text) - seen->n, "[%s]|", entry->section);
        else
                n = snprintf(seen->text + seen->n, sizeof(seen->text) - seen->n, "%s=%s|", entry->key,
                             entry->value);
        seen->n += (size_t) n;
        assert_true(seen->n < sizeof(seen->text));
        if (entry->key && str_eq(entry->key, "bad"))
                return err_set(e, -ERANGE, ERR_INVALID, entry->key, "no good");
        return 0;
}

static void test_good(void **state) {
        static const struct {
                const char *text, *seen;
        } cases[] = {
                { "", "" },
                { "\n\n", "" },
                { "# a\n; b\n  # c\n\t; d", "" },
                { "k=v", "k=v|" },
                { "k=v\r\nl=w\r\n", "k=v|l=w|" },
                { "\xef\xbb\xbf[s]\nk=v\n", "[s]|k=v|" },
                { "[s]\nk = v w \t\n", "[s]|k=v w|" },
                { "[s]\n[t]\n", "[s]|[t]|" },
                { "[s]   \nk=\n", "[s]|k=|" },
                { "[device 0000:01:00.0]\nid=10de:2206\n", "[device 0000:01:00.0]|id=10de:2206|" },
                { "k=a=b:c\n", "k=a=b:c|" },
                { "k=a;b\n", "k=a;b|" },
                { "k=;b\n", "k=;b|" },
                { "k=\"a # b\"\n", "k=\"a # b\"|" },
                { "k=ü€😀\n", "k=ü€😀|" },
                { "k=1\n\n  # white space before a comment is fine\nk=2\n", "k=1|k=2|" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct seen seen = {};
                struct err e = {};

                if (ini_load_text("f", cases[i].text, strlen(cases[i].text), collect, &seen, &e) != 0)
                        fail_msg("“%s”: %s", cases[i].text, e.message);
                assert_string_equal(seen.text, cases[i].seen);
                assert_int_equal(e.code, 0);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *text;
                size_t size; /* 0: strlen */
                const char *message;
        } cases[] = {
                { "k\n", 0, "f:1: wanted key=value" },
                { "=v\n", 0, "f:1: wanted key=value" },
                { "\xef\xbb\xbf\xef\xbb\xbf=v\n", 0, "f:1: wanted key=value" },
                { "k: v\n", 0, "f:1: wanted key=value" },
                { "k:l=v\n", 0, "f:1: wanted key=value" },
                { "a=1\n  continued\n", 0, "f:2: wanted no white space before “continued”" },
                { "a=1\n\tb=2\n", 0, "f:2: wanted no white space before “b=2”" },
                { " [s]\n", 0, "f:1: wanted no white space" },
                { "a=1 ; comment\n", 0, "f:1: wanted no “ ;” in “a=1 ; comment”" },
                { "a= ;\n", 0, "f:1: wanted no “ ;”" },
                { "[s] ; comment\n", 0, "f:1: wanted no “ ;”" },
                { "[s\n", 0, "f:1: wanted [section]" },
                { "[\n", 0, "f:1: wanted [section]" },
                { "[s] k=v\n", 0, "f:1: wanted [section]" },
                { "[s]]\n", 0, "f:1: wanted [section]" },
                { "a=1\nb=\0c\n", 9, "f:2: wanted plain text, found the control character 0x00" },
                { "# \0\n", 4, "f:1: wanted plain text, found the control character 0x00" },
                { "a=\x1b[0m\n", 0, "control character 0x1b" },
                { "a=b\rc=d\n", 0, "control character 0x0d" },
                { "a=\x7f\n", 0, "control character 0x7f" },
                { "a=b\xffz\n", 0, "f:1: wanted UTF-8, found the byte 0xff" },
                { "# caf\xe9\n", 0, "f:1: wanted UTF-8, found the byte 0xe9" },
                { "a=\xe2\x82", 0, "f:1: wanted UTF-8, found the byte 0xe2" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                size_t size = cases[i].size ? cases[i].size : strlen(cases[i].text);
                struct seen seen = {};
                struct err e = {};

                assert_int_equal(ini_load_text("f", cases[i].text, size, collect, &seen, &e), -EINVAL);
                if (!strstr(e.message, cases[i].message))
                        fail_msg("wanted “%s” in “%s”", cases[i].message, e.message);
                assert_string_equal(e.id, ERR_INVALID);
                assert_string_equal(e.subject, "f");
                assert_string_equal(seen.text, ""); /* even where line 1 was fine */
                assert_int_equal(ini_load_text("f", cases[i].text, size, collect, &seen, NULL), -EINVAL);
        }
}

/* inih alone splits these in two and returns 0. */
static void test_long_lines(void **state) {
        static const char *const starts[] = { "k=", "[", "# " };
        char text[4096 + 8];
        struct err e;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
                for (size_t size = 190; size <= 4097; size += size < 210 || size >= 4090 ? 1 : 3880) {
                        struct seen seen = {};
                        int r;

                        memset(text, 'x', sizeof(text));
                        memcpy(text, starts[i], strlen(starts[i]));
                        if (*text == '[')
                                text[size - 1] = ']';
                        text[size] = '\n';
                        r = ini_load_text("f", text, size + 1, collect, &seen, &e);
                        assert_int_equal(r, size <= 4096 ? 0 : -EINVAL);
                        if (r < 0)
                                assert_non_null(strstr(e.message, "f:1: wanted at most 4096 bytes"));
                        assert_int_equal(seen.n, r < 0 || *text == '#' ? 0 : size + 1);
                }
}

static void test_handler_fails(void **state) {
        const char text[] = "[s]\na=1\nbad=2\nb=3\n";
        struct seen seen = {};
        struct err e = {};

        (void) state;
        assert_int_equal(ini_load_text("f", text, strlen(text), collect, &seen, &e), -ERANGE);
        assert_string_equal(e.message, "f:3: no good");
        assert_string_equal(e.subject, "bad");
        assert_string_equal(seen.text, "[s]|a=1|bad=2|");
        assert_int_equal(ini_load_text("f", text, strlen(text), NULL, NULL, &e), 0);
}

/* tree_link makes absolute targets relative. */
static void link_as_written(struct tree *t, const char *dir, const char *name, const char *target) {
        _cleanup_close_ int fd = -1;

        tree_dir(t, dir);
        fd = root_open(tree_root(t), dir, O_RDONLY | O_DIRECTORY, 0);
        assert_true(fd >= 0);
        assert_int_equal(symlinkat(target, fd, name), 0);
}

#define ETC "/etc/passthru/"
#define RUN "/run/passthru/"
#define LIB "/usr/lib/passthru/"

static void test_files(void **state) {
        static const struct {
                const char *files[8][2]; /* path and content */
                int n;
                const char *seen;
        } cases[] = {
                { { {} }, 0, "" },
                { { { LIB "x.conf", "a=lib\n" } }, 1, "a=lib|" },
                { { { LIB "x.conf", "a=lib\n" }, { RUN "x.conf", "a=run\n" } }, 1, "a=run|" },
                { { { LIB "x.conf", "a=lib\n" }, { RUN "x.conf", "a=run\n" }, { ETC "x.conf", "a=etc\n" } }, 1,
                  "a=etc|" },
                { { { LIB "x.conf", "a=lib\n" }, { ETC "x.conf", "" } }, 0, "" },
                /* drop-ins: sorted by name over all trees, /etc wins for the same name */
                { { { LIB "x.conf.d/30.conf", "c=lib\n" }, { ETC "x.conf.d/10.conf", "a=etc\n" },
                    { RUN "x.conf.d/20.conf", "b=run\n" }, { ETC "x.conf", "m=etc\n" } }, 4,
                  "m=etc|a=etc|b=run|c=lib|" },
                { { { LIB "x.conf.d/10.conf", "a=lib\n" }, { RUN "x.conf.d/10.conf", "a=run\n" },
                    { ETC "x.conf.d/10.conf", "a=etc\n" }, { LIB "x.conf.d/9.conf", "z=lib\n" } }, 2,
                  "a=etc|z=lib|" },
                /* masks do for one file what they say, and no more */
                { { { LIB "x.conf.d/10.conf", "a=lib\n" }, { ETC "x.conf.d/10.conf", "" },
                    { LIB "x.conf.d/20.conf", "b=lib\n" } }, 1, "b=lib|" },
                { { { LIB "x.conf", "a=lib\n" }, { ETC "x.conf", "" }, { LIB "x.conf.d/20.conf", "b=lib\n" } }, 1,
                  "b=lib|" },
                /* what is no drop-in */
                { { { ETC "x.conf.d/10.conf~", "a=1\n" }, { ETC "x.conf.d/.10.conf", "a=2\n" },
                    { ETC "x.conf.d/.conf", "a=3\n" }, { ETC "x.conf.d/README", "a=4\n" },
                    { ETC "y.conf.d/10.conf", "a=5\n" } }, 0, "" },
                { { { ETC "x.conf.d", "a=1\n" } }, 0, "" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct seen seen = {};
                struct err e = {};

                for (size_t k = 0; k < 8 && cases[i].files[k][0]; k++)
                        tree_file(t, cases[i].files[k][0], cases[i].files[k][1]);
                assert_int_equal(ini_load(tree_root(t), "x.conf", collect, &seen, &e), cases[i].n);
                assert_string_equal(seen.text, cases[i].seen);
        }
}

static void test_links(void **state) {
        static const struct {
                const char *dir, *name, *target, *seen;
        } cases[] = {
                { "/etc/passthru", "x.conf", "/dev/null", "b=lib|" },
                { "/run/passthru", "x.conf", "/dev/null", "b=lib|" },
                { "/etc/passthru/x.conf.d", "20.conf", "/dev/null", "a=lib|" },
                /* an absolute one stays in the root */
                { "/etc/passthru", "x.conf", "/opt/other", "o=1|b=lib|" },
                { "/etc/passthru", "x.conf", "../../../../../opt/other", "o=1|b=lib|" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct seen seen = {};
                struct err e = {};

                tree_file(t, "/opt/other", "o=1\n");
                tree_file(t, LIB "x.conf", "a=lib\n");
                tree_file(t, LIB "x.conf.d/20.conf", "b=lib\n");
                link_as_written(t, cases[i].dir, cases[i].name, cases[i].target);
                assert_true(ini_load(tree_root(t), "x.conf", collect, &seen, &e) >= 0);
                assert_string_equal(seen.text, cases[i].seen);
        }
}

static void test_bad_files(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_free_ char *big = NULL;
        struct seen seen = {};
        struct err e = {};

        (void) state;
        /* one bad file: the good ones are not handled either */
        tree_file(t, ETC "x.conf", "a=1\n");
        tree_file(t, LIB "x.conf.d/50.conf", "b=1\nnonsense\n");
        assert_int_equal(ini_load(tree_root(t), "x.conf", collect, &seen, &e), -EINVAL);
        assert_string_equal(seen.text, "");
        assert_non_null(strstr(e.message, LIB "x.conf.d/50.conf:2: wanted key=value"));
        assert_string_equal(e.subject, LIB "x.conf.d/50.conf");
        tree_remove(t, LIB "x.conf.d/50.conf");

        tree_link(t, ETC "x.conf", "nowhere");
        tree_file(t, LIB "x.conf", "a=1\n");
        assert_int_equal(ini_load(tree_root(t), "x.conf", collect, &seen, &e), -ENOENT);
        assert_non_null(strstr(e.message, ETC "x.conf cannot be read"));
        tree_remove(t, ETC "x.conf");

        tree_dir(t, ETC "x.conf");
        assert_int_equal(ini_load(tree_root(t), "x.conf", collect, &seen, &e), -EINVAL);
        assert_non_null(strstr(e.message, "wanted a file"));
        tree_remove(t, ETC "x.conf");

        big = malloc((256 << 10) + 2);
        assert_non_null(big);
        memset(big, '\n', (256 << 10) + 1);
        big[(256 << 10) + 1] = '\0';
        tree_file(t, ETC "x.conf", big);
        assert_int_equal(ini_load(tree_root(t), "x.conf", collect, &seen, &e), -EFBIG);
        big[256 << 10] = '\0';
        tree_file(t, ETC "x.conf", big);
        assert_int_equal(ini_load(tree_root(t), "x.conf", collect, &seen, &e), 1);
        assert_string_equal(seen.text, "");
}

struct outcome {
        int r;
        struct err e;
};

/* The owner counts on the running host only, so the tree becomes one, for a child. */
static void load_in_chroot(const struct root *tree, struct outcome *o) {
        _cleanup_free_ char *path = root_join(tree, "/");
        pid_t pid;
        int status;

        assert_non_null(path);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                _cleanup_root_ struct root *root = NULL;
                struct seen seen = {};

                if (chroot(path) < 0 || root_new(NULL, &root) < 0 || !root_is_live(root))
                        _exit(1);
                o->r = ini_load(root, "x.conf", collect, &seen, &o->e);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void test_owner(void **state) {
        static const struct {
                uid_t uid;
                mode_t mode;
                int r;
                const char *message;
        } cases[] = {
                { 0, 0644, 1, "" },
                { 0, 0400, 1, "" },
                { 1000, 0644, -EPERM, "found owner 1000, mode 0644" },
                { 0, 0664, -EPERM, "found owner 0, mode 0664" },
                { 0, 0646, -EPERM, "mode 0646" },
        };
        struct outcome *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        (void) state;
        if (geteuid() != 0)
                skip();
        assert_ptr_not_equal(o, MAP_FAILED);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (int drop_in = 0; drop_in < 2; drop_in++) {
                        const char *file = drop_in ? ETC "x.conf.d/10.conf" : ETC "x.conf";
                        _cleanup_tree_ struct tree *t = tree_new();
                        _cleanup_close_ int fd = -1;

                        tree_file(t, file, "a=1\n");
                        fd = root_open(tree_root(t), file, O_RDONLY, 0);
                        assert_true(fd >= 0);
                        assert_int_equal(fchown(fd, cases[i].uid, 0), 0);
                        assert_int_equal(fchmod(fd, cases[i].mode), 0);
                        *o = (struct outcome) {};
                        load_in_chroot(tree_root(t), o);
                        assert_int_equal(o->r, cases[i].r);
                        assert_non_null(strstr(o->e.message, cases[i].message));
                        assert_string_equal(o->e.subject, cases[i].r < 0 ? file : "");
                }
        munmap(o, sizeof(*o));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_handler_fails),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_bad_files),
                cmocka_unit_test(test_owner),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
