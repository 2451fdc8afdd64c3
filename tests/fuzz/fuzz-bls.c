/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A boot loader entry: other options and back gives every byte. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "boot/bls-entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

static void check(const char *text) {
        _cleanup_free_ char *same = NULL, *added = NULL, *back = NULL;
        _cleanup_free_ char *options = NULL;
        struct bls_entry entry, again;

        bls_entry_parse(text, &entry);
        want(!entry.options == (entry.n_options == 0));
        options = strndup(entry.options ? entry.options : "", entry.length);
        want(!strpbrk(options, "\r\n"));
        if (entry.length > 0) {
                same = bls_entry_replace(text, &entry, options);
                want(strcmp(same, text) == 0);
        }
        if (entry.options && entry.length == 0)
                return; /* refused by the callers */
        added = bls_entry_replace(text, &entry, "root=/dev/new");
        bls_entry_parse(added, &again);
        want(again.length == strlen("root=/dev/new") && strncmp(again.options, "root=/dev/new", again.length) == 0);
        want(again.n_options == (entry.n_options ? entry.n_options : 1));
        back = bls_entry_replace(added, &again, options);
        want(strcmp(back, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        char name[256];

        check(text);
        if (bls_entry_name(text, name, sizeof(name)) == 0)
                want(strlen(name) <= strlen(text));
        return 0;
}
