/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/apply-check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/str.h"
#include "boot/replace.h"
#include "model/cmdline.h"

#define ROOM_SPARE (1U << 20) /* what the loader's own command writes beside ours */

int file_holds(const struct root *root, const char *path, const char *text) {
        _cleanup_free_ char *now = NULL;
        size_t size;
        int r = root_read(root, path, BOOT_FILE_MAX, &now, &size);

        if (r < 0)
                return r == -ENOENT ? !text : r;
        return text && size == strlen(text) && str_eq(now, text);
}

int check_unchanged(const struct apply *a, const struct plan_change *c, struct err *e) {
        int r = file_holds(a->root, c->path, c->before);

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
                r = check_room(fd, file, st.st_size <= BOOT_FILE_MAX ? (size_t) st.st_size : 0, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int check_before(const struct apply *a, const struct plan *plan, const struct boot_entries *entries, struct err *e) {
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

/* After it */

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
        bool all_boots = !entry->untouched && !boot_edit_is_trial(edit);

        for (size_t k = 0; all_boots && k < edit->n_want; k++)
                if (!cmdline_has(entry->line, edit->want[k]))
                        return err_set(e, -EIO, ERR_FAILED, entry->name, "the line of '%s' should have %s and is '%s'",
                                       entry->name, edit->want[k], entry->line);
        if (before && has_root(before->line) && !has_root(entry->line))
                return err_set(e, -EIO, ERR_FAILED, entry->name, "the line of '%s' lost its root= and is '%s'",
                               entry->name, entry->line);
        return 0;
}

int check_after(const struct apply *a, const struct plan *plan, const struct boot_edit *edit,
                const struct boot_entries *before, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        bool whole = a->run_commands || plan->n_commands == 0;
        int r;

        r = a->loader->read(a->root, &entries, e);
        if (r >= 0 && has_edited(before) && !has_edited(&entries))
                r = err_set(e, -EIO, ERR_FAILED, a->loader->name, "%s has no kernel line any more that could be booted",
                            before->list[0].file);
        for (size_t i = 0; r >= 0 && whole && i < entries.n; i++)
                r = check_entry(edit, &entries.list[i], find_entry(before, &entries.list[i]), e);
        if (r < 0 || !whole)
                return r;
        if (boot_edit_is_trial(edit))
                return a->loader->trial->verify(a->root, edit, e);
        return *edit->kernel ? a->loader->kernel->verify(a->root, edit, e) : 0;
}
