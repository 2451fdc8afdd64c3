/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/kernel-cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "model/cmdline.h"

static int read_file(const struct root *root, char **ret, struct err *e) {
        size_t size;
        int r = root_read(root, KERNEL_CMDLINE, CMDLINE_MAX * 2, ret, &size);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, KERNEL_CMDLINE, "%s cannot be read: %s", KERNEL_CMDLINE, strerror(-r));
        if (r >= 0 && strlen(*ret) != size)
                return err_set(e, -EBADMSG, ERR_FAILED, KERNEL_CMDLINE, "%s has a NUL byte in it", KERNEL_CMDLINE);
        return r;
}

int kernel_cmdline_read(const struct root *root, struct boot_entries *entries, struct err *e) {
        _cleanup_free_ char *line = NULL;
        int r = read_file(root, &line, e);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        line[strcspn(line, "\n")] = '\0';
        r = boot_entries_add(entries, "kernels to come", KERNEL_CMDLINE, line, false);
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}

static int plan_new(struct boot_edit *edit, const char *model, struct plan *plan) {
        _cleanup_free_ char *after = NULL;
        int r;

        if (edit->n_want == 0 || !model)
                return 0;
        r = asprintf(&after, "%s\n", model) < 0 ? -ENOMEM : 0;
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++)
                r = ledger_own(&edit->after, KERNEL_CMDLINE, edit->want[i]);
        if (r >= 0)
                r = ledger_own_file(&edit->after, KERNEL_CMDLINE);
        return r < 0 ? r : plan_add_change(plan, KERNEL_CMDLINE, NULL, after, 0644);
}

static int plan_existing(struct boot_edit *edit, const char *model, const char *before, struct plan *plan) {
        const struct ledger_file *ours = ledger_find(edit->before, KERNEL_CMDLINE);
        bool made_by_us = ours && ours->created;
        _cleanup_free_ char *line = NULL, *edited = NULL, *after = NULL;
        size_t length = strcspn(before, "\n");
        int r;

        line = strndup(before, length);
        r = line ? boot_edit_line(edit, KERNEL_CMDLINE, line, &edited) : -ENOMEM;
        if (r >= 0 && asprintf(&after, "%s%s", edited, before + length) < 0)
                r = -ENOMEM;
        if (r >= 0 && made_by_us && edit->n_want > 0)
                r = ledger_own_file(&edit->after, KERNEL_CMDLINE);
        if (r < 0)
                return r;
        /* A file that we made, and that still says nothing of its own, goes. */
        return plan_add_change(plan, KERNEL_CMDLINE, before,
                               made_by_us && edit->n_want == 0 && model && str_eq(edited, model) ? NULL : after, 0644);
}

int kernel_cmdline_plan(const struct root *root, struct boot_edit *edit, const char *model, bool first_line_only,
                        struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL;
        const char *rest;
        int r;

        r = read_file(root, &before, e);
        if (r < 0 && r != -ENOENT)
                return r;
        rest = before ? before + strcspn(before, "\n") : "";
        if (!first_line_only && strspn(rest, "\n") != strlen(rest))
                return err_set(e, -EINVAL, ERR_REFUSED, KERNEL_CMDLINE, "%s has several lines; join them into one",
                               KERNEL_CMDLINE);
        r = before ? plan_existing(edit, model, before, plan) : plan_new(edit, model, plan);
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}
