/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/file.h"
#include "base/str.h"
#include "boot/apply-check.h"
#include "boot/replace.h"
#include "sys/efivar.h"

#define BACKUP_DIRECTORY LEDGER_DIRECTORY "/backup"

static void report(const struct apply *a, enum apply_event event, const char *what) {
        if (a->report)
                a->report(event, what, a->userdata);
}

/* Work */

/* "/etc/default/grub" is kept as "etc-default-grub.bak". known: something in the file is ours already, so that the copy that
 * was made before the first edit is worth more than a new one. */
static int back_up(const struct apply *a, const struct plan_change *c, bool known, struct err *e) {
        char name[NAME_MAX + 1];
        int r;

        if (!c->before)
                return 0;
        r = dir_ensure_private(a->root, LEDGER_DIRECTORY, 0755);
        if (r >= 0)
                r = dir_ensure_private(a->root, BACKUP_DIRECTORY, 0755);
        if (r >= 0)
                r = str_format(name, sizeof(name), "%s.bak", c->path + 1);
        for (char *s = name; r >= 0 && *s; s++)
                if (*s == '/')
                        *s = '-';
        if (r >= 0 && known && root_exists(a->root, BACKUP_DIRECTORY "/%s", name) > 0)
                return 0;
        if (r >= 0)
                r = file_replace(a->root, BACKUP_DIRECTORY, name, c->before, strlen(c->before), 0600);
        return r < 0 ? err_set(e, r, ERR_FAILED, c->path, "%s cannot be backed up to %s: %s", c->path, BACKUP_DIRECTORY,
                               strerror(-r)) :
                       0;
}

/* The system's language: grub-mkconfig translates the titles of its entries, and GRUB_DEFAULT may name one by its title.
 * NULL: not set. The text is kept in *buf. */
static const char *system_language(const struct root *root, char **buf) {
        static const char *const files[] = { "/etc/locale.conf", "/etc/default/locale" };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                char *line, *save;

                free(TAKE_PTR(*buf));
                if (root_read(root, files[i], 4096, buf, NULL) < 0)
                        continue;
                for (line = strtok_r(*buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                        size_t n;

                        if (!str_starts(line, "LANG="))
                                continue;
                        line += strlen("LANG=");
                        line += *line == '"';
                        n = strcspn(line, "\"");
                        line[n] = '\0';
                        /* de_DE.UTF-8, sr_RS@latin */
                        if (n > 0 && n < 48 && strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                            "_.@-") == n)
                                return line;
                }
        }
        return NULL;
}

static int run_command(const struct apply *a, char *const *argv, struct err *e) {
        _cleanup_free_ char *output = NULL, *chroot = NULL, *locale = NULL;
        const char *last;
        int r;

        if (!a->run_commands)
                return 0;
        report(a, APPLY_RUN, argv[0]);
        chroot = root_is_live(a->root) ? NULL : root_join(a->root, "/");
        r = command_run(chroot, system_language(a->root, &locale), argv, &output);
        if (r == 0)
                return 0;
        if (r == -ECHILD)
                return err_set(e, -EIO, ERR_FAILED, argv[0], "%s was ended by a signal", argv[0]);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, argv[0], "%s cannot be run: %s", argv[0], strerror(-r));
        if (output)
                str_strip(output);
        last = output && strrchr(output, '\n') ? strrchr(output, '\n') + 1 : output;
        return err_set(e, -EIO, ERR_FAILED, argv[0], "%s ended with status %d: %s", argv[0], r,
                       last && *last ? last : "it printed nothing");
}

/* back: what is a change by itself is taken back, the others run on the files as they are now. */
static int run_commands(const struct apply *a, const struct plan *plan, bool back, struct err *e) {
        for (size_t i = 0; i < plan->n_commands; i++) {
                const struct plan_command *c = &plan->commands[i];
                int r = run_command(a, back && c->undo[0] ? c->undo : c->argv, e);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_change(const struct apply *a, const struct plan_change *c, const char *text, struct err *e) {
        int r = boot_file_replace(a->root, c->path, text, c->mode);

        return r < 0 ? err_set(e, r, ERR_FAILED, c->path, "%s cannot be written: %s", c->path, strerror(-r)) : 0;
}

static int set_variable(const struct apply *a, const struct plan_variable *v, const char *text, struct err *e) {
        int r;

        report(a, APPLY_WRITE, v->name);
        r = efi_loader_set(a->root, v->name, text);
        return r < 0 ? err_set(e, r, ERR_FAILED, v->name, "the EFI variable %s cannot be written: %s", v->name,
                               strerror(-r)) :
                       0;
}

/* What commands write is in no journal that GRUB replays, and grub-mkconfig and others don't sync. */
static int sync_written(const struct apply *a, const struct boot_entries *entries, struct err *e) {
        for (size_t i = 0; i < entries->n; i++) {
                const char *file = entries->list[i].file;
                _cleanup_close_ int fd = -1;

                if (i > 0 && str_eq(file, entries->list[i - 1].file))
                        continue;
                fd = root_open(a->root, file, O_RDONLY, 0);
                if (fd >= 0 && (syncfs(fd) < 0 || fsync(fd) < 0))
                        return err_set(e, -errno, ERR_FAILED, file, "%s cannot be synced: %s", file, strerror(errno));
        }
        return 0;
}

/* Folders that were made for our files, when they are no longer needed. */
static void remove_folders(const struct apply *a, const struct ledger *made, const struct ledger *keep) {
        for (size_t i = 0; i < made->n_files; i++) {
                const struct ledger_file *kept = ledger_find(keep, made->files[i].path);

                if (made->files[i].created && !(kept && kept->created))
                        boot_folder_remove(a->root, made->files[i].path);
        }
}

/* How far it came, for the way back. */
struct progress {
        struct boot_entries entries; /* as they were before */
        struct plan written;         /* what those files held that the commands write */
        size_t files;                /* that may hold the new text */
        bool commands;
        size_t variables; /* that may have the new text */
};

static bool is_changed(const struct plan *plan, const char *path) {
        for (size_t i = 0; i < plan->n_changes; i++)
                if (str_eq(plan->changes[i].path, path))
                        return true;
        return false;
}

static void progress_done(struct progress *p) {
        boot_entries_done(&p->entries);
        plan_done(&p->written);
}

/* The files that the commands will write may hold what no command makes again (a grub.cfg edited by hand). Not where a
 * command is a change by itself: it makes something new, and its files go with that. Nor images, which are large. */
static int keep_written(const struct apply *a, const struct plan *plan, struct progress *p, struct err *e) {
        int r = 0;

        for (size_t i = 0; i < plan->n_commands; i++)
                if (plan->commands[i].undo[0])
                        return 0;
        for (size_t i = 0; r >= 0 && a->run_commands && plan->n_commands > 0 && i < p->entries.n; i++) {
                const char *file = p->entries.list[i].file;
                _cleanup_free_ char *text = NULL;
                size_t size;

                if ((i > 0 && str_eq(file, p->entries.list[i - 1].file)) || is_changed(plan, file) ||
                    root_read(a->root, file, BOOT_FILE_MAX, &text, &size) < 0 || strlen(text) != size)
                        continue;
                r = plan_add_change(&p->written, file, text, NULL, 0600);
                if (r == -ENOSPC) /* so many entries: the first are kept */
                        return 0;
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, file, "%s: %s", file, strerror(-r));
        }
        for (size_t i = 0; r >= 0 && i < p->written.n_changes; i++)
                r = back_up(a, &p->written.changes[i], false, e);
        return r;
}

static int restore_written(const struct apply *a, const struct progress *p, struct err *e) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < p->written.n_changes; i++) {
                const struct plan_change *c = &p->written.changes[i];

                if (file_holds(a->root, c->path, c->before) > 0)
                        continue;
                report(a, APPLY_UNDO, c->path);
                r = write_change(a, c, c->before, e);
        }
        return r;
}

static int carry_out(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, struct progress *p,
                     struct err *e) {
        int r;

        for (size_t i = 0; i < plan->n_changes; i++) {
                r = check_unchanged(a, &plan->changes[i], e);
                if (r < 0)
                        return r;
                report(a, APPLY_WRITE, plan->changes[i].path);
                p->files = i + 1;
                r = write_change(a, &plan->changes[i], plan->changes[i].after, e);
                if (r < 0)
                        return r;
        }
        p->commands = true;
        r = run_commands(a, plan, false, e);
        for (size_t i = 0; r >= 0 && i < plan->n_variables; i++) {
                p->variables = i + 1;
                r = set_variable(a, &plan->variables[i], plan->variables[i].after, e);
        }
        if (r >= 0) {
                report(a, APPLY_VERIFY, a->loader->title);
                r = check_after(a, plan, edit, &p->entries, e);
        }
        if (r >= 0 && plan->n_commands > 0 && a->run_commands)
                r = sync_written(a, &p->entries, e);
        if (r < 0)
                return r;
        remove_folders(a, edit->before, &edit->after);
        return ledger_save(a->root, &edit->after, e);
}

/* Gives the files back what they had. *e: one that could not get it. What holds neither text was written by a command
 * of ours (kernelstub formats its configuration anew); before any ran, by somebody else. */
static int restore(const struct apply *a, const struct plan *plan, const struct progress *p, struct err *e) {
        int result = 0;

        for (size_t i = p->variables; i-- > 0;) {
                int r = set_variable(a, &plan->variables[i], plan->variables[i].before, e);

                if (r < 0)
                        result = r;
        }
        for (size_t i = p->files; i-- > 0;) {
                const struct plan_change *c = &plan->changes[i];
                int r;

                if (file_holds(a->root, c->path, c->before) > 0)
                        continue;
                if (!p->commands && file_holds(a->root, c->path, c->after) == 0) {
                        result = err_set(e, -ESTALE, ERR_FAILED, c->path, "%s was changed by somebody else just now",
                                         c->path);
                        continue;
                }
                report(a, APPLY_UNDO, c->path);
                r = write_change(a, c, c->before, e);
                if (r < 0)
                        result = r;
        }
        return result;
}

/* The error that led here stays; what could not be undone is put behind it. The ledger stays wide where it must: the
 * next run goes on from there. */
static void undo(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, const struct progress *p,
                 struct err *e) {
        _cleanup_ledger_ struct ledger old = {};
        struct err why = {};

        if (restore(a, plan, p, &why) < 0) {
                err_append(e, "; going back failed too: %s. The old files are in %s", why.message, BACKUP_DIRECTORY);
                return;
        }
        (void) str_copy(old.loader, sizeof(old.loader), *edit->before->loader ? edit->before->loader : a->loader->name);
        old.unfinished = edit->before->unfinished;
        ledger_copy_kernel(&old, edit->before);
        if (p->commands && run_commands(a, plan, true, &why) < 0) {
                err_append(e, "; the files are as they were before, but running the command again failed too: %s",
                           why.message);
                old.unfinished = true;
                (void) restore_written(a, p, &why);
        } else if (p->commands && restore_written(a, p, &why) < 0) {
                err_append(e, "; going back failed too: %s. The old files are in %s", why.message, BACKUP_DIRECTORY);
                old.unfinished = true;
        } else
                err_append(e, "; everything is as it was before");
        remove_folders(a, &edit->after, edit->before);
        if (ledger_merge(&old, edit->before) >= 0 && ledger_set_trial(&old, edit->before->trial) >= 0)
                (void) ledger_save(a->root, &old, NULL);
}

/* Until the end is known, all that may be ours is: then the next run can finish or take back. */
static int save_both(const struct apply *a, const struct boot_edit *edit, struct err *e) {
        _cleanup_ledger_ struct ledger both = { .unfinished = true };
        int r;

        (void) str_copy(both.loader, sizeof(both.loader), a->loader->name);
        ledger_copy_kernel(&both, *edit->after.kernel ? &edit->after : edit->before);
        if (ledger_merge(&both, edit->before) < 0 || ledger_merge(&both, &edit->after) < 0 ||
            ledger_set_trial(&both, boot_edit_is_trial(edit) ? edit->after.trial : NULL) < 0)
                return err_set(e, -ENOSPC, ERR_FAILED, LEDGER_NAME, "too many files and parameters for the ledger");
        r = ledger_save(a->root, &both, e);
        for (size_t i = 0; r >= 0 && i < both.n_files; i++) {
                r = boot_folder_clean(a->root, both.files[i].path);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, both.files[i].path, "%s cannot be written: %s",
                                       both.files[i].path, strerror(-r));
        }
        return r;
}

int plan_apply(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, struct err *e) {
        _cleanup_(progress_done) struct progress p = {};
        int r;

        r = a->loader->read(a->root, &p.entries, e);
        if (r >= 0)
                r = check_before(a, plan, &p.entries, e);
        for (size_t i = 0; r >= 0 && i < plan->n_changes; i++)
                r = back_up(a, &plan->changes[i], ledger_find(edit->before, plan->changes[i].path), e);
        if (r >= 0)
                r = keep_written(a, plan, &p, e);
        if (r < 0)
                return r;

        r = save_both(a, edit, e);
        if (r >= 0)
                r = carry_out(a, plan, edit, &p, e);
        if (r < 0)
                undo(a, plan, edit, &p, e);
        return r;
}
