/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "advice/check.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/table.h"

static int status_of(enum severity worst) {
        return worst == SEVERITY_ERROR ? 2 : worst == SEVERITY_WARNING ? 1 : 0;
}

static void print_json(const struct finding *findings, size_t n, enum severity worst) {
        struct json_object *o = json_object_new_object(), *list = json_object_new_array();

        for (size_t i = 0; i < n; i++) {
                const struct finding *f = &findings[i];
                struct json_object *row = json_object_new_object();

                json_object_object_add(row, "id", json_object_new_string(f->id));
                json_object_object_add(row, "part", json_object_new_string(f->part));
                json_object_object_add(row, "severity", json_object_new_string(severity_name(f->severity)));
                json_object_object_add(row, "evidence", json_object_new_string(f->evidence));
                json_object_object_add(row, "remedy", *f->remedy ? json_object_new_string(f->remedy) : NULL);
                json_object_array_add(list, row);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "worst", json_object_new_string(severity_name(worst)));
        json_object_object_add(o, "findings", list);
        (void) cli_print_json(o);
}

static void print_table(const struct finding *findings, size_t n) {
        _cleanup_table_ struct table *found = table_new("RESULT", "CHECK", "FOUND", NULL),
                                     *to_do = table_new("CHECK", "WHAT TO DO", NULL);
        bool any = false;

        for (size_t i = 0; i < n; i++) {
                const struct finding *f = &findings[i];

                table_row(found, severity_name(f->severity), f->id, f->evidence);
                if (*f->remedy)
                        table_row(to_do, f->id, f->remedy);
                any |= *f->remedy;
        }
        table_print(found, TABLE_WRAP);
        if (any)
                putchar('\n');
        table_print(to_do, TABLE_WRAP);
}

int verb_check(struct cli *cli, int argc, char **argv) {
        struct finding findings[CHECKS_MAX];
        enum severity worst;
        size_t n;
        int r;

        r = cli_no_arguments(argc, argv);
        if (r != 0)
                return r;
        worst = check_all(cli->root, findings, &n);
        if (cli->json)
                print_json(findings, n, worst);
        else
                print_table(findings, n);
        return status_of(worst);
}
