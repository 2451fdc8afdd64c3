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

static int check_unchanged(const struct apply *a, const struct plan_change *c, struct err *e) {
        _cleanup_free_ char *now = NULL;
        int r = root_read(a->root, c->path, FILE_MAX, &now, NULL);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, c->path, "%s cannot be read: %s", c->path, strerror(-r));
        if (now && c->before ? str_eq(now, c->before) : !now && !c->before)
                return 0;
        return err_set(e, -ESTALE, ERR_FAILED, c->path, "%s was changed by somebody else just now; try again", c->path);
}

/* The folder exists, can be written, and has room for both the old and the new file. */
static int check_folder(const struct apply *a, const struct plan_change *c, struct err *e) {
        _cleanup_free_ char *folder = strndup(c->path, (size_t) (strrchr(c->path, '/') - c->path));
        _cleanup_close_ int fd = -1;
        struct statvfs vfs;
        uint64_t wanted, found;

        if (!folder)
                return err_set(e, -ENOMEM, ERR_FAILED, c->path, "out of memory");
        fd = root_open(a->root, folder, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return err_set(e, fd, ERR_FAILED, folder, "%s: %s", folder, strerror(-fd));
        if (fstatvfs(fd, &vfs) < 0)
                return err_set(e, -errno, ERR_FAILED, folder, "%s: %s", folder, strerror(errno));
        if (vfs.f_flag & ST_RDONLY)
                return err_set(e, -EROFS, ERR_FAILED, folder, "%s is on a read-only file system; remount it writable first",
                               folder);
        wanted = (c->after ? strlen(c->after) : 0) + ROOM_SPARE;
        found = (uint64_t) vfs.f_bavail * vfs.f_frsize;
        if (found < wanted)
                return err_set(e, -ENOSPC, ERR_FAILED, folder,
                               "%s has %llu KiB of room, %llu KiB are wanted; remove old kernels first", folder,
                               (unsigned long long) found / 1024, (unsigned long long) wanted / 1024);
        return 0;
}

static int check_line_length(const struct boot_entries *entries, struct err *e) {
        for (size_t i = 0; i < entries->n; i++)
                if (strlen(entries->list[i].line) >= CMDLINE_MAX)
                        return err_set(e, -E2BIG, ERR_REFUSED, entries->list[i].name,
                                       "the kernel line of '%s' has %zu bytes; the kernel takes %d", entries->list[i].name,
                                       strlen(entries->list[i].line), CMDLINE_MAX - 1);
        return 0;
}

static int check_all(const struct apply *a, const struct plan *plan, struct err *e) {
        for (size_t i = 0; i < plan->n_changes; i++) {
                int r = check_unchanged(a, &plan->changes[i], e);

                if (r >= 0)
                        r = check_folder(a, &plan->changes[i], e);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Work */

/* "/etc/default/grub" is kept as "etc-default-grub.bak". */
static int back_up(const struct apply *a, const struct plan_change *c, struct err *e) {
        char name[NAME_MAX + 1];
        int r;

        if (!c->before)
                return 0;
        r = dir_ensure_private(a->root, BACKUP_DIRECTORY, 0755);
        if (r >= 0)
                r = str_format(name, sizeof(name), "%s.bak", c->path + 1);
        for (char *s = name; r >= 0 && *s; s++)
                if (*s == '/')
                        *s = '-';
        if (r >= 0)
                r = file_replace(a->root, BACKUP_DIRECTORY, name, c->before, strlen(c->before), 0600);
        return r < 0 ? err_set(e, r, ERR_FAILED, c->path, "%s cannot be backed up to %s: %s", c->path, BACKUP_DIRECTORY,
                               strerror(-r)) :
                       0;
}

static int run_command(const struct apply *a, const struct plan_command *c, struct err *e) {
        _cleanup_free_ char *output = NULL, *chroot = NULL;
        const char *last;
        int r;

        if (!a->run_commands)
                return 0;
        report(a, APPLY_RUN, c->argv[0]);
        chroot = root_is_live(a->root) ? NULL : root_join(a->root, "/");
        r = command_run(chroot, c->argv, &output);
        if (r == 0)
                return 0;
        if (r < 0)
                return err_set(e, r, ERR_FAILED, c->argv[0], "%s cannot be run: %s", c->argv[0], strerror(-r));
        if (output)
                str_strip(output);
        last = output && strrchr(output, '\n') ? strrchr(output, '\n') + 1 : output;
        return err_set(e, -EIO, ERR_FAILED, c->argv[0], "%s ended with status %d: %s", c->argv[0], r,
                       last && *last ? last : "it printed nothing");
}

static int run_commands(const struct apply *a, const struct plan *plan, struct err *e) {
        for (size_t i = 0; i < plan->n_commands; i++) {
                int r = run_command(a, &plan->commands[i], e);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_change(const struct apply *a, const struct plan_change *c, const char *text, struct err *e) {
        int r = boot_file_replace(a->root, c->path, text, c->mode);

        return r < 0 ? err_set(e, r, ERR_FAILED, c->path, "%s cannot be written: %s", c->path, strerror(-r)) : 0;
}

/* Without the commands (in an image) only the files that we wrote can hold what is wanted. */
static int verify(const struct apply *a, const struct boot_edit *edit, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r;

        report(a, APPLY_VERIFY, a->loader->title);
        r = a->loader->read(a->root, &entries, e);
        if (r < 0)
                return r;
        r = check_line_length(&entries, e);
        if (r < 0)
                return r;
        for (size_t i = 0; a->run_commands && i < entries.n; i++)
                for (size_t k = 0; !entries.list[i].untouched && k < edit->n_want; k++)
                        if (!cmdline_has(entries.list[i].line, edit->want[k]))
                                return err_set(e, -EIO, ERR_FAILED, entries.list[i].name,
                                               "the line of '%s' should have %s and is '%s'", entries.list[i].name,
                                               edit->want[k], entries.list[i].line);
        return 0;
}

static int carry_out(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, size_t *ret_written,
                     struct err *e) {
        int r;

        for (size_t i = 0; i < plan->n_changes; i++) {
                report(a, APPLY_WRITE, plan->changes[i].path);
                r = write_change(a, &plan->changes[i], plan->changes[i].after, e);
                if (r < 0)
                        return r;
                *ret_written = i + 1;
        }
        r = run_commands(a, plan, e);
        return r < 0 ? r : verify(a, edit, e);
}

/* The error that led here stays; what could not be undone is put behind it. */
static void undo(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, size_t written,
                 struct err *e) {
        struct err why = {};
        int r = 0;

        for (size_t i = written; i-- > 0;) {
                report(a, APPLY_UNDO, plan->changes[i].path);
                if (write_change(a, &plan->changes[i], plan->changes[i].before, &why) < 0)
                        r = -EIO;
        }
        if (r >= 0 && written == plan->n_changes)
                r = run_commands(a, plan, &why);
        if (r >= 0)
                r = ledger_save(a->root, edit->before, &why);
        if (r < 0)
                err_append(e, "; going back failed too: %s. The old files are in %s", why.message, BACKUP_DIRECTORY);
        else
                err_append(e, "; everything is as it was before");
}

int plan_apply(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, struct err *e) {
        _cleanup_ledger_ struct ledger both = {};
        size_t written = 0;
        int r;

        r = check_all(a, plan, e);
        for (size_t i = 0; r >= 0 && i < plan->n_changes; i++)
                r = back_up(a, &plan->changes[i], e);
        if (r < 0)
                return r;

        /* Until the end is known, all that may be ours is: then the next run can finish or take back. */
        (void) str_copy(both.loader, sizeof(both.loader), a->loader->name);
        if (ledger_merge(&both, edit->before) < 0 || ledger_merge(&both, &edit->after) < 0)
                return err_set(e, -ENOSPC, ERR_FAILED, LEDGER_NAME, "too many files and parameters for the ledger");
        r = ledger_save(a->root, &both, e);
        if (r < 0)
                return r;

        r = carry_out(a, plan, edit, &written, e);
        if (r < 0) {
                undo(a, plan, edit, written, e);
                return r;
        }
        return ledger_save(a->root, &edit->after, e);
}
