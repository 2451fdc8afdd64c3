/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "boot/kernels.h"
#include "cli/table.h"
#include "model/cmdline.h"

/* "yes", "no", or in how many of the entries. */
static const char *configured_in(const struct boot_entries *entries, const char *parameter, char *buf, size_t size) {
        size_t has = 0, all = 0;

        for (size_t i = 0; i < entries->n; i++) {
                all += !entries->list[i].untouched;
                has += !entries->list[i].untouched && cmdline_has(entries->list[i].line, parameter);
        }
        (void) str_format(buf, size, has == all ? "yes" : has == 0 ? "no" : "%zu of %zu", has, all);
        return buf;
}

static const char *verdict(const struct root *root, const char *configured, const char *running, const char *parameter, char *buf, size_t size) {
        struct token t;

        if (running && cmdline_contains(running, parameter) && cmdline_overridden_by(running, parameter, &t))
                (void) str_format(buf, size, "overridden by %.*s", (int) t.length, t.start);
        else if (running && cmdline_has(running, parameter) && kernel_ignores(root, parameter))
                (void) str_copy(buf, size, "ignored by this kernel");
        else if (running && cmdline_has(running, parameter))
                (void) str_copy(buf, size, str_eq(configured, "yes") ? "in effect" : "gone at the next boot");
        else if (str_eq(configured, "no"))
                (void) str_copy(buf, size, "not applied: passthru boot apply");
        else
                (void) str_copy(buf, size, "reboot pending");
        return buf;
}

/* NULL: none is chosen or wanted. */
static const char *kernel_text(const struct boot *b, char *text, size_t size) {
        const char *wanted = b->settings.boot.kernel, *ours = b->ledger.kernel;

        if (!*wanted && !*ours)
                return NULL;
        if (str_eq(wanted, ours))
                (void) str_format(text, size, "%s is the default", wanted);
        else
                (void) str_format(text, size, "%s is wanted as the default, and %s is: passthru boot apply",
                                  *wanted ? wanted : "the boot loader's choice", *ours ? ours : "the boot loader's choice");
        return text;
}

static const char *trial_text(const struct boot *b) {
        enum trial_state state;

        if (trial_find(b->cli->root, &b->ledger, &state, NULL) < 0)
                return NULL;
        switch (state) {
        case TRIAL_WAITS:
                return "the next boot tries it";
        case TRIAL_RUNS:
                return "this boot tries it; 'passthru boot confirm' ends the trial";
        case TRIAL_MISSED:
                return "this boot should have tried it, and did not; 'passthru boot confirm' ends the trial";
        case TRIAL_GIVEN_UP:
                return b->ledger.trial->failed;
        default:
                return NULL;
        }
}

int boot_status(struct boot *b) {
        _cleanup_table_ struct table *t = table_new("PARAMETER", "CONFIGURED", "RUNNING", "STATUS", NULL);
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *running = NULL;
        struct json_object *o, *list;
        struct err e = {};
        const char *kernel, *trial;
        char kernel_buf[256];

        if (boot_load(b, false, &e) < 0 || b->loader->read(b->cli->root, &entries, &e) < 0)
                return cli_fail(&e);
        (void) running_line(b->cli->root, &running);

        o = json_object_new_object();
        list = json_object_new_array();
        for (size_t i = 0; i < b->wanted.n; i++) {
                const char *p = b->wanted.list[i], *runs = running && cmdline_has(running, p) ? "yes" : "no";
                char configured[32], text[160];
                struct json_object *row = json_object_new_object();

                configured_in(&entries, p, configured, sizeof(configured));
                verdict(b->cli->root, configured, running, p, text, sizeof(text));
                table_row(t, p, configured, runs, text);
                json_object_object_add(row, "parameter", json_object_new_string(p));
                json_object_object_add(row, "configured", json_object_new_string(configured));
                json_object_object_add(row, "running", json_object_new_boolean(*runs == 'y'));
                json_object_object_add(row, "status", json_object_new_string(text));
                json_object_array_add(list, row);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "loader", json_object_new_string(b->loader->name));
        json_object_object_add(o, "parameters", list);
        kernel = kernel_text(b, kernel_buf, sizeof(kernel_buf));
        json_object_object_add(o, "kernel", kernel ? json_object_new_string(kernel) : NULL);
        trial = trial_text(b);
        json_object_object_add(o, "trial", trial ? json_object_new_string(trial) : NULL);
        if (b->cli->json)
                return cli_print_json(o);
        json_object_put(o);
        printf("Boot loader: %s\n", b->loader->title);
        if (b->wanted.n == 0)
                puts("No kernel parameter is wanted.");
        table_print(t, TABLE_WRAP);
        if (kernel)
                printf("Kernel: %s.\n", kernel);
        if (trial)
                printf("Trial: %s.\n", trial);
        if (*b->wanted.note)
                printf("Note: %s.\n", b->wanted.note);
        return EXIT_SUCCESS;
}
