/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

bool boot_edit_is_trial(const struct boot_edit *edit) {
        return edit->after.trial && !*edit->after.trial->failed;
}

bool boot_edit_wants(const struct boot_edit *edit, const char *parameter) {
        for (size_t i = 0; i < edit->n_want; i++)
                if (str_eq(edit->want[i], parameter))
                        return true;
        return false;
}

static int plain(const char *parameter, char *buf, size_t size) {
        return str_copy(buf, size, parameter);
}

/* source: the file whose parameters are ours in this line too. */
static int put_in(struct boot_edit *edit, const char *path, const char *source, char **line, const char *parameter,
                  parameter_quote quote) {
        bool ours = ledger_owns(edit->before, source, parameter);
        char quoted[PARAMETER_QUOTED_MAX];
        int r;

        r = quote(parameter, quoted, sizeof(quoted));
        if (r < 0)
                return r;
        if (cmdline_has(*line, quoted))
                return ours ? ledger_own(&edit->after, path, parameter) : 0;
        /* Ours, but somebody put another value behind it: it moves to the end. */
        if (ours) {
                r = cmdline_edit(line, cmdline_remove, quoted);
                if (r < 0)
                        return r;
        }
        r = cmdline_edit(line, cmdline_add, quoted);
        return r < 0 ? r : ledger_own(&edit->after, path, parameter);
}

static int take_out(char **line, const char *parameter, parameter_quote quote) {
        char quoted[PARAMETER_QUOTED_MAX];
        int r = quote(parameter, quoted, sizeof(quoted));

        return r < 0 ? r : cmdline_edit(line, cmdline_remove, quoted);
}

static int edit_line(struct boot_edit *edit, const char *path, const char *source, const char *line,
                     parameter_quote quote, char **ret) {
        const struct ledger_file *ours = ledger_find(edit->before, source);
        _cleanup_free_ char *now = strdup(line);
        int r = now ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && ours && i < ours->n_parameters; i++)
                if (!boot_edit_wants(edit, ours->parameters[i]))
                        r = take_out(&now, ours->parameters[i], quote);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++)
                r = put_in(edit, path, source, &now, edit->want[i], quote);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(now);
        return 0;
}

int boot_edit_quoted_line(struct boot_edit *edit, const char *path, const char *line, parameter_quote quote,
                          char **ret) {
        return edit_line(edit, path, path, line, quote, ret);
}

int boot_edit_line(struct boot_edit *edit, const char *path, const char *line, char **ret) {
        return edit_line(edit, path, path, line, plain, ret);
}

int boot_edit_entry(struct boot_edit *edit, const char *path, const char *source, const char *line,
                    parameter_quote quote, char **ret) {
        int r = edit->n_want > 0 ? ledger_know(&edit->after, path) : 0;

        return r < 0 ? r :
                       edit_line(edit, path, ledger_find(edit->before, path) ? path : source, line,
                                 quote ? quote : plain, ret);
}

int boot_edit_copy(const struct boot_edit *edit, const char *line, char **ret) {
        _cleanup_free_ char *now = strdup(line);
        int r = now ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < edit->before->n_files; i++)
                for (size_t k = 0; r >= 0 && k < edit->before->files[i].n_parameters; k++)
                        if (!boot_edit_wants(edit, edit->before->files[i].parameters[k]))
                                r = take_out(&now, edit->before->files[i].parameters[k], plain);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++)
                r = cmdline_edit(&now, cmdline_add, edit->want[i]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(now);
        return 0;
}
