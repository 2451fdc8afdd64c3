/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

extern const struct loader loader_ostree, loader_proxmox, loader_uki, loader_kernelstub, loader_sdbootutil,
                           loader_grub_bls, loader_grub, loader_grub_file, loader_systemd_boot, loader_refind;

const struct loader *const loaders[] = {
        &loader_ostree,
        &loader_proxmox,
        &loader_uki,
        &loader_kernelstub,
        &loader_sdbootutil,
        &loader_grub_bls,
        &loader_grub,
        &loader_grub_file,
        &loader_systemd_boot,
        &loader_refind,
        NULL,
};

void boot_entries_done(struct boot_entries *entries) {
        for (size_t i = 0; i < entries->n; i++)
                free(entries->list[i].line);
        free(entries->list);
        *entries = (struct boot_entries) {};
}

int boot_entries_add(struct boot_entries *entries, const char *name, const char *file, const char *line,
                     bool untouched) {
        struct boot_entry *bigger, entry = { .untouched = untouched };

        bigger = reallocarray(entries->list, entries->n + 1, sizeof(*bigger));
        if (!bigger)
                return -ENOMEM;
        entries->list = bigger;
        (void) str_copy(entry.name, sizeof(entry.name), name);
        (void) str_copy(entry.file, sizeof(entry.file), file);
        entry.line = strdup(line);
        if (!entry.line)
                return -ENOMEM;
        bigger[entries->n++] = entry;
        return 0;
}

static int find_by_name(const char *name, const struct loader **ret, struct err *e) {
        char known[256] = "";

        for (size_t i = 0; loaders[i]; i++) {
                if (str_eq(loaders[i]->name, name)) {
                        *ret = loaders[i];
                        return 0;
                }
                (void) str_format(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i > 0 ? ", " : "",
                                  loaders[i]->name);
        }
        return err_set(e, -EINVAL, ERR_INVALID, "loader", "there is no loader '%s'; known are %s", name, known);
}

int loader_find(const struct root *root, const char *name, const struct loader **ret, struct err *e) {
        const struct loader *best = NULL, *second = NULL;
        enum evidence found = EVIDENCE_NONE;
        char why[128] = "", why_best[128] = "", why_second[128] = "";

        if (name)
                return find_by_name(name, ret, e);
        for (size_t i = 0; loaders[i]; i++) {
                enum evidence ev = loaders[i]->detect(root, why, sizeof(why));

                if (ev == EVIDENCE_NONE || ev < found)
                        continue;
                second = ev == found ? best : NULL;
                strcpy(why_second, why_best);
                best = loaders[i];
                found = ev;
                strcpy(why_best, why);
        }
        if (!best)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, NULL,
                               "no boot loader was found that passthru can edit; add the parameters to the kernel "
                               "command line by hand");
        if (second)
                return err_set(e, -ENOTUNIQ, ERR_REFUSED, NULL,
                               "two boot loaders may be in charge: %s (%s) and %s (%s); say which with --loader %s or "
                               "--loader %s", second->name, why_second, best->name, why_best, second->name, best->name);
        *ret = best;
        return 0;
}

static int check_lengths(const struct loader *loader, const struct root *root, const struct boot_edit *edit,
                         struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r;

        r = loader->read(root, &entries, e);
        for (size_t i = 0; r >= 0 && i < entries.n; i++) {
                const struct boot_entry *entry = &entries.list[i];
                _cleanup_free_ char *line = NULL;

                if (entry->untouched || boot_edit_copy(edit, entry->line, &line) < 0)
                        continue;
                if (strlen(line) >= CMDLINE_MAX && strlen(line) > strlen(entry->line))
                        return err_set(e, -E2BIG, ERR_REFUSED, entry->name,
                                       "the kernel line of '%s' would have %zu bytes; the kernel takes %d", entry->name,
                                       strlen(line), CMDLINE_MAX - 1);
        }
        return r;
}

/* A folder that is made for a file of ours goes with it. */
static int own_folders(const struct root *root, const struct plan *plan, struct boot_edit *edit) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->n_changes; i++) {
                const struct plan_change *c = &plan->changes[i];
                char folder[sizeof(((struct ledger_file *) NULL)->path)];

                if (c->before || str_copy(folder, sizeof(folder), c->path) < 0)
                        continue;
                *strrchr(folder, '/') = '\0';
                if (root_exists(root, "%s", folder) == 0)
                        r = ledger_own_file(&edit->after, folder);
        }
        for (size_t i = 0; r >= 0 && i < edit->before->n_files; i++) {
                const struct ledger_file *f = &edit->before->files[i];
                _cleanup_close_ int fd = f->created ? root_open(root, f->path, O_PATH | O_DIRECTORY, 0) : -1;

                if (fd >= 0 && edit->after.n_files > 0)
                        r = ledger_own_file(&edit->after, f->path);
        }
        return r;
}

/* What is ours on other lines stays ours. */
static int plan_trial(const struct loader *loader, const struct root *root, struct boot_edit *edit, struct plan *plan,
                      struct err *e) {
        if (!loader->trial)
                return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                               "%s: no way is known to boot a line once with it; 'passthru boot apply --no-trial' "
                               "changes the line of all boots at once", loader->title);
        if (ledger_merge(&edit->after, edit->before) < 0)
                return err_set(e, -ENOSPC, ERR_FAILED, LEDGER_NAME, "too many files for the ledger");
        ledger_copy_kernel(&edit->after, edit->before);
        return loader->trial->plan(root, edit, plan, e);
}

static int plan_all_boots(const struct loader *loader, const struct root *root, struct boot_edit *edit, struct plan *plan,
                          struct err *e) {
        int r = loader->plan(root, edit, plan, e);

        if (r < 0 || !loader->kernel || (!*edit->kernel && !*edit->before->kernel))
                return r;
        (void) str_copy(edit->after.kernel, sizeof(edit->after.kernel), edit->kernel);
        return loader->kernel->plan(root, edit, plan, e);
}

int loader_plan(const struct loader *loader, const struct root *root, struct boot_edit *edit, struct plan *plan,
                struct err *e) {
        int r;

        if (!edit->kernel)
                edit->kernel = "";
        if ((edit->before->n_files > 0 || *edit->before->kernel) && !str_eq(edit->before->loader, loader->name))
                return err_set(e, -EEXIST, ERR_REFUSED, "loader",
                               "parameters of ours are in the files of %s: take them out first, with 'passthru "
                               "boot revert --loader %s'", edit->before->loader, edit->before->loader);
        if (*edit->kernel && !loader->kernel)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "kernel",
                               "[boot] kernel=%s: no way is known to choose a kernel with %s; choose it there, and leave this "
                               "setting out", edit->kernel, loader->title);
        (void) str_copy(edit->after.loader, sizeof(edit->after.loader), loader->name);
        plan->unfinished = edit->before->unfinished;
        r = boot_edit_is_trial(edit) ? plan_trial(loader, root, edit, plan, e) :
                                        plan_all_boots(loader, root, edit, plan, e);
        if (r < 0)
                return r;
        r = own_folders(root, plan, edit);
        return r < 0 ? err_set(e, r, ERR_FAILED, LEDGER_NAME, "too many files for the ledger") :
                       check_lengths(loader, root, edit, e);
}
