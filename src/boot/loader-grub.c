/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRUB where grub-mkconfig reads drop-ins (Debian, Ubuntu): one file of ours in /etc/default/grub.d appends to
 * GRUB_CMDLINE_LINUX_DEFAULT, which recovery entries do not get. The user's own file is never written. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/grub-drop-in.h"
#include "boot/grub-kernel.h"
#include "boot/grub-shell.h"
#include "boot/trial-grub.h"
#include "boot/trial.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define DROP_IN_FOLDER "/etc/default/grub.d"
#define DROP_IN GRUB_DROP_IN
#define CONFIG "/boot/grub/grub.cfg"
#define VARIABLE "GRUB_CMDLINE_LINUX_DEFAULT"
#define FILE_MAX (256U << 10)

static enum evidence detect(const struct root *root, char *text, size_t size) {
        _cleanup_free_ char *mkconfig = NULL;
        char info[64];

        if (root_exists(root, CONFIG) <= 0 || root_exists(root, "/etc/default/grub") <= 0 ||
            root_read(root, "/usr/sbin/grub-mkconfig", 1U << 20, &mkconfig, NULL) < 0 ||
            !strstr(mkconfig, "/default/grub.d"))
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "GRUB") ? EVIDENCE_BOOTED : EVIDENCE_FILES;
        }
        (void) str_copy(text, size, CONFIG);
        return EVIDENCE_FILES;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r = grub_cfg_read(root, CONFIG, &entries, e);

        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

/* The drop-in */

#define HEADER "# Written by 'passthru boot apply' from /etc/passthru/passthru.conf: change it there.\n"
#define ASSIGNMENT VARIABLE "=\"$" VARIABLE
#define TRIAL_ARGS " \\" TRIAL_GRUB_ARGS

/* A parameter that each entry already had without us stays the user's. */
static bool is_foreign(const struct boot_edit *edit, const struct boot_entries *entries, const char *parameter) {
        size_t n = 0;

        if (ledger_owns(edit->before, DROP_IN, parameter))
                return false;
        for (size_t i = 0; i < entries->n; i++) {
                if (entries->list[i].untouched)
                        continue;
                if (!cmdline_has(entries->list[i].line, parameter))
                        return false;
                n++;
        }
        return n > 0;
}

/* On all boots: not foreign, and for a trial only what was there before. */
static bool is_in_drop_in(const struct boot_edit *edit, const struct boot_entries *entries, const char *parameter) {
        return boot_edit_is_trial(edit) ? ledger_owns(edit->before, DROP_IN, parameter) :
                                          !is_foreign(edit, entries, parameter);
}

/* What we write; "" when there is nothing to add. */
static int our_text(struct boot_edit *edit, const struct boot_entries *entries, char **ret) {
        char *text = NULL;
        size_t size, n = 0;
        FILE *f = open_memstream(&text, &size);
        int r = f ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < edit->n_want; i++) {
                char quoted[PARAMETER_QUOTED_MAX];

                if (!is_in_drop_in(edit, entries, edit->want[i]))
                        continue;
                r = grub_quote_for_sh(edit->want[i], quoted, sizeof(quoted));
                if (r >= 0)
                        r = ledger_own(&edit->after, DROP_IN, edit->want[i]);
                if (r >= 0)
                        fprintf(f, "%s %s", n++ == 0 ? HEADER ASSIGNMENT : "", quoted);
        }
        if (f && boot_edit_is_trial(edit))
                fprintf(f, "%s%s", n++ == 0 ? HEADER ASSIGNMENT : "", TRIAL_ARGS);
        if (n > 0)
                fputs("\"\n", f);
        if (f && fclose(f) != 0)
                r = -ENOMEM;
        if (r < 0) {
                free(text);
                return r;
        }
        *ret = text;
        return 0;
}

/* Where our text is in the file, if all of its parameters are ours. */
static bool find_ours(const struct ledger_file *ours, const char *text, const char **ret_start, const char **ret_end) {
        const char *start = strstr(text, HEADER ASSIGNMENT), *s = start ? start + strlen(HEADER ASSIGNMENT) : NULL;
        size_t i = 0;

        while (s && i < ours->n_parameters) {
                char quoted[PARAMETER_QUOTED_MAX];
                size_t n;

                if (grub_quote_for_sh(ours->parameters[i], quoted, sizeof(quoted)) < 0)
                        return false;
                n = strlen(quoted);
                if (*s == ' ' && strncmp(s + 1, quoted, n) == 0 && (s[n + 1] == ' ' || s[n + 1] == '"')) {
                        s += n + 1;
                        i = 0;
                } else
                        i++;
        }
        if (s && str_starts(s, TRIAL_ARGS))
                s += strlen(TRIAL_ARGS);
        if (!s || strncmp(s, "\"\n", 2) != 0)
                return false;
        *ret_start = start;
        *ret_end = s + 2;
        return true;
}

static int err_edited(struct err *e) {
        return err_set(e, -EEXIST, ERR_REFUSED, DROP_IN,
                       "%s is not as passthru wrote it; move what is yours to another file of that folder, and "
                       "remove it",
                       DROP_IN);
}

static char *concat(const char *a, const char *b) {
        char *both;

        return asprintf(&both, "%s%s", a, b) < 0 ? NULL : both;
}

/* The file with our text replaced; what somebody else put before or behind it stays. */
static int new_text(const struct boot_edit *edit, const char *before, const char *text, char **ret, struct err *e) {
        const struct ledger_file *ours = ledger_find(edit->before, DROP_IN);
        const char *start, *end;
        char *after = NULL;

        if (!before)
                after = strdup(text);
        else if (!ours && *text)
                return err_set(e, -EEXIST, ERR_REFUSED, DROP_IN,
                               "%s exists, and the ledger does not say that it is ours; move it away", DROP_IN);
        else if (!ours)
                after = strdup(before);
        else if (ours->n_parameters == 0 && !strstr(before, HEADER))
                after = concat(text, before); /* only GRUB_DEFAULT is ours in it */
        else if (!find_ours(ours, before, &start, &end))
                return err_edited(e);
        else if (asprintf(&after, "%.*s%s%s", (int) (start - before), before, text, end) < 0)
                after = NULL;
        if (!after)
                return err_set(e, -ENOMEM, ERR_FAILED, DROP_IN, "out of memory");
        if (*after)
                *ret = after;
        else
                free(after);
        return 0;
}

/* Files that are read after ours and set the variable anew: ours would be lost. */
static int check_later_files(const struct root *root, struct err *e) {
        _cleanup_strv_ char **names = NULL;

        if (root_list(root, &names, DROP_IN_FOLDER) < 0)
                return 0;
        for (char **n = names; *n; n++) {
                size_t length = strlen(*n);
                _cleanup_free_ char *text = NULL;
                char path[300];

                if (strcmp(*n, "passthru.cfg") <= 0 || length < 4 || !str_eq(*n + length - 4, ".cfg") ||
                    str_format(path, sizeof(path), DROP_IN_FOLDER "/%s", *n) < 0 ||
                    root_read(root, path, FILE_MAX, &text, NULL) < 0)
                        continue;
                for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                        size_t here;

                        line += strspn(line, " \t");
                        if (str_starts(line, "export "))
                                line += strspn(line + strlen("export"), " \t") + strlen("export");
                        here = strcspn(line, "\n");
                        if (str_starts(line, VARIABLE "=") &&
                            !memmem(line + strlen(VARIABLE "="), here - strlen(VARIABLE "="), VARIABLE,
                                    strlen(VARIABLE)))
                                return err_set(e, -EEXIST, ERR_REFUSED, path,
                                               "%s sets " VARIABLE " anew after %s; let it say "
                                               VARIABLE "=\"$" VARIABLE
                                               " …\", or rename it so that it sorts before", path, DROP_IN);
                }
        }
        return 0;
}

static int read_drop_in(const struct root *root, char **ret, struct err *e) {
        size_t size;
        int r = root_read(root, DROP_IN, FILE_MAX, ret, &size);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, DROP_IN, "%s cannot be read: %s", DROP_IN, strerror(-r));
        return r >= 0 && strlen(*ret) != size ? err_edited(e) : 0;
}

int grub_drop_in_plan(const struct root *root, const struct boot_entries *entries, struct boot_edit *edit,
                      struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL, *text = NULL, *after = NULL;
        int r;

        if ((r = read_drop_in(root, &before, e)) < 0 || (r = grub_check_wanted(edit, e)) < 0)
                return r;
        r = our_text(edit, entries, &text);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, DROP_IN, "%s: %s", DROP_IN, strerror(-r));
        if (*text && (r = check_later_files(root, e)) < 0)
                return r;
        r = new_text(edit, before, text, &after, e);
        if (r < 0)
                return r;
        r = *text ? ledger_own_file(&edit->after, DROP_IN) : 0;
        if (r >= 0)
                r = plan_add_change(plan, DROP_IN, before, after, 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, DROP_IN, "%s: %s", DROP_IN, strerror(-r)) : 0;
}

static int plan_update(struct plan *plan, struct err *e) {
        int r = plan_add_command(plan, "writes " CONFIG, "update-grub", NULL);

        return r < 0 ? err_set(e, r, ERR_FAILED, CONFIG, "update-grub: %s", strerror(-r)) : 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r = read_entries(root, &entries, e);

        if (r >= 0)
                r = grub_drop_in_plan(root, &entries, edit, plan, e);
        if (r >= 0)
                r = trial_grub_clear(root, edit, plan, e);
        return r < 0 || plan_is_empty(plan) ? r : plan_update(plan, e);
}

/* The words that a trial adds, and those that it leaves out. */
static int trial_words(const struct boot_edit *edit, const struct boot_entries *entries, char **ret_added,
                       char **ret_left_out) {
        const struct ledger_file *ours = ledger_find(edit->before, DROP_IN);
        _cleanup_free_ char *added = strdup(""), *left_out = strdup("");
        int r = added && left_out ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < edit->n_want; i++)
                if (!is_in_drop_in(edit, entries, edit->want[i]) && !is_foreign(edit, entries, edit->want[i]))
                        r = cmdline_edit(&added, cmdline_add, edit->want[i]);
        for (size_t i = 0; r >= 0 && ours && i < ours->n_parameters; i++)
                if (!boot_edit_wants(edit, ours->parameters[i]))
                        r = cmdline_edit(&left_out, cmdline_add, ours->parameters[i]);
        if (r >= 0)
                r = trial_mark(edit, &added);
        if (r < 0)
                return r;
        *ret_added = TAKE_PTR(added);
        *ret_left_out = TAKE_PTR(left_out);
        return 0;
}

static int plan_trial(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *added = NULL, *left_out = NULL;
        char entry[256] = "";
        int r = read_entries(root, &entries, e);

        if (r >= 0 && *edit->kernel)
                r = grub_kernel_find(root, edit->kernel, entry, sizeof(entry), e);
        if (r >= 0)
                r = grub_drop_in_plan(root, &entries, edit, plan, e);
        if (r < 0)
                return r;
        r = trial_words(edit, &entries, &added, &left_out);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, DROP_IN, "%s: %s", DROP_IN, strerror(-r));
        r = trial_grub_plan(root, left_out, added, entry, edit, plan, e);
        return r < 0 || plan_is_empty(plan) ? r : plan_update(plan, e);
}

static int plan_kernel(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        int r = grub_kernel_plan(root, edit, plan, e);

        return r < 0 || plan_is_empty(plan) ? r : plan_update(plan, e);
}

static const struct loader_kernel kernel = { .plan = plan_kernel, .verify = grub_kernel_verify };
static const struct loader_trial trial = { .plan = plan_trial, .verify = trial_grub_verify };

const struct loader loader_grub = {
        .name = "grub",
        .title = "GRUB with " DROP_IN_FOLDER,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
        .trial = &trial,
        .kernel = &kernel,
};
