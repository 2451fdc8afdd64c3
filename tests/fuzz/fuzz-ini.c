/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

static void want_text(const char *s) {
        want(utf8_span(s) == strlen(s));
        for (; *s; s++)
                want((unsigned char) *s >= 0x20 || *s == '\t');
}

static int check(const struct ini_entry *entry, void *userdata, struct err *e) {
        unsigned *line = userdata;

        (void) e;
        want(entry->line > *line); /* one setting a line, none twice */
        *line = entry->line;
        want_text(entry->section);
        want(!entry->key == !entry->value);
        if (!entry->key)
                return 0;
        want(*entry->key && !strpbrk(entry->key, "=:"));
        want_text(entry->key);
        want_text(entry->value);
        want(!strchr(" \t", *entry->value) || !*entry->value);
        want(!strstr(entry->value, " ;"));
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        unsigned line = 0;
        struct err e = {};
        int r;

        r = ini_load_text("input", (const char *) data, size, check, &line, &e);
        want(r == 0 || (r == e.code && *e.message && line == 0));
        return 0;
}
