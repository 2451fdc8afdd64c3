/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What boot loaders leave in EFI variables. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "fake/tree.h"
#include "sys/efivar.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define NAME VARIABLES "/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define ATTRIBUTES "\x06\0\0\0"

static void put(struct tree *t, const void *data, size_t size) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -1;

        tree_file(t, NAME, "");
        path = root_join(tree_root(t), NAME);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(write(fd, data, size), size);
}

static void reads_texts(void **state) {
        static const struct {
                const char *data;
                size_t size;
                int result;
                const char *text;
        } cases[] = {
                { ATTRIBUTES "G\0R\0U\0B\0\0\0", 14, 0, "GRUB" },
                { ATTRIBUTES "G\0R\0", 8, 0, "GR" },
                { ATTRIBUTES "G\0\0\0R\0", 10, 0, "G" },
                { ATTRIBUTES "\xe4\0\x1b\0\0\x01", 10, 0, "???" },
                { ATTRIBUTES "\0\0", 6, 0, "" },
                { ATTRIBUTES "1\0002\0003\0004\0005\0006\0007\0", 18, 0, "1234567" },
                { ATTRIBUTES "1\0002\0003\0004\0005\0006\0007\0008\0", 20, -ENAMETOOLONG, NULL },
                { ATTRIBUTES "G\0R", 7, -EBADMSG, NULL },
                { ATTRIBUTES, 4, -EBADMSG, NULL },
                { "", 0, -EBADMSG, NULL },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                char text[8] = "";

                put(t, cases[i].data, cases[i].size);
                assert_int_equal(efi_loader_text(tree_root(t), "LoaderInfo", text, sizeof(text)), cases[i].result);
                if (cases[i].text)
                        assert_string_equal(text, cases[i].text);
        }
}

static void tells_what_is_not_there(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        char text[8];

        (void) state;
        assert_int_equal(efi_loader_text(tree_root(t), "LoaderInfo", text, sizeof(text)), -ENOENT);
        tree_dir(t, VARIABLES);
        assert_int_equal(efi_loader_text(tree_root(t), "StubInfo", text, sizeof(text)), -ENOENT);
}

static void sets_and_deletes(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        char text[32], long_text[300];

        (void) state;
        assert_int_equal(efi_loader_set(tree_root(t), "LoaderEntryOneShot", "a.conf"), -EOPNOTSUPP);
        tree_dir(t, VARIABLES);
        assert_int_equal(efi_loader_set(tree_root(t), "LoaderEntryOneShot", "a.conf"), 0);
        assert_int_equal(efi_loader_text(tree_root(t), "LoaderEntryOneShot", text, sizeof(text)), 0);
        assert_string_equal(text, "a.conf");
        assert_int_equal(efi_loader_set(tree_root(t), "LoaderEntryOneShot", "b"), 0);
        assert_int_equal(efi_loader_text(tree_root(t), "LoaderEntryOneShot", text, sizeof(text)), 0);
        assert_string_equal(text, "b");
        memset(long_text, 'x', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = '\0';
        assert_int_equal(efi_loader_set(tree_root(t), "LoaderEntryOneShot", long_text), -ENAMETOOLONG);
        assert_int_equal(efi_loader_text(tree_root(t), "LoaderEntryOneShot", text, sizeof(text)), 0);
        assert_string_equal(text, "b");
        assert_int_equal(efi_loader_set(tree_root(t), "LoaderEntryOneShot", NULL), 0);
        assert_int_equal(efi_loader_text(tree_root(t), "LoaderEntryOneShot", text, sizeof(text)), -ENOENT);
        assert_int_equal(efi_loader_set(tree_root(t), "LoaderEntryOneShot", NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_texts),
                cmocka_unit_test(tells_what_is_not_there),
                cmocka_unit_test(sets_and_deletes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
