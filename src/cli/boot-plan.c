/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/check.h"
#include "base/str.h"
#include "boot/initramfs.h"
#include "boot/validate.h"
#include "cli/diff.h"
#include "model/cmdline.h"

/* A machine that was moved to another boot loader: what is edited in the files of the old one has no effect. Where the
 * evidence points to nothing certain, the ledger decides. */
static int check_same_loader(const struct boot *b, struct err *e) {
        const struct loader *now;

        if (loader_find(b->cli->root, NULL, &now, NULL) < 0 || now == b->loader)
                return 0;
        return err_set(e, -EXDEV, ERR_REFUSED, "loader",
                       "our parameters are in the files of %s, and this machine seems to boot with %s now: 'passthru boot "
                       "revert' takes them out there; or say --loader %s to stay with it", b->loader->name, now->name,
                       b->loader->name);
}

int boot_load(struct boot *b, bool revert, struct err *e) {
        const char *name;
        int r;

        r = ledger_load(b->cli->root, &b->ledger, e);
        if (r >= 0 && !revert) {
                settings_default(&b->settings);
                r = settings_load(b->cli->root, &b->settings, e);
                if (r >= 0)
                        r = wanted_find(b->cli->root, &b->settings.boot, &b->wanted, e);
        }
        if (r < 0)
                return r;
        name = b->options->loader                              ? b->options->loader :
               b->ledger.n_files > 0 || *b->ledger.kernel || b->ledger.unfinished ? b->ledger.loader :
                                                                 NULL;
        r = loader_find(b->cli->root, name, &b->loader, e);
        if (r < 0) {
                for (size_t i = 0; r == -ENOENT && i < b->wanted.n; i++)
                        err_append(e, "%s%s", i == 0 ? ": " : " ", b->wanted.list[i]);
                return r;
        }
        return revert || b->options->loader ? 0 : check_same_loader(b, e);
}

int boot_make_plan(struct boot *b, const char *const *want, size_t n_want, const char *kernel, const struct trial *trial,
                   struct err *e) {
        plan_done(&b->plan);
        ledger_done(&b->edit.after);
        b->edit = (struct boot_edit) { .want = want, .n_want = n_want, .kernel = kernel, .before = &b->ledger };
        if (ledger_set_trial(&b->edit.after, trial) < 0)
                return err_set(e, -ENOMEM, ERR_FAILED, "trial", "out of memory");
        return loader_plan(b->loader, b->cli->root, &b->edit, &b->plan, e);
}

void boot_failed_checks(const struct root *root, char *buf, size_t size) {
        static const char *const parts[] = { "firmware", "kernel", "devices" };
        struct finding findings[CHECKS_MAX];
        size_t n;

        *buf = '\0';
        (void) check_all(root, findings, &n);
        for (size_t i = 0; i < n; i++) {
                size_t used = strlen(buf);
                bool counts = false;

                for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
                        counts |= str_eq(findings[i].part, parts[k]);
                if (counts && findings[i].severity == SEVERITY_ERROR)
                        (void) str_format(buf + used, size - used, "%s%s", used > 0 ? " " : "", findings[i].id);
        }
}

static int validate(const struct boot *b, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r = b->loader->read(b->cli->root, &entries, e);

        return r < 0 ? r :
                       wanted_validate(b->cli->root, &b->settings.boot, &b->wanted, &b->ledger, &entries,
                                       b->options->force, e);
}

int boot_plan_wanted(struct boot *b, struct err *e) {
        const char *kernel = b->settings.boot.kernel;
        _cleanup_free_ struct trial *trial = NULL;
        int r;

        r = boot_load(b, false, e);
        if (r >= 0)
                r = validate(b, e);
        if (r >= 0)
                r = boot_make_plan(b, b->wanted.list, b->wanted.n, kernel, NULL, e);
        if (r < 0 || plan_is_empty(&b->plan) || b->options->no_trial || !root_is_live(b->cli->root))
                return r;
        /* A trial that was cut off changed no line of ours. */
        if (b->ledger.unfinished && !b->ledger.trial)
                return err_set(e, -EBUSY, ERR_REFUSED, LEDGER_NAME,
                               "an earlier run was cut off, and some lines may have what others lack: 'passthru boot apply "
                               "--no-trial' finishes it, 'passthru boot revert' takes all of it back");
        r = trial_new(b->cli->root, b->wanted.list, b->wanted.n, kernel, &trial, e);
        if (r < 0)
                return r;
        boot_failed_checks(b->cli->root, trial->findings, sizeof(trial->findings));
        return boot_make_plan(b, b->wanted.list, b->wanted.n, kernel, trial, e);
}

/* As a shell takes it for one word. */
static void print_word(const char *word) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=:,+@%";

        if (*word && !word[strspn(word, plain)]) {
                printf(" %s", word);
                return;
        }
        fputs(" '", stdout);
        for (; *word; word++)
                printf(*word == '\'' ? "'\\''" : "%c", *word);
        putchar('\'');
}

static void print_commands(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_commands; i++) {
                printf("run:");
                for (char *const *a = plan->commands[i].argv; *a; a++)
                        print_word(*a);
                printf("   (%s)\n", plan->commands[i].why);
        }
}

static void print_variables(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_variables; i++)
                if (plan->variables[i].after)
                        printf("set: EFI variable %s = %s\n", plan->variables[i].name, plan->variables[i].after);
                else
                        printf("delete: EFI variable %s\n", plan->variables[i].name);
}

/* A scalar that somebody else set to another value loses, since ours comes behind it: nobody should learn that after the
 * restart. */
static void print_overrides(const struct boot *b) {
        _cleanup_boot_entries_ struct boot_entries entries = {};

        if (b->loader->read(b->cli->root, &entries, NULL) < 0)
                return;
        for (size_t p = 0; p < b->wanted.n; p++)
                for (size_t i = 0; i < entries.n; i++) {
                        const struct boot_entry *entry = &entries.list[i];
                        struct token t;

                        if (entry->untouched || ledger_owns(&b->ledger, entry->file, b->wanted.list[p]) ||
                            !cmdline_overridden_by(entry->line, b->wanted.list[p], &t))
                                continue;
                        printf("Note: %.*s in '%s' is not ours, and will be overridden by %s.\n", (int) t.length, t.start,
                               entry->name, b->wanted.list[p]);
                        break; /* once for each parameter is enough */
                }
}

int boot_print_plan(const struct boot *b) {
        if (b->plan.unfinished)
                puts("An earlier run was cut off; this one finishes it.");
        for (size_t i = 0; i < b->plan.n_changes; i++) {
                int r = diff_print(&b->plan.changes[i]);

                if (r < 0) {
                        fprintf(stderr, "passthru: the changes cannot be shown: diff: %s\n", strerror(-r));
                        return r;
                }
        }
        print_commands(&b->plan);
        print_variables(&b->plan);
        print_overrides(b);
        return 0;
}

void boot_print_nothing(const struct boot *b) {
        printf(boot_edit_is_trial(&b->edit) ? "%s: the next boot will try it already.\n" : "%s: nothing to do.\n",
               b->loader->title);
}

static struct json_object *plan_to_json(const struct boot *b) {
        struct json_object *o = json_object_new_object(), *changes = json_object_new_array(),
                           *commands = json_object_new_array(),
                           *variables = json_object_new_array();

        for (size_t i = 0; i < b->plan.n_changes; i++) {
                const struct plan_change *c = &b->plan.changes[i];
                struct json_object *change = json_object_new_object();

                json_object_object_add(change, "path", json_object_new_string(c->path));
                json_object_object_add(change, "before", c->before ? json_object_new_string(c->before) : NULL);
                json_object_object_add(change, "after", c->after ? json_object_new_string(c->after) : NULL);
                json_object_array_add(changes, change);
        }
        for (size_t i = 0; i < b->plan.n_commands; i++) {
                struct json_object *argv = json_object_new_array();

                for (char *const *a = b->plan.commands[i].argv; *a; a++)
                        json_object_array_add(argv, json_object_new_string(*a));
                json_object_array_add(commands, argv);
        }
        for (size_t i = 0; i < b->plan.n_variables; i++) {
                const struct plan_variable *v = &b->plan.variables[i];
                struct json_object *variable = json_object_new_object();

                json_object_object_add(variable, "name", json_object_new_string(v->name));
                json_object_object_add(variable, "before", v->before ? json_object_new_string(v->before) : NULL);
                json_object_object_add(variable, "after", v->after ? json_object_new_string(v->after) : NULL);
                json_object_array_add(variables, variable);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "loader", json_object_new_string(b->loader->name));
        json_object_object_add(o, "unfinished", json_object_new_boolean(b->plan.unfinished));
        json_object_object_add(o, "changes", changes);
        json_object_object_add(o, "commands", commands);
        json_object_object_add(o, "variables", variables);
        json_object_object_add(o, "trial", json_object_new_boolean(boot_edit_is_trial(&b->edit)));
        json_object_object_add(o, "initramfs", json_object_new_boolean(initramfs_is_stale(b->cli->root, NULL) > 0));
        return o;
}

int boot_show_plan(struct boot *b) {
        struct err e = {};

        if (boot_plan_wanted(b, &e) < 0)
                return cli_fail(&e);
        if (b->cli->json)
                (void) cli_print_json(plan_to_json(b));
        else if (plan_is_empty(&b->plan))
                boot_print_nothing(b);
        else if (boot_print_plan(b) < 0)
                return EXIT_FAILURE;
        if (*b->wanted.note && !b->cli->json)
                printf("Note: %s.\n", b->wanted.note);
        return plan_is_empty(&b->plan) ? EXIT_SUCCESS : EXIT_PENDING;
}
