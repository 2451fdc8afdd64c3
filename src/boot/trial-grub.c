/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/trial-grub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/grub-shell.h"
#include "boot/grubenv.h"
#include "boot/trial.h"
#include "model/cmdline.h"

/* Behind 00_header, which loads grubenv, and before 10_linux. */
#define SCRIPT "/etc/grub.d/06_passthru"
#define CONFIG "/boot/grub/grub.cfg"
#define GRUBENV "/boot/grub/grubenv"
#define VARIABLE "passthru_trial"
#define SCRIPT_MAX (64U << 10)

/* export: a submenu's entries see nothing else. Values are expanded only after GRUB has split the line: nothing in them
 * is a command. */
static char *script(const char *before, const char *entry) {
        char *text;

        return asprintf(&text,
                        "#!/bin/sh\n"
                        "# Written by 'passthru boot apply', and removed when the trial boot is over.\n"
                        "cat <<'EOF'\n"
                        "set passthru_args='%s'\n"
                        "if [ -n \"${" VARIABLE "}\" ]; then\n"
                        "  set passthru_next=\"${" VARIABLE "}\"\n"
                        "  set " VARIABLE "=\n"
                        "  if save_env " VARIABLE "; then\n"
                        "    set passthru_args=\"${passthru_next}\"\n"
                        "%s%s%s"
                        "  fi\n"
                        "fi\n"
                        "export passthru_args\n"
                        "EOF\n", before, *entry ? "    set default='" : "", entry, *entry ? "'\n" : "") < 0 ? NULL : text;
}

static int read_script(const struct root *root, char **ret, struct err *e) {
        int r = root_read(root, SCRIPT, SCRIPT_MAX, ret, NULL);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, SCRIPT, "%s cannot be read: %s", SCRIPT, strerror(-r));
        return 0;
}

static int plan_script(const struct root *root, const char *before, const char *entry, struct boot_edit *edit,
                       struct plan *plan, struct err *e) {
        _cleanup_free_ char *now = NULL, *after = NULL;
        int r = read_script(root, &now, e);

        if (r < 0)
                return r;
        if (now && !ledger_find(edit->before, SCRIPT))
                return err_set(e, -EEXIST, ERR_REFUSED, SCRIPT,
                               "%s exists, and the ledger does not say that it is ours; move it away", SCRIPT);
        after = script(before, entry);
        r = after ? ledger_own_file(&edit->after, SCRIPT) : -ENOMEM;
        if (r >= 0)
                r = plan_add_change(plan, SCRIPT, now, after, 0755);
        return r < 0 ? err_set(e, r, ERR_FAILED, SCRIPT, "%s: %s", SCRIPT, strerror(-r)) : 0;
}

static int plan_grubenv(const struct root *root, const char *tried, struct boot_edit *edit, struct plan *plan,
                        struct err *e) {
        _cleanup_free_ char *now = NULL, *after = NULL;
        int r = grubenv_load(root, GRUBENV, &now, e);

        if (r < 0)
                return r;
        r = grubenv_set(now, VARIABLE, tried, &after);
        if (r == -ENOSPC)
                return err_set(e, r, ERR_REFUSED, GRUBENV,
                               "%s takes 1024 bytes, too few for what is to be tried; --no-trial changes the line of all "
                               "boots at once", GRUBENV);
        if (r >= 0 && !now)
                r = ledger_own_file(&edit->after, GRUBENV);
        if (r >= 0)
                r = plan_add_change(plan, GRUBENV, now, after, 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, GRUBENV, "%s: %s", GRUBENV, strerror(-r)) : 0;
}

int trial_grub_plan(const struct root *root, const char *before, const char *tried, const char *entry,
                    struct boot_edit *edit, struct plan *plan, struct err *e) {
        int r = grubenv_check_writable(root, GRUBENV, e);

        if (r >= 0)
                r = plan_script(root, before, entry, edit, plan, e);
        return r < 0 ? r : plan_grubenv(root, tried, edit, plan, e);
}

/* One that we made and nobody else uses goes. */
static int clear_grubenv(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        const struct ledger_file *ours = ledger_find(edit->before, GRUBENV);
        _cleanup_free_ char *now = NULL, *after = NULL;
        size_t length;
        int r = grubenv_load(root, GRUBENV, &now, e);

        if (r < 0 || !now)
                return r;
        r = grubenv_get(now, VARIABLE, &length) ? grubenv_set(now, VARIABLE, NULL, &after) :
                                                  ((after = strdup(now)) ? 0 : -ENOMEM);
        if (r >= 0 && ours && ours->created && grubenv_is_empty(after))
                free(TAKE_PTR(after));
        if (r >= 0)
                r = plan_add_change(plan, GRUBENV, now, after, 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, GRUBENV, "%s: %s", GRUBENV, strerror(-r)) : 0;
}

int trial_grub_clear(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *now = NULL;
        int r;

        if (!ledger_find(edit->before, SCRIPT))
                return 0;
        r = read_script(root, &now, e);
        if (r < 0)
                return r;
        r = plan_add_change(plan, SCRIPT, now, NULL, 0755);
        return r < 0 ? err_set(e, r, ERR_FAILED, SCRIPT, "%s: %s", SCRIPT, strerror(-r)) :
                       clear_grubenv(root, edit, plan, e);
}

/* GRUB loads grubenv first, then runs what we wrote. */
static bool has_script(const char *config) {
        const char *load = strstr(config, "load_env"), *ours = strstr(config, "save_env " VARIABLE);

        return load && ours && load < ours;
}

int trial_grub_verify(const struct root *root, const struct boot_edit *edit, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *config = NULL, *env = NULL;
        const char *value;
        size_t length;
        int r = root_read(root, CONFIG, 4U << 20, &config, NULL);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIG, "%s cannot be read: %s", CONFIG, strerror(-r));
        if (!has_script(config))
                return err_set(e, -EIO, ERR_FAILED, CONFIG,
                               "%s should load grubenv and run the part of %s, and does not", CONFIG, SCRIPT);
        r = grub_cfg_parse(config, CONFIG, &entries);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIG, "out of memory");
        for (size_t i = 0; i < entries.n; i++)
                if (!entries.list[i].untouched && !cmdline_has(entries.list[i].line, TRIAL_GRUB_ARGS))
                        return err_set(e, -EIO, ERR_FAILED, CONFIG, "the line of '%s' should have %s and is '%s'",
                                       entries.list[i].name, TRIAL_GRUB_ARGS, entries.list[i].line);
        r = grubenv_load(root, GRUBENV, &env, e);
        if (r < 0)
                return r;
        value = grubenv_get(env, VARIABLE, &length);
        return value && memmem(value, length, edit->after.trial->id, strlen(edit->after.trial->id)) ?
                       0 :
                       err_set(e, -EIO, ERR_FAILED, GRUBENV, "%s should set %s and does not", GRUBENV, VARIABLE);
}
