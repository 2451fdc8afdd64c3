/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/bls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls-entry.h"
#include "boot/grub-shell.h"
#include "boot/kernel-cmdline.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

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

static bool is_entry(const char *name) {
        size_t n = strlen(name);

        return n > 5 && str_eq(name + n - 5, ".conf") && *name != '.';
}

typedef int (*entry_function)(const struct bls *bls, const char *path, const char *text, const struct bls_entry *entry,
                              bool untouched, void *userdata, struct err *e);

/* Several systems can share an ESP. An image has no id of its own yet ("uninitialized"). */
static bool is_of_another_machine(const struct root *root, const struct bls_entry *entry) {
        char id[64];

        return entry->machine_id && root_read_attr(root, id, sizeof(id), "/etc/machine-id") >= 0 && strlen(id) == 32 &&
               (entry->machine_id_length != 32 || strncasecmp(entry->machine_id, id, 32) != 0);
}

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
                struct bls_entry entry;
                size_t size;

                if (!is_entry(*n) || str_eq(*n, TRIAL_ENTRY) || (bls->wanted && !bls->wanted(*n)))
                        continue;
                r = str_format(path, sizeof(path), "%s/%s", bls->folder, *n);
                if (r >= 0)
                        r = root_read(root, path, ENTRY_MAX, &text, &size);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, *n, "%s/%s cannot be read: %s", bls->folder, *n, strerror(-r));
                if (strlen(text) != size)
                        return err_set(e, -EBADMSG, ERR_FAILED, *n, "%s has a NUL byte in it", path);
                bls_entry_parse(text, &entry);
                if (entry.kernel)
                        r = fn(bls, path, text, &entry,
                               (bls->untouched && bls->untouched(*n)) || is_of_another_machine(root, &entry),
                               userdata, e);
        }
        return r;
}

#define KERNELOPTS "$kernelopts"

static bool has_kernelopts(const struct bls *bls, const char *line) {
        return bls->kernelopts && strstr(line, KERNELOPTS);
}

/* As the kernel will see it. */
static char *effective_line(const struct bls *bls, const char *line) {
        const char *at = has_kernelopts(bls, line) ? strstr(line, KERNELOPTS) : NULL;
        _cleanup_free_ char *expanded = NULL;

        if (!bls->grub)
                return strdup(line);
        if (asprintf(&expanded, "%.*s%s%s", at ? (int) (at - line) : 0, line, at ? bls->kernelopts : "",
                     at ? at + strlen(KERNELOPTS) : line) < 0)
                return NULL;
        return grub_unquote(expanded, strlen(expanded));
}

static int read_entry(const struct bls *bls, const char *path, const char *text, const struct bls_entry *entry,
                      bool untouched, void *userdata, struct err *e) {
        _cleanup_free_ char *raw = NULL, *line = NULL;
        int r;

        (void) text;
        raw = strndup(entry->options ? entry->options : "", entry->length);
        line = raw ? effective_line(bls, raw) : NULL;
        r = line ? boot_entries_add(userdata, strrchr(path, '/') + 1, path, line, untouched) : -ENOMEM;
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "out of memory") : 0;
}

int bls_read(const struct root *root, const struct bls *bls, struct boot_entries *entries, struct err *e) {
        return for_each_entry(root, bls, read_entry, entries, e);
}

int bls_check_wanted(const struct boot_edit *edit, struct err *e) {
        for (size_t i = 0; i < edit->n_want; i++)
                if (strchr(edit->want[i], '$'))
                        return err_set(e, -EINVAL, ERR_INVALID, edit->want[i],
                                       "'%s': GRUB replaces '$' in boot loader entries by a variable; write it without",
                                       edit->want[i]);
        return grub_check_wanted(edit, e);
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
        char selected[128]; /* the entry that was booted */
        char *model;
        enum { MODEL_NONE, MODEL_ANY, MODEL_ROOT, MODEL_BOOTED } rank;
};

/* A line that boots into something else than usual: not for kernels to come (systemd#18456). */
static bool is_for_repair(const char *line) {
        static const char *const words[] = { "single", "s", "S", "1", "rescue", "emergency", "-b" };
        struct token t;

        while (cmdline_next(&line, &t)) {
                if (str_starts(t.start, "systemd.unit=") || str_starts(t.start, "rd.break"))
                        return true;
                for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                        if (t.length == strlen(words[i]) && memcmp(t.start, words[i], t.length) == 0)
                                return true;
        }
        return false;
}

/* Which line kernels to come get: that of the entry that was booted; else of the newest one that says where the root
 * is. */
static void choose_model(struct planner *p, const char *path, char *line) {
        const char *root = strstr(line, "root=");
        int rank = str_eq(strrchr(path, '/') + 1, p->selected) ? MODEL_BOOTED :
                   root && (root == line || root[-1] == ' ') ? MODEL_ROOT :
                                                               MODEL_ANY;

        if ((int) p->rank > rank || is_for_repair(line)) {
                free(line);
                return;
        }
        free(p->model);
        p->model = line;
        p->rank = rank;
}

static int check_entry(const struct bls *bls, const char *path, const struct bls_entry *entry, const char *line,
                       struct err *e) {
        if (entry->n_options > 1)
                return err_set(e, -EINVAL, ERR_REFUSED, path,
                               "%s has %zu options lines, which boot loaders read differently; join them into "
                               "one", path,
                               entry->n_options);
        if (entry->n_options == 1 && entry->length == 0)
                return err_set(e, -EINVAL, ERR_REFUSED, path, "the options line in %s is empty; remove it first", path);
        if (!bls->grub && bls_options_are_quoted(line))
                return err_set(e, -EINVAL, ERR_REFUSED, path,
                               "the options in %s begin and end with a quote, which systemd-boot takes off; "
                               "begin the line with another parameter", path);
        return 0;
}

static int plan_entry(const struct bls *bls, const char *path, const char *text, const struct bls_entry *entry,
                      bool untouched, void *userdata, struct err *e) {
        struct planner *p = userdata;
        _cleanup_free_ char *line = NULL, *edited = NULL, *after = NULL;
        char name[256];
        int r;

        if (untouched)
                return 0;
        line = strndup(entry->options ? entry->options : "", entry->length);
        r = line ? check_entry(bls, path, entry, line, e) : err_line(path, -ENOMEM, e);
        if (r < 0 || has_kernelopts(bls, line))
                return r;
        r = bls_entry_name(path, name, sizeof(name));
        if (r >= 0)
                r = boot_edit_entry(p->edit, name, KERNEL_CMDLINE, line, bls->grub ? grub_quote : NULL, &edited);
        if (r < 0)
                return err_line(path, r, e);
        r = check_entry(bls, path, &(struct bls_entry) {}, edited, e);
        if (r < 0)
                return r;
        after = str_eq(edited, line) ? strdup(text) : bls_entry_replace(text, entry, edited);
        r = after ? plan_add_change(p->plan, path, text, after, 0644) : -ENOMEM;
        if (r < 0)
                return err_line(path, r, e);
        choose_model(p, path, TAKE_PTR(edited));
        return 0;
}

int bls_plan(const struct root *root, const struct bls *bls, struct boot_edit *edit, struct plan *plan,
             char **ret_model, struct err *e) {
        struct planner p = { .edit = edit, .plan = plan };
        int r;

        (void) efi_loader_text(root, "LoaderEntrySelected", p.selected, sizeof(p.selected));
        r = for_each_entry(root, bls, plan_entry, &p, e);
        if (r < 0)
                free(p.model);
        else
                *ret_model = p.model;
        return r;
}

/* Which entry was booted */

struct search {
        char selected[128];
        const char *version;
        char *name, *text;
        enum { FOUND_NONE, FOUND_KERNEL, FOUND_SELECTED } rank;
};

/* As a whole: 6.1.0-1 is not in "/vmlinuz-6.1.0-13". */
static bool mentions(const char *text, const char *version) {
        size_t n = strlen(version);

        for (const char *s = text; n > 0 && (s = strstr(s, version)); s++)
                if (!s[n] || strchr(" \t\r\n/", s[n]) || str_starts(s + n, ".efi") || str_starts(s + n, ".conf"))
                        return true;
        return false;
}

static int compare_entry(const struct bls *bls, const char *path, const char *text, const struct bls_entry *entry,
                         bool untouched, void *userdata, struct err *e) {
        struct search *s = userdata;
        char name[256], *copies[2];
        int rank;

        (void) bls, (void) entry;
        if (untouched || bls_entry_name(path, name, sizeof(name)) < 0)
                return 0;
        rank = str_eq(strrchr(name, '/') + 1, s->selected)              ? FOUND_SELECTED :
               mentions(text, s->version) || mentions(name, s->version) ? FOUND_KERNEL :
                                                                          FOUND_NONE;
        if (rank <= (int) s->rank)
                return 0;
        copies[0] = strdup(strrchr(name, '/') + 1);
        copies[1] = strdup(text);
        if (!copies[0] || !copies[1]) {
                free(copies[0]);
                free(copies[1]);
                return err_line(path, -ENOMEM, e);
        }
        free(s->name);
        free(s->text);
        s->name = copies[0];
        s->text = copies[1];
        s->rank = rank;
        return 0;
}

/* Moves the best one found to *ret_name and *ret_text; -ENOENT without one. */
static int search(const struct root *root, const struct bls *bls, struct search *s, char **ret_name, char **ret_text,
                  struct err *e) {
        int r = for_each_entry(root, bls, compare_entry, s, e);

        if (r < 0 || !s->text) {
                free(s->name);
                free(s->text);
                return r < 0 ? r : -ENOENT;
        }
        *ret_name = s->name;
        *ret_text = s->text;
        return 0;
}

int bls_find_booted(const struct root *root, const struct bls *bls, char **ret_text, struct err *e) {
        _cleanup_free_ char *name = NULL;
        char selected[128], release[128] = "";
        struct search s = { .version = release };
        int r;

        /* Before systemd 254 the name has the counter of tries in it. */
        if (efi_loader_text(root, "LoaderEntrySelected", selected, sizeof(selected)) >= 0)
                (void) bls_entry_name(selected, s.selected, sizeof(s.selected));
        (void) root_read_attr(root, release, sizeof(release), "/proc/sys/kernel/osrelease");
        r = search(root, bls, &s, &name, ret_text, e);
        if (r == -ENOENT)
                return err_set(e, r, ERR_NOT_FOUND, bls->folder,
                               "no entry in %s has the kernel that runs (%s): restart into one of them first", bls->folder,
                               *release ? release : "unknown");
        return r;
}

int bls_find_kernel(const struct root *root, const struct bls *bls, const char *version, char **ret_name, char **ret_text,
                    struct err *e) {
        struct search s = { .version = version };
        int r = search(root, bls, &s, ret_name, ret_text, e);

        if (r == -ENOENT)
                return err_set(e, r, ERR_NOT_FOUND, "kernel", "[boot] kernel=%s: no entry in %s is for that version", version,
                               bls->folder);
        return r;
}
