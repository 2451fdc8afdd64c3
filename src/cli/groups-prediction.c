/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a prediction says for people, below the table of its groups. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/groups.h"
#include "cli/table.h"
#include "cli/text.h"

#define PAIRS_SHOWN 8

struct text {
        char *s;
        size_t size;
        FILE *f;
};

static void text_begin(struct text *t) {
        *t = (struct text) {};
        t->f = open_memstream(&t->s, &t->size);
        if (!t->f)
                abort();
}

/* Prints it behind the label, all lines starting there. */
static void text_end(struct text *t, const char *label) {
        _cleanup_free_ char *local = NULL;

        fclose(t->f);
        local = text_for_locale(t->s);
        fputs(label, stdout);
        text_print_wrapped(local, TABLE_WIDTH_MAX - strlen(label), strlen(label));
        putchar('\n');
        free(t->s);
}

/* The group of i in one of two divisions; functions without a group are each their own. */
static bool together(const int *groups, size_t a, size_t b) {
        return a == b || (groups[a] >= 0 && groups[a] == groups[b]);
}

/* Marks all functions that share a group with this one before or after, or with one of those. */
static void collect(const struct prediction *p, size_t i, bool *in, bool *seen) {
        in[i] = seen[i] = true;
        for (size_t k = 0; k < p->n; k++)
                if (!in[k] && (together(p->before, i, k) || together(p->after, i, k)))
                        collect(p, k, in, seen);
}

static bool differs(const struct prediction *p, const bool *in) {
        for (size_t a = 0; a < p->n; a++)
                for (size_t b = 0; in[a] && b < a; b++)
                        if (in[b] && together(p->before, a, b) != together(p->after, a, b))
                                return true;
        return false;
}

static void print_division(const struct groups *g, const char *label, const int *groups, const bool *in) {
        _cleanup_free_ bool *done = calloc(g->devices.n + 1, sizeof(*done));
        const char *separator = "";
        char address[BDF_TEXT_MAX];
        struct text t;

        if (!done)
                abort();
        text_begin(&t);
        for (size_t i = 0; i < g->devices.n; i++) {
                if (!in[i] || done[i])
                        continue;
                for (size_t k = i; k < g->devices.n; k++)
                        if (in[k] && together(groups, i, k)) {
                                done[k] = true;
                                fprintf(t.f, "%s%s", separator, bdf_format(&g->devices.list[k].address, address));
                                separator = " ";
                        }
                separator = " | ";
        }
        text_end(&t, label);
}

static void print_changes(const struct groups *g) {
        const struct prediction *p = &g->prediction;
        _cleanup_free_ bool *seen = calloc(p->n + 1, sizeof(*seen)), *in = calloc(p->n + 1, sizeof(*in));
        const char *before = p->today ? "today's groups" : "the groups without parameters";

        if (!seen || !in)
                abort();
        if (iommu_groups_equal(p->before, p->after, p->n)) {
                printf("No difference to %s.\n", before);
                return;
        }
        printf("Different from %s (| stands between groups):\n", before);
        for (size_t i = 0; i < p->n; i++) {
                if (seen[i])
                        continue;
                for (size_t k = 0; k < p->n; k++)
                        in[k] = false;
                collect(p, i, in, seen);
                if (!differs(p, in))
                        continue;
                print_division(g, p->today ? "  today:     " : "  without:   ", p->before, in);
                print_division(g, "  predicted: ", p->after, in);
        }
}

static void print_given_up(const struct groups *g) {
        size_t n = groups_given_up(g), shown = 0;
        char first[BDF_TEXT_MAX], second[BDF_TEXT_MAX];
        struct text t;

        if (n == 0)
                return;
        text_begin(&t);
        fprintf(t.f,
                "%zu %s of devices would be in different groups only because the override says so; each of "
                "the two could still reach the other's memory without the IOMMU:",
                n, n == 1 ? "pair" : "pairs");
        for (size_t a = 0; a < g->devices.n; a++)
                for (size_t b = a + 1; b < g->devices.n && shown < PAIRS_SHOWN; b++)
                        if (prediction_gives_up(&g->prediction, &g->devices, a, b))
                                fprintf(t.f, "%s %s - %s", shown++ > 0 ? "," : "",
                                        bdf_format(&g->devices.list[a].address, first),
                                        bdf_format(&g->devices.list[b].address, second));
        if (n > shown)
                fprintf(t.f, " and %zu more (--json has all)", n - shown);
        fputc('.', t.f);
        text_end(&t, "Given up: ");
}

void groups_print_wanted(const struct groups *g) {
        const char *separator = g->predicted ? " would share a group with" : " share a group with";
        char address[BDF_TEXT_MAX];
        bool alone = true;
        struct text t;

        if (g->n_wanted == 0)
                return;
        text_begin(&t);
        for (size_t i = 0; i < g->n_wanted; i++)
                fprintf(t.f, "%s%s", i > 0 ? " " : "", bdf_format(&g->wanted[i], address));
        for (size_t i = 0; i < g->devices.n; i++) {
                if (!groups_comes_along(g, i))
                        continue;
                fprintf(t.f, "%s %s", separator, bdf_format(&g->devices.list[i].address, address));
                separator = ",";
                alone = false;
        }
        if (alone)
                fprintf(t.f, " %s alone (bridges in their groups stay with the host)",
                        g->predicted ? "would be" : "are");
        fputc('.', t.f);
        text_end(&t, "Wanted: ");
}

void groups_print_prediction(const struct groups *g) {
        const char *note;

        putchar('\n');
        print_changes(g);
        print_given_up(g);
        for (size_t i = 0; (note = groups_note(g, i)); i++) {
                struct text t;

                text_begin(&t);
                fprintf(t.f, "%s.", note);
                text_end(&t, "Note: ");
        }
}
