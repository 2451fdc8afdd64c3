/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/kernel-cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/grub-shell.h"
#include "model/cmdline.h"

#define VENDOR_CMDLINE "/usr/lib/kernel/cmdline"
#define FILE_MAX (64U << 10)

/* The one line that counts. */
struct place {
        size_t start, length;
};

static int read_file(const struct root *root, const char *path, char **ret, struct err *e) {
        size_t size;
        int r = root_read(root, path, FILE_MAX, ret, &size);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        if (r >= 0 && strlen(*ret) != size)
                return err_set(e, -EBADMSG, ERR_FAILED, path, "%s has a NUL byte in it", path);
        return r;
}

/* kernel-install joins all lines that are no comments (and in old versions those too). */
static int find_line(const char *path, const char *text, bool first_line_only, struct place *ret, struct err *e) {
        size_t n = 0;
        bool blank = false;

        *ret = (struct place) { 0, strcspn(text, "\n") };
        for (const char *line = text; *line && !first_line_only; line += strcspn(line, "\n"), line += *line == '\n') {
                struct place here = { (size_t) (line - text), strcspn(line, "\n") };
                size_t skip = strspn(line, " \t");

                if (line[skip] == '#')
                        continue;
                if (skip < here.length) {
                        *ret = here;
                        n++;
                } else if (n == 0 && !blank) {
                        *ret = here;
                        blank = true;
                }
        }
        if (n > 1)
                return err_set(e, -EINVAL, ERR_REFUSED, path, "%s has several lines; join them into one", path);
        if (n == 0 && !blank && *text && !first_line_only)
                return err_set(e, -EINVAL, ERR_REFUSED, path, "%s has comments and no kernel line; add one", path);
        return 0;
}

int kernel_cmdline_read(const struct root *root, enum kernel_cmdline_kind kind, struct boot_entries *entries,
                        struct err *e) {
        _cleanup_free_ char *text = NULL, *line = NULL;
        struct place p;
        int r = read_file(root, KERNEL_CMDLINE, &text, e);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = find_line(KERNEL_CMDLINE, text, kind == KERNEL_CMDLINE_FIRST_LINE, &p, e);
        if (r < 0)
                return r;
        line = kind == KERNEL_CMDLINE_GRUB ? grub_unquote(text + p.start, p.length) : strndup(text + p.start, p.length);
        r = line ? boot_entries_add(entries, "kernels to come", KERNEL_CMDLINE, line, false) : -ENOMEM;
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}

static bool owned_anywhere(const struct ledger *ledger, const char *parameter) {
        for (size_t i = 0; i < ledger->n_files; i++)
                if (ledger_owns(ledger, ledger->files[i].path, parameter))
                        return true;
        return false;
}

/* model has what is wanted; what nobody but the user put into it is not ours in the copy either. */
static int plan_new(struct boot_edit *edit, const char *model, struct plan *plan) {
        _cleanup_free_ char *after = NULL;
        int r;

        if (edit->n_want == 0 || !model)
                return 0;
        r = asprintf(&after, "%s\n", model) < 0 ? -ENOMEM : ledger_own_file(&edit->after, KERNEL_CMDLINE);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++)
                if (owned_anywhere(&edit->after, edit->want[i]))
                        r = ledger_own(&edit->after, KERNEL_CMDLINE, edit->want[i]);
        return r < 0 ? r : plan_add_change(plan, KERNEL_CMDLINE, NULL, after, 0644);
}

/* A file that we made, and that still says nothing of its own, goes. The entry that it was copied from may have kept,
 * as the user's, what is ours in the copy. */
static int says_the_same(const struct boot_edit *edit, const char *line, const char *model) {
        _cleanup_free_ char *a = NULL, *b = NULL;
        int r = boot_edit_copy(edit, line, &a);

        if (r >= 0)
                r = boot_edit_copy(edit, model, &b);
        return r < 0 ? r : str_eq(a, b);
}

static int plan_existing(struct boot_edit *edit, const char *model, const char *before, const struct place *p,
                         enum kernel_cmdline_kind kind, struct plan *plan) {
        const struct ledger_file *ours = ledger_find(edit->before, KERNEL_CMDLINE);
        bool made_by_us = ours && ours->created;
        _cleanup_free_ char *line = strndup(before + p->start, p->length), *edited = NULL, *after = NULL;
        int r;

        r = !line                         ? -ENOMEM :
            kind == KERNEL_CMDLINE_GRUB ? boot_edit_quoted_line(edit, KERNEL_CMDLINE, line, grub_quote, &edited) :
                                          boot_edit_line(edit, KERNEL_CMDLINE, line, &edited);
        if (r >= 0 && asprintf(&after, "%.*s%s%s", (int) p->start, before, edited, before + p->start + p->length) < 0)
                r = -ENOMEM;
        if (r >= 0 && made_by_us && edit->n_want > 0)
                r = ledger_own_file(&edit->after, KERNEL_CMDLINE);
        if (r < 0)
                return r;
        r = made_by_us && edit->n_want == 0 && model ? says_the_same(edit, edited, model) : false;
        return r < 0 ? r : plan_add_change(plan, KERNEL_CMDLINE, before, r ? NULL : after, 0644);
}

/* Where the distribution says what kernels to come get, the file in /etc is a copy of that. */
static int vendor_model(const struct root *root, const struct boot_edit *edit, char **ret, struct err *e) {
        _cleanup_free_ char *text = NULL, *line = NULL;
        struct place p;
        int r = read_file(root, VENDOR_CMDLINE, &text, e);

        if (r < 0)
                return r;
        r = find_line(VENDOR_CMDLINE, text, false, &p, e);
        if (r < 0)
                return r;
        line = strndup(text + p.start, p.length);
        r = line ? boot_edit_copy(edit, line, ret) : -ENOMEM;
        return r < 0 ? err_line(VENDOR_CMDLINE, r, e) : 0;
}

int kernel_cmdline_plan(const struct root *root, struct boot_edit *edit, const char *model,
                        enum kernel_cmdline_kind kind, struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL, *vendor = NULL;
        struct place p = {};
        int r;

        r = read_file(root, KERNEL_CMDLINE, &before, e);
        if (r < 0 && r != -ENOENT)
                return r;
        r = before ? find_line(KERNEL_CMDLINE, before, kind == KERNEL_CMDLINE_FIRST_LINE, &p, e) : 0;
        if (r < 0)
                return r;
        r = model ? vendor_model(root, edit, &vendor, e) : -ENOENT;
        if (r < 0 && r != -ENOENT)
                return r;
        if (vendor)
                model = vendor;
        r = before ? plan_existing(edit, model, before, &p, kind, plan) : plan_new(edit, model, plan);
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}
