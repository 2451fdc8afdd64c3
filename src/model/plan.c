/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void change_done(struct plan_change *c) {
        free(c->path);
        free(c->before);
        free(c->after);
        *c = (struct plan_change) {};
}

static void command_done(struct plan_command *c) {
        for (char **a = c->argv; *a; a++)
                free(*a);
        for (char **a = c->undo; *a; a++)
                free(*a);
        *c = (struct plan_command) {};
}

static void variable_done(struct plan_variable *v) {
        free(v->before);
        free(v->after);
        *v = (struct plan_variable) {};
}

void plan_done(struct plan *plan) {
        for (size_t i = 0; i < plan->n_changes; i++)
                change_done(&plan->changes[i]);
        for (size_t i = 0; i < plan->n_commands; i++)
                command_done(&plan->commands[i]);
        for (size_t i = 0; i < plan->n_variables; i++)
                variable_done(&plan->variables[i]);
        *plan = (struct plan) {};
}

bool plan_is_empty(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_commands; i++)
                if (plan->commands[i].undo[0])
                        return false;
        return plan->n_changes == 0 && plan->n_variables == 0 && !plan->unfinished;
}

static struct plan_change *find_change(const struct plan *plan, const char *path) {
        for (size_t i = 0; i < plan->n_changes; i++)
                if (str_eq(plan->changes[i].path, path))
                        return (struct plan_change *) &plan->changes[i];
        return NULL;
}

static bool same_text(const char *a, const char *b) {
        return a && b ? str_eq(a, b) : a == b;
}

static void remove_change(struct plan *plan, struct plan_change *c) {
        size_t i = (size_t) (c - plan->changes);

        change_done(c);
        memmove(c, c + 1, (plan->n_changes - i - 1) * sizeof(*c));
        plan->n_changes--;
        plan->changes[plan->n_changes] = (struct plan_change) {};
}

static char *copy(const char *s, bool *ok) {
        char *c = s ? strdup(s) : NULL;

        *ok &= !s || c;
        return c;
}

int plan_add_change(struct plan *plan, const char *path, const char *before, const char *after, mode_t mode) {
        struct plan_change *old = find_change(plan, path), c = { .mode = mode };
        bool ok = true;

        /* What stood there before the whole plan is what counts. */
        if (old)
                before = old->before;
        if (same_text(before, after)) {
                if (old)
                        remove_change(plan, old);
                return 0;
        }
        if (!old && plan->n_changes == PLAN_CHANGES_MAX)
                return -ENOSPC;
        c.path = copy(path, &ok);
        c.before = copy(before, &ok);
        c.after = copy(after, &ok);
        if (!ok) {
                change_done(&c);
                return -ENOMEM;
        }
        if (old) {
                change_done(old);
                *old = c;
        } else
                plan->changes[plan->n_changes++] = c;
        return 0;
}

static bool same_argv(char *const *a, char *const *b) {
        for (; *a && *b; a++, b++)
                if (!str_eq(*a, *b))
                        return false;
        return !*a && !*b;
}

/* Takes what *c holds. */
static int add_command(struct plan *plan, struct plan_command *c, int r) {
        for (size_t i = 0; r == 0 && i < plan->n_commands; i++)
                if (same_argv(plan->commands[i].argv, c->argv)) {
                        command_done(c);
                        return 0;
                }
        if (r == 0 && plan->n_commands == PLAN_COMMANDS_MAX)
                r = -ENOSPC;
        if (r < 0) {
                command_done(c);
                return r;
        }
        plan->commands[plan->n_commands++] = *c;
        return 0;
}

static int add_word(char **argv, size_t n, const char *word) {
        if (n == PLAN_ARGV_MAX)
                return -E2BIG;
        argv[n] = strdup(word);
        return argv[n] ? 0 : -ENOMEM;
}

int plan_add_command(struct plan *plan, const char *why, ...) {
        struct plan_command c = { .why = why };
        const char *word;
        size_t n = 0;
        int r = 0;
        va_list ap;

        va_start(ap, why);
        while (r == 0 && (word = va_arg(ap, const char *)))
                r = add_word(c.argv, n++, word);
        va_end(ap);
        return add_command(plan, &c, r);
}

int plan_add_change_command(struct plan *plan, const char *why, const char *const *argv, const char *const *undo) {
        struct plan_command c = { .why = why };
        int r = 0;

        for (size_t i = 0; r == 0 && argv[i]; i++)
                r = add_word(c.argv, i, argv[i]);
        for (size_t i = 0; r == 0 && undo[i]; i++)
                r = add_word(c.undo, i, undo[i]);
        return add_command(plan, &c, r);
}

int plan_add_variable(struct plan *plan, const char *name, const char *before, const char *after) {
        struct plan_variable v = { .name = name };
        bool ok = true;

        if (same_text(before, after))
                return 0;
        if (plan->n_variables == PLAN_VARIABLES_MAX)
                return -ENOSPC;
        v.before = copy(before, &ok);
        v.after = copy(after, &ok);
        if (!ok) {
                variable_done(&v);
                return -ENOMEM;
        }
        plan->variables[plan->n_variables++] = v;
        return 0;
}

void plan_clear_commands(struct plan *plan) {
        for (size_t i = 0; i < plan->n_commands; i++)
                command_done(&plan->commands[i]);
        plan->n_commands = 0;
}
