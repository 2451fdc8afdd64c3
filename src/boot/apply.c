/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/command.h"
#include "base/file.h"
#include "base/str.h"
#include "boot/replace.h"
#include "model/cmdline.h"

#define BACKUP_DIRECTORY LEDGER_DIRECTORY "/backup"
#define FILE_MAX (4U << 20)
#define ROOM_SPARE (1U << 20) /* what the loader's own command writes beside ours */

static void report(const struct apply *a, enum apply_event event, const char *what) {
        if (a->report)
                a->report(event, what, a->userdata);
}

/* Checks */

/* 1: the file holds this text (NULL: there is none), 0: another one. */
static int holds(const struct root *root, const char *path, const char *text) {
        _cleanup_free_ char *now = NULL;
        size_t size;
        int r = root_read(root, path, FILE_MAX, &now, &size);

        if (r < 0)
                return r == -ENOENT ? !text : r;
        return text && size == strlen(text) && str_eq(now, text);
}

static int check_unchanged(const struct apply *a, const struct plan_change *c, struct err *e) {
        int r = holds(a->root, c->path, c->before);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, c->path, "%s cannot be read: %s", c->path, strerror(-r));
        return r > 0 ? 0 :
                       err_set(e, -ESTALE, ERR_FAILED, c->path,
                               "%s was changed by somebody else just now, or has a NUL byte in it; try again", c->path);
}

/* The folder that the file is in, or (it will be made) the one above. */
static int open_folder(const struct apply *a, const char *path) {
        char name[NAME_MAX + 1], parent[PATH_MAX];
        int fd = boot_file_folder(a->root, path, name), r;

        if (fd != -ENOENT)
                return fd;
        r = str_copy(parent, sizeof(parent), path);
        if (r < 0)
                return r;
        *strrchr(parent, '/') = '\0';
        return boot_file_folder(a->root, parent, name);
}

/* fd: something on the file system of the folder. */
static int check_room(int fd, const char *folder, size_t size, struct err *e) {
        uint64_t wanted = size + ROOM_SPARE, found;
        struct statvfs vfs;

        if (fstatvfs(fd, &vfs) < 0)
                return err_set(e, -errno, ERR_FAILED, folder, "%s: %s", folder, strerror(errno));
        found = (uint64_t) vfs.f_bavail * vfs.f_frsize;
        if (found < wanted)
                return err_set(e, -ENOSPC, ERR_FAILED, folder,
                               "the file system of %s has %llu KiB of room, %llu KiB are wanted; remove old "
                               "kernels first", folder,
                               (unsigned long long) found / 1024, (unsigned long long) wanted / 1024);
        return 0;
}

/* The folder exists, can be written, and has room for a new file of that size beside the old one. */
static int check_folder(const struct apply *a, const char *path, size_t size, struct err *e) {
        _cleanup_free_ char *folder = strndup(path, (size_t) (strrchr(path, '/') - path));
        _cleanup_close_ int fd = -1;
        struct statvfs vfs;

        if (!folder)
                return err_set(e, -ENOMEM, ERR_FAILED, path, "out of memory");
        fd = open_folder(a, path);
        if (fd < 0)
                return err_set(e, fd, ERR_FAILED, folder, "%s: %s", folder, strerror(-fd));
        if (fstatvfs(fd, &vfs) < 0)
                return err_set(e, -errno, ERR_FAILED, folder, "%s: %s", folder, strerror(errno));
        if (vfs.f_flag & ST_RDONLY)
                return err_set(e, -EROFS, ERR_FAILED, folder,
                               "%s is on a read-only file system; remount it writable first", folder);
        if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
                return err_set(e, -errno, ERR_FAILED, folder, "%s cannot be written to: %s", folder, strerror(errno));
        return check_room(fd, folder, size, e);
}

/* Loaders' tools write what they make in place, and a full file system leaves it cut off. Some mount it writable
 * first. */
static int check_written_by_commands(const struct apply *a, const struct boot_entries *entries, struct err *e) {
        for (size_t i = 0; i < entries->n; i++) {
                const char *file = entries->list[i].file;
                _cleanup_close_ int fd = -1;
                struct stat st;
                int r;

                if (i > 0 && str_eq(file, entries->list[i - 1].file))
                        continue;
                fd = root_open(a->root, file, O_PATH, 0);
                if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                /* Images are too large to ask for room for a second one. */
                r = check_room(fd, file, st.st_size <= FILE_MAX ? (size_t) st.st_size : 0, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_all(const struct apply *a, const struct plan *plan, const struct boot_entries *entries,
                     struct err *e) {
        for (size_t i = 0; i < plan->n_changes; i++) {
                const struct plan_change *c = &plan->changes[i];
                int r = check_unchanged(a, c, e);

                if (r >= 0)
                        r = check_folder(a, c->path, c->after ? strlen(c->after) : 0, e);
                if (r < 0)
                        return r;
        }
        return plan->n_commands > 0 && a->run_commands ? check_written_by_commands(a, entries, e) : 0;
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

static bool has_root(const char *line) {
        struct token t;

        while (cmdline_next(&line, &t))
                if (t.length > 5 && strncmp(t.start, "root=", 5) == 0)
                        return true;
        return false;
}

/* There is a line at all that is not only a way back. */
static bool has_edited(const struct boot_entries *entries) {
        for (size_t i = 0; i < entries->n; i++)
                if (!entries->list[i].untouched)
                        return true;
        return false;
}

static const struct boot_entry *find_entry(const struct boot_entries *entries, const struct boot_entry *like) {
        for (size_t i = 0; i < entries->n; i++)
                if (str_eq(entries->list[i].name, like->name) && str_eq(entries->list[i].file, like->file))
                        return &entries->list[i];
        return NULL;
}

static int check_entry(const struct boot_edit *edit, const struct boot_entry *entry, const struct boot_entry *before,
                       struct err *e) {
        for (size_t k = 0; !entry->untouched && k < edit->n_want; k++)
                if (!cmdline_has(entry->line, edit->want[k]))
                        return err_set(e, -EIO, ERR_FAILED, entry->name, "the line of '%s' should have %s and is '%s'",
                                       entry->name, edit->want[k], entry->line);
        if (before && has_root(before->line) && !has_root(entry->line))
                return err_set(e, -EIO, ERR_FAILED, entry->name, "the line of '%s' lost its root= and is '%s'",
                               entry->name, entry->line);
        return 0;
}

/* Without the commands (in an image) only the files that we wrote can hold what is wanted. */
static int verify(const struct apply *a, const struct plan *plan, const struct boot_edit *edit,
                  const struct boot_entries *before, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        bool whole = a->run_commands || plan->n_commands == 0;
        int r;

        report(a, APPLY_VERIFY, a->loader->title);
        r = a->loader->read(a->root, &entries, e);
        if (r >= 0 && has_edited(before) && !has_edited(&entries))
                r = err_set(e, -EIO, ERR_FAILED, a->loader->name, "%s has no kernel line any more that could be booted",
                            before->list[0].file);
        for (size_t i = 0; r >= 0 && whole && i < entries.n; i++)
                r = check_entry(edit, &entries.list[i], find_entry(before, &entries.list[i]), e);
        return r;
}

/* What commands write is in no journal that GRUB replays, and grub-mkconfig and others don't sync. */
static int sync_written(const struct apply *a, const struct boot_entries *entries, struct err *e) {
        for (size_t i = 0; i < entries->n; i++) {
                const char *file = entries->list[i].file;
                _cleanup_close_ int fd = -1;

                if (i > 0 && str_eq(file, entries->list[i - 1].file))
                        continue;
                fd = root_open(a->root, file, O_RDONLY, 0);
                if (fd >= 0 && syncfs(fd) < 0)
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
                    root_read(a->root, file, FILE_MAX, &text, &size) < 0 || strlen(text) != size)
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

                if (holds(a->root, c->path, c->before) > 0)
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
        if (r >= 0)
                r = verify(a, plan, edit, &p->entries, e);
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

        for (size_t i = p->files; i-- > 0;) {
                const struct plan_change *c = &plan->changes[i];
                int r;

                if (holds(a->root, c->path, c->before) > 0)
                        continue;
                if (!p->commands && holds(a->root, c->path, c->after) == 0) {
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
        remove_folders(a, &edit->after, edit->before);
        (void) str_copy(old.loader, sizeof(old.loader), *edit->before->loader ? edit->before->loader : a->loader->name);
        old.unfinished = edit->before->unfinished;
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
        if (ledger_merge(&old, edit->before) >= 0)
                (void) ledger_save(a->root, &old, NULL);
}

/* Until the end is known, all that may be ours is: then the next run can finish or take back. */
static int save_both(const struct apply *a, const struct boot_edit *edit, struct err *e) {
        _cleanup_ledger_ struct ledger both = { .unfinished = true };
        int r;

        (void) str_copy(both.loader, sizeof(both.loader), a->loader->name);
        if (ledger_merge(&both, edit->before) < 0 || ledger_merge(&both, &edit->after) < 0)
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
                r = check_all(a, plan, &p.entries, e);
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
