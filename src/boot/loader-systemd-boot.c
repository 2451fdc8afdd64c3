/* SPDX-License-Identifier: GPL-2.0-or-later */

/* systemd-boot with type 1 entries (UAPI.1): the options line of each entry, and /etc/kernel/cmdline for kernels to come.
 * kernel-install falls back to /proc/cmdline where that file is missing, which made one-off arguments permanent
 * (systemd#18456): so it is always written. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/loader.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define KERNEL_CMDLINE "/etc/kernel/cmdline"
#define ENTRY_MAX (64U << 10)

/* Where the ESP or the extended boot partition may be mounted: systemd's order (bootctl, find-esp.c). */
static const char *const boot_folders[] = { "/boot", "/efi", "/boot/efi" };

static const char *entries_folder(const struct root *root, char *buf, size_t size) {
        for (size_t i = 0; i < ARRAY_SIZE(boot_folders); i++) {
                _cleanup_strv_ char **names = NULL;

                if (root_list(root, &names, "%s/loader/entries", boot_folders[i]) < 0 || !*names)
                        continue;
                return str_format(buf, size, "%s/loader/entries", boot_folders[i]) < 0 ? NULL : buf;
        }
        return NULL;
}

static enum evidence detect(const struct root *root, char *text, size_t size) {
        char info[64], folder[64];

        if (!entries_folder(root, folder, sizeof(folder)))
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "systemd-boot") ? EVIDENCE_BOOTED : EVIDENCE_NONE;
        }
        /* GRUB of Fedora reads the same kind of entries. */
        if (root_exists(root, "/boot/grub2/grub.cfg") > 0)
                return EVIDENCE_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(boot_folders); i++)
                if (root_exists(root, "%s/EFI/systemd/systemd-bootx64.efi", boot_folders[i]) > 0 ||
                    root_exists(root, "%s/EFI/systemd/systemd-bootaa64.efi", boot_folders[i]) > 0) {
                        (void) str_copy(text, size, folder);
                        return EVIDENCE_FILES;
                }
        return EVIDENCE_NONE;
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

typedef int (*entry_function)(const char *path, const char *text, const struct options *options, void *userdata,
                              struct err *e);

static int for_each_entry(const struct root *root, entry_function fn, void *userdata, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        char folder[64], path[256];
        int r;

        if (!entries_folder(root, folder, sizeof(folder)))
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "loader/entries",
                               "no loader/entries folder in /boot, /efi or /boot/efi: is the EFI system partition mounted?");
        r = root_list(root, &names, "%s", folder);
        for (char **n = names; r >= 0 && *n; n++) {
                _cleanup_free_ char *text = NULL;
                struct options options;
                size_t size;

                if (!is_entry(*n))
                        continue;
                r = str_format(path, sizeof(path), "%s/%s", folder, *n);
                if (r >= 0)
                        r = root_read(root, path, ENTRY_MAX, &text, &size);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, *n, "%s/%s cannot be read: %s", folder, *n, strerror(-r));
                if (strlen(text) != size)
                        return err_set(e, -EBADMSG, ERR_FAILED, *n, "%s has a NUL byte in it", path);
                find_options(text, &options);
                r = fn(path, text, &options, userdata, e);
        }
        return r;
}

static int read_entry(const char *path, const char *text, const struct options *options, void *userdata,
                      struct err *e) {
        _cleanup_free_ char *line = NULL;
        int r;

        (void) text;
        line = strndup(options->start ? options->start : "", options->length);
        r = line ? boot_entries_add(userdata, strrchr(path, '/') + 1, path, line, false) : -ENOMEM;
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "out of memory") : 0;
}

static int read_cmdline(const struct root *root, char **ret, struct err *e) {
        int r = root_read(root, KERNEL_CMDLINE, CMDLINE_MAX * 2, ret, NULL);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, KERNEL_CMDLINE, "%s cannot be read: %s", KERNEL_CMDLINE, strerror(-r));
        return r;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *line = NULL;
        int r;

        r = for_each_entry(root, read_entry, &entries, e);
        if (r < 0)
                return r;
        r = read_cmdline(root, &line, e);
        if (r >= 0) {
                line[strcspn(line, "\n")] = '\0';
                r = boot_entries_add(&entries, "kernels to come", KERNEL_CMDLINE, line, false);
        }
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

struct planner {
        struct boot_edit *edit;
        struct plan *plan;
        char *first_line; /* of the first entry, as it is to be: a model for kernels to come */
};

static int err_line(const char *path, int r, struct err *e) {
        if (r == -EINVAL)
                return err_set(e, r, ERR_REFUSED, path,
                               "the options in %s have an open quote or a control character; correct them first", path);
        return err_set(e, r, ERR_FAILED, path, "%s: %s", path, strerror(-r));
}

static int plan_entry(const char *path, const char *text, const struct options *options, void *userdata,
                      struct err *e) {
        struct planner *p = userdata;
        _cleanup_free_ char *line = NULL, *edited = NULL, *after = NULL;
        int r;

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
        if (!p->first_line)
                p->first_line = TAKE_PTR(edited);
        return 0;
}

static int plan_kernels_to_come(const struct root *root, struct planner *p, struct err *e) {
        _cleanup_free_ char *before = NULL, *edited = NULL, *after = NULL;
        const struct ledger_file *ours = ledger_find(p->edit->before, KERNEL_CMDLINE);
        bool made_by_us = ours && ours->created;
        const char *rest;
        int r;

        r = read_cmdline(root, &before, e);
        if (r < 0 && r != -ENOENT)
                return r;
        if (!before) {
                if (p->edit->n_want == 0 || !p->first_line)
                        return 0;
                r = asprintf(&after, "%s\n", p->first_line) < 0 ? -ENOMEM : 0;
                for (size_t i = 0; r >= 0 && i < p->edit->n_want; i++)
                        r = ledger_own(&p->edit->after, KERNEL_CMDLINE, p->edit->want[i]);
                if (r >= 0)
                        r = ledger_own_file(&p->edit->after, KERNEL_CMDLINE);
                if (r >= 0)
                        r = plan_add_change(p->plan, KERNEL_CMDLINE, NULL, after, 0644);
                return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
        }
        rest = before + strcspn(before, "\n");
        if (strspn(rest, "\n") != strlen(rest))
                return err_set(e, -EINVAL, ERR_REFUSED, KERNEL_CMDLINE, "%s has several lines; join them into one",
                               KERNEL_CMDLINE);
        rest = strdupa(rest);
        before[strcspn(before, "\n")] = '\0';
        r = boot_edit_line(p->edit, KERNEL_CMDLINE, before, &edited);
        if (r >= 0) {
                _cleanup_free_ char *whole = NULL;

                if (asprintf(&whole, "%s%s", before, rest) < 0 || asprintf(&after, "%s%s", edited, rest) < 0)
                        return err_line(KERNEL_CMDLINE, -ENOMEM, e);
                if (made_by_us && p->edit->n_want > 0)
                        r = ledger_own_file(&p->edit->after, KERNEL_CMDLINE);
                /* A file that we made, and that still says nothing of its own, goes. */
                if (r >= 0)
                        r = plan_add_change(p->plan, KERNEL_CMDLINE, whole,
                                            made_by_us && p->edit->n_want == 0 && p->first_line &&
                                                            str_eq(edited, p->first_line) ? NULL : after, 0644);
        }
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        struct planner p = { edit, plan, NULL };
        int r;

        r = for_each_entry(root, plan_entry, &p, e);
        if (r >= 0)
                r = plan_kernels_to_come(root, &p, e);
        free(p.first_line);
        return r;
}

const struct loader loader_systemd_boot = {
        .name = "systemd-boot",
        .title = "systemd-boot with loader/entries",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
