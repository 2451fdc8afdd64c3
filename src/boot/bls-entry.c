/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/bls-entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

#define BLANK " \t"
#define LINE_END "\r\n"

static bool key_is(const char *line, size_t length, const char *key) {
        return length == strlen(key) && strncmp(line, key, length) == 0;
}

static bool has_root(const char *options, size_t length) {
        const char *end = options + length;
        struct token t;

        while (cmdline_next(&options, &t) && t.start < end)
                if (strncmp(t.start, "root=", 5) == 0)
                        return true;
        return false;
}

void bls_entry_parse(const char *text, struct bls_entry *ret) {
        bool efi = false;

        *ret = (struct bls_entry) {};
        for (const char *line = text; *line; line += strcspn(line, LINE_END), line += strspn(line, LINE_END)) {
                const char *key = line + strspn(line, BLANK);
                size_t key_length = strcspn(key, BLANK LINE_END);
                const char *value = key + key_length + strspn(key + key_length, BLANK);
                size_t length = strcspn(value, LINE_END);

                if (key_is(key, key_length, "linux"))
                        ret->kernel |= length > 0;
                else if (key_is(key, key_length, "efi"))
                        efi = true;
                else if (key_is(key, key_length, "machine-id")) {
                        ret->machine_id = value;
                        ret->machine_id_length = strcspn(value, BLANK LINE_END);
                } else if (key_is(key, key_length, "options")) {
                        ret->options = value;
                        ret->length = length;
                        ret->n_options++;
                }
        }
        /* A kernel is an EFI program, too, and may be called one. */
        if (efi && ret->options)
                ret->kernel |= has_root(ret->options, ret->length);
}

bool bls_options_are_quoted(const char *options) {
        size_t n = strlen(options);

        while (n > 0 && strchr(BLANK, options[n - 1]))
                n--;
        return n > 1 && options[0] == '"' && options[n - 1] == '"';
}

int bls_entry_name(const char *path, char *buf, size_t size) {
        const char *name = strrchr(path, '/'), *plus, *end;

        name = name ? name + 1 : path;
        plus = strrchr(name, '+');
        end = plus ? plus + 1 + strspn(plus + 1, "0123456789") : NULL;
        if (end && end > plus + 1 && *end == '-' && end[1] >= '0' && end[1] <= '9')
                end += 1 + strspn(end + 1, "0123456789");
        if (!end || end == plus + 1 || !str_eq(end, ".conf"))
                return str_copy(buf, size, path);
        return str_format(buf, size, "%.*s%s", (int) (plus - path), path, end);
}

char *bls_entry_replace(const char *text, const struct bls_entry *entry, const char *options) {
        const char *start = entry->options, *end;
        size_t n = strlen(text);
        char *out;
        int r;

        if (!start) {
                bool whole = n == 0 || strchr(LINE_END, text[n - 1]);

                r = asprintf(&out, "%s%soptions %s%s", text, whole ? "" : "\n", options, whole ? "\n" : "");
                return r < 0 ? NULL : out;
        }
        end = start + entry->length;
        if (!*options) {
                while (start > text && !strchr(LINE_END, start[-1]))
                        start--;
                if (*end == '\r')
                        end++;
                if (*end == '\n')
                        end++;
                else if (!*end && start > text)
                        start--;
        }
        r = asprintf(&out, "%.*s%s%s", (int) (start - text), text, options, end);
        return r < 0 ? NULL : out;
}

char *bls_entry_trial(const char *text, const char *options) {
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);

        if (!f)
                return NULL;
        for (const char *line = text; *line; line += strcspn(line, LINE_END), line += strspn(line, LINE_END)) {
                const char *key = line + strspn(line, BLANK);
                size_t key_length = strcspn(key, BLANK LINE_END), length = strcspn(line, LINE_END);

                if (key_is(key, key_length, "sort-key") || key_is(key, key_length, "options"))
                        continue;
                fprintf(f, "%.*s%s\n", (int) length, line, key_is(key, key_length, "title") ? " (trial of passthru)" : "");
        }
        fprintf(f, "options %s\n", options);
        if (fclose(f) == 0)
                return out;
        free(out);
        return NULL;
}
