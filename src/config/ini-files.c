/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/str.h"

#define FILE_SIZE_MAX (256U << 10)

static const char *const trees[] = { "/etc/passthru", "/run/passthru", "/usr/lib/passthru" };

struct text {
        char path[PATH_MAX];
        char *data;
        size_t size;
};

struct texts {
        struct text *list;
        size_t n;
};

static void texts_done(struct texts *texts) {
        for (size_t i = 0; i < texts->n; i++)
                free(texts->list[i].data);
        free(texts->list);
}
#define _cleanup_texts_ _cleanup_(texts_done)

static int fail(struct err *e, int r, const char *path) {
        return err_set(e, r, r == -EACCES ? ERR_PERMISSION : r == -EFBIG ? ERR_INVALID : ERR_FAILED, path,
                       "%s cannot be read: %s", path, strerror(-r));
}

static int check_owner(const char *path, const struct stat *st, struct err *e) {
        if (st->st_uid == 0 && !(st->st_mode & 022))
                return 0;
        return err_set(e, -EPERM, ERR_REFUSED, path,
                       "%s: wanted a file that only root may write, found owner %u, mode %04o; look at what it "
                       "says, then: chown root %s && chmod go-w %s",
                       path, st->st_uid, st->st_mode & 07777, path, path);
}

/* 1: read, 0: there is none, or it is masked (*ret_data stays). */
static int read_text(const struct root *root, const char *path, char **ret_data, size_t *ret_size, struct err *e) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r;

        fd = root_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        if (fd < 0)
                return fail(e, fd, path);
        if (fstat(fd, &st) < 0)
                return fail(e, -errno, path);
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return 0;
        if (!S_ISREG(st.st_mode))
                return err_set(e, -EINVAL, ERR_INVALID, path, "%s: wanted a file, found something else", path);
        if (root_is_live(root)) {
                r = check_owner(path, &st, e);
                if (r < 0)
                        return r;
        }
        r = fd_read(fd, FILE_SIZE_MAX, ret_data, ret_size);
        return r < 0 ? fail(e, r, path) : 1;
}

/* The path of the first NAME in the three trees. 0: there is none, or it is masked. */
static int find_first(const struct root *root, const char *name, char path[static PATH_MAX], struct err *e) {
        char target[PATH_MAX];
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
                r = str_format(path, PATH_MAX, "%s/%s", trees[i], name);
                if (r < 0)
                        return fail(e, r, name);
                r = root_read_link(root, target, sizeof(target), "%s", path);
                if (r == -ENOENT || r == -ENOTDIR)
                        continue;
                /* Judged by its text: an image may have no /dev/null to point to. */
                return r < 0 || !str_eq(target, "/dev/null");
        }
        return 0;
}

static int add_first(struct texts *texts, const struct root *root, const char *name, struct err *e) {
        _cleanup_free_ char *data = NULL;
        struct text text = {}, *bigger;
        int r;

        r = find_first(root, name, text.path, e);
        if (r <= 0)
                return r;
        r = read_text(root, text.path, &data, &text.size, e);
        if (r <= 0)
                return r;
        if (text.size == 0)
                return 0;

        bigger = realloc(texts->list, (texts->n + 1) * sizeof(*bigger));
        if (!bigger)
                return fail(e, -ENOMEM, text.path);
        texts->list = bigger;
        text.data = TAKE_PTR(data);
        texts->list[texts->n++] = text;
        return 0;
}

static bool is_drop_in(const char *name) {
        size_t n = strlen(name);

        return *name != '.' && n > 5 && str_eq(name + n - 5, ".conf");
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Adds what folder holds to the names, which may then have doubles. */
static int add_names(char ***names, size_t *n, const struct root *root, const char *folder, struct err *e) {
        _cleanup_strv_ char **list = NULL;
        int r;

        r = root_list(root, &list, "%s", folder);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0)
                return fail(e, r, folder);
        for (char **name = list; *name; name++) {
                char **bigger;

                if (!is_drop_in(*name))
                        continue;
                bigger = realloc(*names, (*n + 2) * sizeof(*bigger));
                if (!bigger)
                        return fail(e, -ENOMEM, folder);
                *names = bigger;
                bigger[*n + 1] = NULL;
                bigger[*n] = strdup(*name);
                if (!bigger[*n])
                        return fail(e, -ENOMEM, folder);
                ++*n;
        }
        return 0;
}

static int add_drop_ins(struct texts *texts, const struct root *root, const char *name, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        char path[PATH_MAX];
        size_t n = 0;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
                r = str_format(path, sizeof(path), "%s/%s.d", trees[i], name);
                if (r < 0)
                        return fail(e, r, name);
                r = add_names(&names, &n, root, path, e);
                if (r < 0)
                        return r;
        }
        if (n > 1)
                qsort(names, n, sizeof(*names), compare_names);
        for (size_t i = 0; i < n; i++) {
                if (i > 0 && str_eq(names[i], names[i - 1]))
                        continue;
                r = str_format(path, sizeof(path), "%s.d/%s", name, names[i]);
                if (r < 0)
                        return fail(e, r, name);
                r = add_first(texts, root, path, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int ini_load(const struct root *root, const char *name, ini_entry_handler handler, void *userdata, struct err *e) {
        _cleanup_texts_ struct texts texts = {};
        int r;

        r = add_first(&texts, root, name, e);
        if (r >= 0)
                r = add_drop_ins(&texts, root, name, e);
        if (r < 0)
                return r;

        for (int check = 1; check >= 0; check--)
                for (size_t i = 0; i < texts.n; i++) {
                        const struct text *t = &texts.list[i];

                        r = ini_load_text(t->path, t->data, t->size, check ? NULL : handler, userdata, e);
                        if (r < 0)
                                return r;
                }
        return (int) texts.n;
}
