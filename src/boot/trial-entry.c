/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/trial-entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls-entry.h"
#include "boot/bls.h"
#include "boot/trial.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define ONE_SHOT "LoaderEntryOneShot"
#define ENTRY_MAX (64U << 10)

static bool is_trial_entry(const struct ledger_file *f) {
        const char *name = strrchr(f->path, '/');

        return f->created && name && str_eq(name + 1, TRIAL_ENTRY);
}

static const char *find_path(const struct ledger *ledger) {
        for (size_t i = 0; i < ledger->n_files; i++)
                if (is_trial_entry(&ledger->files[i]))
                        return ledger->files[i].path;
        return NULL;
}

/* NULL: there is no such file. */
static int read_entry(const struct root *root, const char *path, char **ret, struct err *e) {
        int r = root_read(root, path, ENTRY_MAX, ret, NULL);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        return 0;
}

static int plan_one_shot(const struct root *root, const char *after, struct plan *plan) {
        char now[256];
        bool is_set = efi_loader_text(root, ONE_SHOT, now, sizeof(now)) >= 0;

        /* Another entry's is not ours to delete. */
        if (!after && !(is_set && str_eq(now, TRIAL_ENTRY)))
                return 0;
        return plan_add_variable(plan, ONE_SHOT, is_set ? now : NULL, after);
}

int trial_entry_check_loader(const struct root *root, struct err *e) {
        char info[64];

        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) < 0)
                return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                               "no EFI variable says that systemd-boot started this machine, so it cannot be told to boot an "
                               "entry once; --no-trial changes the line of all boots at once");
        if (!str_starts(info, "systemd-boot"))
                return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                               "%s started this machine, and not systemd-boot, which boots an entry once; --no-trial changes "
                               "the line of all boots at once", info);
        return 0;
}

static int trial_text(const struct boot_edit *edit, const char *text, char **ret) {
        _cleanup_free_ char *options = NULL, *line = NULL;
        struct bls_entry entry;
        int r;

        bls_entry_parse(text, &entry);
        options = strndup(entry.options ? entry.options : "", entry.length);
        r = options ? boot_edit_copy(edit, options, &line) : -ENOMEM;
        if (r >= 0)
                r = trial_mark(edit, &line);
        if (r < 0)
                return r;
        *ret = bls_entry_trial(text, line);
        return *ret ? 0 : -ENOMEM;
}

int trial_entry_plan(const struct root *root, const char *folder, const char *text, struct boot_edit *edit,
                     struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        char path[256];
        int r;

        r = str_format(path, sizeof(path), "%s/" TRIAL_ENTRY, folder);
        if (r < 0)
                return err_line(folder, r, e);
        r = trial_text(edit, text, &after);
        if (r < 0)
                return err_line(path, r, e);
        r = read_entry(root, path, &before, e);
        if (r < 0)
                return r;
        if (before && !ledger_find(edit->before, path))
                return err_set(e, -EEXIST, ERR_REFUSED, path,
                               "%s exists, and the ledger does not say that it is ours; remove it", path);
        r = ledger_own_file(&edit->after, path);
        if (r >= 0)
                r = plan_add_change(plan, path, before, after, 0644);
        if (r >= 0)
                r = plan_one_shot(root, TRIAL_ENTRY, plan);
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "%s: %s", path, strerror(-r)) : 0;
}

int trial_entry_clear(const struct root *root, const struct boot_edit *edit, struct plan *plan, struct err *e) {
        const char *path = find_path(edit->before);
        _cleanup_free_ char *now = NULL;
        int r;

        if (!path)
                return 0;
        r = read_entry(root, path, &now, e);
        if (r < 0)
                return r;
        r = plan_add_change(plan, path, now, NULL, 0644);
        if (r >= 0)
                r = plan_one_shot(root, NULL, plan);
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "%s: %s", path, strerror(-r)) : 0;
}

int trial_entry_verify(const struct root *root, const struct boot_edit *edit, struct err *e) {
        const char *path = find_path(&edit->after);
        _cleanup_free_ char *text = NULL, *line = NULL;
        struct bls_entry entry;
        char one_shot[256] = "";
        int r;

        if (!path)
                return err_set(e, -EIO, ERR_FAILED, TRIAL_ENTRY, "the entry for the trial was not made");
        r = read_entry(root, path, &text, e);
        if (r < 0)
                return r;
        bls_entry_parse(text ? text : "", &entry);
        line = strndup(entry.options ? entry.options : "", entry.length);
        if (!line)
                return err_line(path, -ENOMEM, e);
        for (size_t i = 0; i < edit->n_want; i++)
                if (!cmdline_has(line, edit->want[i]))
                        return err_set(e, -EIO, ERR_FAILED, path, "the line of %s should have %s and is '%s'", path,
                                       edit->want[i], line);
        (void) efi_loader_text(root, ONE_SHOT, one_shot, sizeof(one_shot));
        return str_eq(one_shot, TRIAL_ENTRY) ? 0 :
                                               err_set(e, -EIO, ERR_FAILED, ONE_SHOT,
                                                       "the EFI variable %s should be '%s' and is '%s'", ONE_SHOT,
                                                       TRIAL_ENTRY, one_shot);
}
