/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status-early.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/table.h"
#include "config/early-result.h"

/* NULL: there is none. */
static struct early_result *load(const struct root *root) {
        _cleanup_free_ struct early_result *result = calloc(1, sizeof(*result));

        return result && early_result_load(root, result, NULL) > 0 ? TAKE_PTR(result) : NULL;
}

void status_print_early(const struct root *root) {
        _cleanup_table_ struct table *t = table_new("RESERVED AT BOOT", "STATE", "FOUND", NULL);
        _cleanup_free_ struct early_result *result = load(root);

        if (!result)
                return;
        putchar('\n');
        if (result->state == EARLY_OFF)
                puts("Nothing was reserved at boot: passthru=off is on the kernel command line.");
        else if (result->state != EARLY_DONE)
                printf("Nothing was reserved at boot: %s\n", result->message);
        for (size_t i = 0; i < result->n_items; i++)
                table_row(t, result->items[i].name, early_state_name(result->items[i].state),
                          *result->items[i].message ? result->items[i].message : "-");
        table_print(t, TABLE_WRAP);
}

struct json_object *status_early_to_json(const struct root *root) {
        _cleanup_free_ struct early_result *result = load(root);
        struct json_object *o, *items;

        if (!result)
                return NULL;
        o = json_object_new_object();
        items = json_object_new_array();
        for (size_t i = 0; i < result->n_items; i++) {
                struct json_object *item = json_object_new_object();

                json_object_object_add(item, "name", json_object_new_string(result->items[i].name));
                json_object_object_add(item, "state",
                                       json_object_new_string(early_state_name(result->items[i].state)));
                json_object_object_add(item, "message", json_object_new_string(result->items[i].message));
                json_object_array_add(items, item);
        }
        json_object_object_add(o, "state", json_object_new_string(early_state_name(result->state)));
        json_object_object_add(o, "message", json_object_new_string(result->message));
        json_object_object_add(o, "milliseconds", json_object_new_int64((int64_t) result->msec));
        json_object_object_add(o, "items", items);
        return o;
}
