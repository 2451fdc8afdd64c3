/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/bls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define ENTRY_MAX (64U << 10)

const char *const boot_folders[] = { "/boot", "/efi", "/boot/efi", NULL };

int bls_find_folder(const struct root *root, char *buf, size_t size) {
        for (const char *const *f = boot_folders; *f; f++) {
                _cleanup_strv_ char **names = NULL;

                if (root_list(root, &names, "%s/loader/entries", *f) >= 0 && *names)
                        return str_format(buf, size, "%s/loader/entries", *f);
        }
        return -ENOENT;
}

/* One entry's text: where the value of its options line is. */
struct options {
        const char *start; /* of the value */
        size_t length;
        size_t n; /* how many options lines there are */
};

static void find_options(const char *text, struct options *ret) {
        *ret = (struct options) {};
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                const char *s = line + strspn(line, " \t");

                if (!str_starts(s, "options") || !strchr(" \t", s[7]))
                        continue;
                s += 7 + strspn(s + 7, " \t");
                ret->start = s;
                ret->length = strcspn(s, "\r\n");
                ret->n++;
        }
}

static bool is_entry(const char *name) {
        size_t n = strlen(name);

        return n > 5 && str_eq(name + n - 5, ".conf") && *name != '.';
}

typedef int (*entry_function)(const struct bls *bls, const char *path, const char *text, const struct options *options,
                              void *userdata, struct err *e);

static int for_each_entry(const struct root *root, const struct bls *bls, entry_function fn, void *userdata,
                          struct err *e) {
        _cleanup_strv_ char **names = NULL;
        char path[256];
        int r;

        r = root_list(root, &names, "%s", bls->folder);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, bls->folder, "%s cannot be read: %s", bls->folder, strerror(-r));
        for (char **n = names; r >= 0 && *n; n++) {
                _cleanup_free_ char *text = NULL;
                struct options options;
                size_t size;

                if (!is_entry(*n) || (bls->wanted && !bls->wanted(*n)))
                        continue;
                r = str_format(path, sizeof(path), "%s/%s", bls->folder, *n);
                if (r >= 0)
                        r = root_read(root, path, ENTRY_MAX, &text, &size);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, *n, "%s/%s cannot be read: %s", bls->folder, *n, strerror(-r));
                if (strlen(text) != size)
                        return err_set(e, -EBADMSG, ERR_FAILED, *n, "%s has a NUL byte in it", path);
                find_options(text, &options);
                r = fn(bls, path, text, &options, userdata, e);
        }
        return r;
}

static bool is_untouched(const struct bls *bls, const char *path) {
        return bls->untouched && bls->untouched(strrchr(path, '/') + 1);
}

static int read_entry(const struct bls *bls, const char *path, const char *text, const struct options *options,
                      void *userdata, struct err *e) {
        _cleanup_free_ char *line = NULL;
        int r;

        (void) text;
        line = strndup(options->start ? options->start : "", options->length);
        r = line ? boot_entries_add(userdata, strrchr(path, '/') + 1, path, line, is_untouched(bls, path)) : -ENOMEM;
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "out of memory") : 0;
}

int bls_read(const struct root *root, const struct bls *bls, struct boot_entries *entries, struct err *e) {
        return for_each_entry(root, bls, read_entry, entries, e);
}

int err_line(const char *path, int r, struct err *e) {
        if (r == -EINVAL)
                return err_set(e, r, ERR_REFUSED, path,
                               "the options in %s have an open quote or a control character; correct them first", path);
        return err_set(e, r, ERR_FAILED, path, "%s: %s", path, strerror(-r));
}

struct planner {
        struct boot_edit *edit;
        struct plan *plan;
        char *first;
};

static int plan_entry(const struct bls *bls, const char *path, const char *text, const struct options *options,
                      void *userdata, struct err *e) {
        struct planner *p = userdata;
        _cleanup_free_ char *line = NULL, *edited = NULL, *after = NULL;
        int r;

        if (is_untouched(bls, path))
                return 0;
        if (options->n > 1)
                return err_set(e, -EINVAL, ERR_REFUSED, path,
                               "%s has %zu options lines, which boot loaders read differently; join them into one", path,
                               options->n);
        if (options->n == 0)
                return 0; /* it starts another system or a tool */
        line = strndup(options->start, options->length);
        if (!line)
                return err_line(path, -ENOMEM, e);
        r = boot_edit_line(p->edit, path, line, &edited);
        if (r < 0)
                return err_line(path, r, e);
        if (asprintf(&after, "%.*s%s%s", (int) (options->start - text), text, edited,
                     options->start + options->length) < 0)
                return err_line(path, -ENOMEM, e);
        r = plan_add_change(p->plan, path, text, after, 0644);
        if (r < 0)
                return err_line(path, r, e);
        if (!p->first)
                p->first = TAKE_PTR(edited);
        return 0;
}

int bls_plan(const struct root *root, const struct bls *bls, struct boot_edit *edit, struct plan *plan, char **ret_first,
             struct err *e) {
        struct planner p = { edit, plan, NULL };
        int r = for_each_entry(root, bls, plan_entry, &p, e);

        if (r < 0)
                free(p.first);
        else
                *ret_first = p.first;
        return r;
}
