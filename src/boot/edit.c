/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

static bool is_wanted(const struct boot_edit *edit, const char *parameter) {
        for (size_t i = 0; i < edit->n_want; i++)
                if (str_eq(edit->want[i], parameter))
                        return true;
        return false;
}

/* Puts the text that fn makes of *line in its place. */
static int replace(char **line, int (*fn)(const char *, const char *, char **), const char *parameter) {
        char *next;
        int r = fn(*line, parameter, &next);

        if (r < 0)
                return r;
        free(*line);
        *line = next;
        return 0;
}

static int plain(const char *parameter, char *buf, size_t size) {
        return str_copy(buf, size, parameter);
}

static int put_in(struct boot_edit *edit, const char *path, char **line, const char *parameter, parameter_quote quote) {
        bool ours = ledger_owns(edit->before, path, parameter);
        char quoted[PARAMETER_QUOTED_MAX];
        int r;

        r = quote(parameter, quoted, sizeof(quoted));
        if (r < 0)
                return r;
        if (cmdline_has(*line, quoted))
                return ours ? ledger_own(&edit->after, path, parameter) : 0;
        /* Ours, but somebody put another value behind it: it moves to the end. */
        if (ours) {
                r = replace(line, cmdline_remove, quoted);
                if (r < 0)
                        return r;
        }
        r = replace(line, cmdline_add, quoted);
        return r < 0 ? r : ledger_own(&edit->after, path, parameter);
}

static int take_out(char **line, const char *parameter, parameter_quote quote) {
        char quoted[PARAMETER_QUOTED_MAX];
        int r = quote(parameter, quoted, sizeof(quoted));

        return r < 0 ? r : replace(line, cmdline_remove, quoted);
}

int boot_edit_quoted_line(struct boot_edit *edit, const char *path, const char *line, parameter_quote quote, char **ret) {
        const struct ledger_file *ours = ledger_find(edit->before, path);
        _cleanup_free_ char *now = strdup(line);
        int r = now ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && ours && i < ours->n_parameters; i++)
                if (!is_wanted(edit, ours->parameters[i]))
                        r = take_out(&now, ours->parameters[i], quote);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++)
                r = put_in(edit, path, &now, edit->want[i], quote);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(now);
        return 0;
}

int boot_edit_line(struct boot_edit *edit, const char *path, const char *line, char **ret) {
        return boot_edit_quoted_line(edit, path, line, plain, ret);
}
