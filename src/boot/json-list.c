/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/json-list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/json-text.h"
#include "model/cmdline.h"

#define ELEMENTS_MAX 256

struct elements {
        const char *at[ELEMENTS_MAX]; /* each element, from its first quote */
        size_t n;
};

static int list_elements(const struct json_list *list, struct elements *ret, struct err *e) {
        ret->n = json_text_elements(list->find(list->text), ret->at, ELEMENTS_MAX);
        if (ret->n > ELEMENTS_MAX)
                return err_set(e, -E2BIG, ERR_REFUSED, list->path, "%s has over %d options", list->path, ELEMENTS_MAX);
        for (size_t i = 0; i < ret->n; i++)
                if (*ret->at[i] != '"')
                        return err_set(e, -EBADMSG, ERR_REFUSED, list->path,
                                       "%s: option %zu is no string; put quotes around it", list->path, i + 1);
        return 0;
}

/* n elements from first on, joined by spaces. */
static int join(const struct elements *o, size_t first, size_t n, char **ret) {
        _cleanup_free_ char *line = strdup("");

        for (size_t i = first; line && i < first + n; i++) {
                _cleanup_free_ char *element = json_text_string(o->at[i]);
                char *longer;

                if (!element || asprintf(&longer, "%s%s%s", line, i > first ? " " : "", element) < 0)
                        return -ENOMEM;
                free(line);
                line = longer;
        }
        if (!line)
                return -ENOMEM;
        *ret = TAKE_PTR(line);
        return 0;
}

/* Replaces the bytes from a to b. */
static int splice(struct json_list *list, const char *a, const char *b, const char *with) {
        char *next;

        if (asprintf(&next, "%.*s%s%s", (int) (a - list->text), list->text, with, b) < 0)
                return -ENOMEM;
        free(list->text);
        list->text = next;
        return 0;
}

/* Takes the last elements that say exactly this out: one that we wrote, or several that a tool made of it. */
static int list_remove(struct json_list *list, const char *parameter, struct err *e) {
        struct elements o;
        int r = list_elements(list, &o, e);

        for (size_t first = o.n; r >= 0 && first-- > 0;)
                for (size_t n = 1; first + n <= o.n; n++) {
                        _cleanup_free_ char *line = NULL;
                        const char *end = json_text_end(o.at[first + n - 1]);

                        r = join(&o, first, n, &line);
                        if (r < 0)
                                return r;
                        if (strlen(line) > strlen(parameter))
                                break;
                        if (!str_eq(line, parameter))
                                continue;
                        if (first > 0)
                                return splice(list, json_text_end(o.at[first - 1]), end, "");
                        return splice(list, o.at[0], first + n < o.n ? o.at[first + n] : end, "");
                }
        return r;
}

/* Puts one element behind the last one, with the white space that stands between the others. */
static int list_add(struct json_list *list, const char *parameter, struct err *e) {
        _cleanup_free_ char *element = NULL;
        char quoted[PARAMETER_QUOTED_MAX];
        const char *space, *behind;
        struct elements o;
        int r = list_elements(list, &o, e);

        if (r >= 0)
                r = json_text_quote(parameter, quoted, sizeof(quoted));
        if (r < 0)
                return r;
        if (o.n == 0) {
                behind = list->find(list->text) + 1;
                space = behind;
        } else {
                behind = json_text_end(o.at[o.n - 1]);
                space = o.n > 1 ? json_text_end(o.at[o.n - 2]) : list->find(list->text) + 1;
        }
        if (asprintf(&element, "%s%.*s\"%s\"", o.n == 1 ? "," : "", o.n > 0 ? (int) (o.at[o.n - 1] - space) : 0, space,
                     quoted) < 0)
                return -ENOMEM;
        return splice(list, behind, behind, element);
}

static int list_has(const struct json_list *list, const char *parameter, bool *ret, struct err *e) {
        _cleanup_free_ char *line = NULL;
        struct elements o;
        int r = list_elements(list, &o, e);

        if (r >= 0)
                r = join(&o, 0, o.n, &line);
        if (r >= 0 && !cmdline_is_valid(line))
                r = -EINVAL;
        if (r >= 0)
                *ret = cmdline_has(line, parameter);
        return r;
}

int json_list_edit(struct json_list *list, struct boot_edit *edit, struct err *e) {
        const struct ledger_file *ours = ledger_find(edit->before, list->path);
        int r = 0;

        for (size_t i = 0; r >= 0 && ours && i < ours->n_parameters; i++)
                if (!boot_edit_wants(edit, ours->parameters[i]))
                        r = list_remove(list, ours->parameters[i], e);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++) {
                bool own = ledger_owns(edit->before, list->path, edit->want[i]), has = false;

                r = list_has(list, edit->want[i], &has, e);
                if (r >= 0 && !has && own)
                        r = list_remove(list, edit->want[i], e);
                if (r >= 0 && !has)
                        r = list_add(list, edit->want[i], e);
                if (r >= 0 && (own || !has))
                        r = ledger_own(&edit->after, list->path, edit->want[i]);
                if (r >= 0)
                        r = list_has(list, edit->want[i], &has, e);
                if (r >= 0 && !has)
                        return err_set(e, -EINVAL, ERR_REFUSED, list->path,
                                       "%s: the kernel would not see '%s' behind the \"--\"; take the \"--\" out",
                                       list->path, edit->want[i]);
        }
        return r;
}

int json_list_line(const struct json_list *list, char **ret, struct err *e) {
        struct elements o;
        int r = list_elements(list, &o, e);

        return r < 0 ? r : join(&o, 0, o.n, ret);
}
