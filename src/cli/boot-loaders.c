/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

#include <stdlib.h>

#include "cli/table.h"

static const char *const evidence_names[] = {
        [EVIDENCE_NONE] = "none",
        [EVIDENCE_FILES] = "files",
        [EVIDENCE_BOOTED] = "booted",
        [EVIDENCE_OWNER] = "owner",
};

/* No configuration and no ledger is needed: shell completions ask here too. */
int boot_show_loaders(const struct boot *b) {
        _cleanup_table_ struct table *t = table_new("LOADER", "WHAT IT IS", "TRIAL", "KERNEL", "FOUND HERE", NULL);
        struct json_object *o = json_object_new_object(), *list = json_object_new_array();

        for (size_t i = 0; loaders[i]; i++) {
                const struct loader *l = loaders[i];
                char found[128] = "";
                enum evidence evidence = l->detect(b->cli->root, found, sizeof(found));
                struct json_object *row = json_object_new_object();

                table_row(t, l->name, l->title, l->trial ? "yes" : "no", l->kernel ? "yes" : "no",
                          evidence == EVIDENCE_NONE ? "-" : found);
                json_object_object_add(row, "name", json_object_new_string(l->name));
                json_object_object_add(row, "title", json_object_new_string(l->title));
                json_object_object_add(row, "trial", json_object_new_boolean(l->trial != NULL));
                json_object_object_add(row, "kernel", json_object_new_boolean(l->kernel != NULL));
                json_object_object_add(row, "evidence", json_object_new_string(evidence_names[evidence]));
                json_object_object_add(row, "found",
                                       evidence == EVIDENCE_NONE ? NULL : json_object_new_string(found));
                json_object_array_add(list, row);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "loaders", list);
        if (b->cli->json)
                return cli_print_json(o);
        json_object_put(o);
        table_print(t, TABLE_WRAP);
        return EXIT_SUCCESS;
}
