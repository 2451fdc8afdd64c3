/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/early-result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "config/ini.h"

#define PATH EARLY_RESULT_DIRECTORY "/" EARLY_RESULT_NAME
#define SIZE_MAX_READ (256U << 10)

static const char *const names[] = {
        [EARLY_DONE] = "done",     [EARLY_OFF] = "off",         [EARLY_LEFT] = "left alone",
        [EARLY_FAILED] = "failed", [EARLY_PENDING] = "pending",
};

const char *early_state_name(enum early_state state) {
        return names[state];
}

struct early_item *early_result_add(struct early_result *result, const char *name, enum early_state state) {
        struct early_item *item;

        if (result->n_items == EARLY_ITEMS_MAX)
                return NULL;
        item = &result->items[result->n_items++];
        *item = (struct early_item){ .state = state };
        (void) str_copy(item->name, sizeof(item->name), name);
        return item;
}

/* As a value that the ini reader takes: one line without " ;". */
static void print_message(FILE *f, const char *message) {
        char text[384];

        (void) str_copy(text, sizeof(text), message);
        str_printable(text);
        for (char *s = text; (s = strstr(s, " ;"));)
                s[1] = ',';
        fprintf(f, "message=%s\n", str_strip(text));
}

int early_result_save(const struct root *root, const char *directory, const struct early_result *result) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;
        fprintf(f, "[early]\nstate=%s\ntook-ms=%llu\n", names[result->state], (unsigned long long) result->msec);
        print_message(f, result->message);
        for (size_t i = 0; i < result->n_items; i++) {
                fprintf(f, "[%s]\nstate=%s\n", result->items[i].name, names[result->items[i].state]);
                print_message(f, result->items[i].message);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        r = dir_ensure_private(root, directory, 0700);
        return r < 0 ? r : file_replace(root, directory, EARLY_RESULT_NAME, text, size, 0600);
}

static int set_state(enum early_state *state, const char *value) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_eq(value, names[i])) {
                        *state = (enum early_state) i;
                        return 0;
                }
        return -EINVAL;
}

static int on_entry(const struct ini_entry *entry, void *userdata, struct err *e) {
        struct early_result *result = userdata;
        bool whole = str_eq(entry->section, "early");
        struct early_item *item;
        int r;

        if (!entry->key) {
                if (whole || early_result_add(result, entry->section, EARLY_FAILED))
                        return 0;
                return err_set(e, -EINVAL, ERR_INVALID, entry->section, "wanted at most %d entries",
                               EARLY_ITEMS_MAX);
        }
        item = whole || result->n_items == 0 ? NULL : &result->items[result->n_items - 1];
        if (str_eq(entry->key, "took-ms"))
                r = str_to_u64(entry->value, 10, UINT32_MAX, &result->msec);
        else if (str_eq(entry->key, "state"))
                r = set_state(item ? &item->state : &result->state, entry->value);
        else if (str_eq(entry->key, "message"))
                r = item ? str_copy(item->message, sizeof(item->message), entry->value)
                         : str_copy(result->message, sizeof(result->message), entry->value);
        else
                r = -EINVAL;
        return r < 0 ? err_set(e, -EINVAL, ERR_INVALID, entry->key, "%s: found '%s'", entry->key, entry->value)
                     : 0;
}

int early_result_load(const struct root *root, struct early_result *ret, struct err *e) {
        _cleanup_free_ struct early_result *result = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = root_read(root, PATH, SIZE_MAX_READ, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return err_set(e, r, r == -EACCES ? ERR_PERMISSION : ERR_FAILED, PATH, PATH " cannot be read: %s",
                               strerror(-r));
        result = calloc(1, sizeof(*result));
        if (!result)
                return err_set(e, -ENOMEM, ERR_FAILED, PATH, "out of memory");
        r = ini_load_text(PATH, text, size, on_entry, result, e);
        if (r < 0)
                return r;

        *ret = *result;
        return 1;
}
