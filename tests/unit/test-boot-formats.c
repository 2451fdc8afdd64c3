/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The binary and quoted formats of boot loaders: what is read from them, and that damage is noticed and nothing is read
 * beyond the end (run with AddressSanitizer). */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/grub-default.h"
#include "boot/json-text.h"
#include "boot/ostree-staged.h"
#include "boot/pe.h"
#include "fake/tree.h"

/* {"kargs": <["quiet", "async=1", "root=1"]>} as GVariant a{sv}; "async" begins like the type that ends the value. */
static const char staged[] = "kargs\0\0\0quiet\0async=1\0root=1\0\x06\x0e\x15\0as\x06";

static void reads_staged_arguments(void **state) {
        char *line = NULL;

        (void) state;
        assert_int_equal(ostree_staged_line(staged, sizeof(staged) - 1, &line), 0);
        assert_string_equal(line, "quiet async=1 root=1");
        free(line);
}

/* Each prefix, and each with one byte changed, at the end of its own allocation. */
static void survives_damaged_staged_arguments(void **state) {
        (void) state;
        for (size_t size = 0; size < sizeof(staged); size++)
                for (size_t at = 0; at < size; at++) {
                        _cleanup_free_ char *copy = malloc(size), *line = NULL;
                        int r;

                        memcpy(copy, staged, size);
                        copy[at] ^= 0x55;
                        r = ostree_staged_line(copy, size, &line);
                        assert_true(r == 0 || r == -EBADMSG);
                        assert_true((r == 0) == (line != NULL));
                }
}

#define PE_SIZE 0x130

/* One section ".cmdline" with "quiet". */
static void make_pe(unsigned char pe[static PE_SIZE]) {
        memset(pe, 0, PE_SIZE);
        memcpy(pe, "MZ", 2);
        pe[0x3c] = 0x40;
        memcpy(pe + 0x40, "PE\0", 4);
        pe[0x46] = 1;
        memcpy(pe + 0x58, ".cmdline", 8);
        pe[0x60] = 5;    /* virtual size */
        pe[0x68] = 0x10; /* raw size */
        pe[0x6c] = 0x20; /* raw offset 0x120 */
        pe[0x6d] = 0x01;
        memcpy(pe + 0x120, "quiet", 5);
}

static int read_pe(struct tree *t, const unsigned char *pe, size_t size, char **ret) {
        int fd;

        tree_file(t, "/a.efi", "");
        fd = root_open(tree_root(t), "/a.efi", O_WRONLY | O_TRUNC, 0);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, pe, size), size);
        close(fd);
        return pe_section_text(tree_root(t), "/a.efi", ".cmdline", 4096, ret);
}

static void reads_a_section(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        unsigned char pe[PE_SIZE];
        char *text = NULL;

        (void) state;
        make_pe(pe);
        assert_int_equal(read_pe(t, pe, PE_SIZE, &text), 0);
        assert_string_equal(text, "quiet");
        free(text);
        assert_int_equal(pe_section_text(tree_root(t), "/a.efi", ".linux", 4096, &text), -ENODATA);
        assert_int_equal(pe_section_text(tree_root(t), "/a.efi", ".cmdline", 4, &text), -EFBIG);
        assert_int_equal(pe_section_text(tree_root(t), "/b.efi", ".cmdline", 4096, &text), -ENOENT);
}

static void survives_damaged_images(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        unsigned char pe[PE_SIZE];

        (void) state;
        for (size_t size = 0; size < 0x125; size++) {
                char *text = NULL;

                make_pe(pe);
                assert_int_equal(read_pe(t, pe, size, &text), -EBADMSG);
        }
        for (size_t at = 0; at < 0x120; at++) {
                _cleanup_free_ char *text = NULL;
                int r;

                make_pe(pe);
                pe[at] ^= 0xff;
                r = read_pe(t, pe, PE_SIZE, &text);
                assert_true(r == 0 || r == -EBADMSG || r == -ENODATA || r == -EFBIG);
        }
}

static void finds_members(void **state) {
        static const char text[] = "{ \"a\\\"b\" : [1,{\"user\":2}] , \"user\":\n[\"x]\", \"y\\\"\"], \"n\":-1.5e3 }";
        const char *at[4], *list;
        char quoted[32];

        (void) state;
        assert_int_equal(json_text_check("f", text, NULL), 0);
        list = json_text_member(text, "user");
        assert_int_equal(json_text_elements(list, at, 4), 2);
        assert_memory_equal(at[0], "\"x]\"", 4);
        assert_memory_equal(at[1], "\"y\\\"\"", 5);
        assert_string_equal(json_text_end(list), ", \"n\":-1.5e3 }");
        assert_string_equal(json_text_end(json_text_member(text, "n")), " }");
        assert_null(json_text_member(text, "b"));
        assert_null(json_text_member("{}", "b"));
        assert_int_equal(json_text_quote("a\"b/\\", quoted, sizeof(quoted)), 0);
        assert_string_equal(quoted, "a\\\"b/\\\\");
        assert_int_equal(json_text_quote("a\"b/\\", quoted, 5), -ENAMETOOLONG);
}

static void refuses_what_is_no_json(void **state) {
        static const char *const cases[] = {
                "", "{", "{\"a\":1,}", "{\"a\":[1,]}", "[]", "{} x", "{'a':1}", "{\"a\":\"x}",
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (json_text_check("f", cases[i], NULL) != -EBADMSG)
                        fail_msg("'%s' passes for JSON", cases[i]);
}

/* Whatever the script is cut to, it is edited or refused, and never read beyond its end. */
static void survives_cut_scripts(void **state) {
        static const char text[] = "# a\nif [ x ]; then\n B='c'\nfi\nexport NAME=\"a \\\"b\\\" ${C} $D\" # e\n\\\nF=\"g\nh\"\n";

        (void) state;
        for (size_t size = 0; size < sizeof(text); size++) {
                _cleanup_free_ char *copy = strndup(text, size);
                struct grub_assignment a = {};
                int r = grub_default_find(copy, "NAME", &a, NULL);

                assert_true(r == 0 || r == -EINVAL);
                if (r == 0 && a.n > 0)
                        assert_memory_equal(a.start, "a \\\"b\\\" ${C} $D", a.length);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_staged_arguments), cmocka_unit_test(survives_damaged_staged_arguments),
                cmocka_unit_test(reads_a_section),        cmocka_unit_test(survives_damaged_images),
                cmocka_unit_test(finds_members),          cmocka_unit_test(refuses_what_is_no_json),
                cmocka_unit_test(survives_cut_scripts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
