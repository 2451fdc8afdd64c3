/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/grub-kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/grub-drop-in.h"

#define CONFIG "/boot/grub/grub.cfg"
#define CONFIG_MAX (4U << 20)
#define MARK " # passthru: [boot] kernel="

/* The quoted word that begins with prefix, before end. NULL: there is none. */
static const char *find_id(const char *text, const char *end, const char *prefix, size_t *ret_length) {
        const char *found = NULL;
        char quoted[128];

        if (str_format(quoted, sizeof(quoted), "'%s", prefix) < 0)
                return NULL;
        /* The last one: the submenu that an entry is in comes just before it. */
        for (const char *s = text; (s = strstr(s, quoted)) && s < end; s++) {
                found = s + 1;
                *ret_length = strcspn(found, "'\n");
        }
        return found;
}

int grub_kernel_find(const struct root *root, const char *version, char *buf, size_t size, struct err *e) {
        _cleanup_free_ char *config = NULL;
        char prefix[128];
        const char *entry = NULL, *submenu;
        size_t length, submenu_length;
        int r = root_read(root, CONFIG, CONFIG_MAX, &config, NULL);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIG, "%s cannot be read: %s", CONFIG, strerror(-r));
        if (str_format(prefix, sizeof(prefix), "gnulinux-%s-advanced-", version) >= 0)
                entry = find_id(config, config + strlen(config), prefix, &length);
        if (!entry)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "kernel",
                               "[boot] kernel=%s: %s has no entry for that version; 'ls /boot/vmlinuz-*' shows what is "
                               "installed", version, CONFIG);
        submenu = find_id(config, entry, "gnulinux-advanced-", &submenu_length);
        r = submenu ? str_format(buf, size, "%.*s>%.*s", (int) submenu_length, submenu, (int) length, entry) :
                      str_format(buf, size, "%.*s", (int) length, entry);
        return r < 0 ? err_set(e, r, ERR_FAILED, CONFIG, "the name of the entry for %s is too long", version) : 0;
}

/* What the file holds when what is planned so far is done. NULL: nothing. */
static const char *planned_text(const struct plan *plan, const char *now) {
        for (size_t i = 0; i < plan->n_changes; i++)
                if (str_eq(plan->changes[i].path, GRUB_DROP_IN))
                        return plan->changes[i].after;
        return now;
}

/* The text without our line for this version, and with ours for the wanted one. "": nothing is left. */
static int new_text(const char *text, const char *old_version, const char *version, const char *id, char **ret) {
        char mark[128] = "";
        char *out = NULL;
        size_t size;
        FILE *f;

        if (*old_version && str_format(mark, sizeof(mark), MARK "%s", old_version) < 0)
                return -ENAMETOOLONG;
        f = open_memstream(&out, &size);
        if (!f)
                return -ENOMEM;
        for (const char *line = text, *end; *line; line = end + (*end == '\n')) {
                end = line + strcspn(line, "\n");
                if (!(*mark && str_starts(line, "GRUB_DEFAULT='") && (size_t) (end - line) > strlen(mark) &&
                      strncmp(end - strlen(mark), mark, strlen(mark)) == 0))
                        fprintf(f, "%.*s%s", (int) (end - line), line, *end ? "\n" : "");
        }
        if (*version)
                fprintf(f, "GRUB_DEFAULT='%s'" MARK "%s\n", id, version);
        if (fclose(f) != 0) {
                free(out);
                return -ENOMEM;
        }
        *ret = out;
        return 0;
}

int grub_kernel_plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *now = NULL, *after = NULL;
        const char *planned;
        char id[256] = "";
        int r = root_read(root, GRUB_DROP_IN, 64U << 10, &now, NULL);

        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, GRUB_DROP_IN, "%s cannot be read: %s", GRUB_DROP_IN, strerror(-r));
        if (*edit->kernel) {
                /* A grub.cfg that was cut off while it was written names nothing. */
                if (str_eq(edit->kernel, edit->before->kernel) && edit->before->unfinished)
                        (void) str_copy(id, sizeof(id), edit->before->default_id);
                if (!*id && (r = grub_kernel_find(root, edit->kernel, id, sizeof(id), e)) < 0)
                        return r;
                (void) str_copy(edit->after.default_id, sizeof(edit->after.default_id), id);
        }
        planned = planned_text(plan, now);
        r = new_text(planned ? planned : "", edit->before->kernel, edit->kernel, id, &after);
        if (r >= 0 && *edit->kernel)
                r = ledger_own_file(&edit->after, GRUB_DROP_IN);
        if (r >= 0)
                r = plan_add_change(plan, GRUB_DROP_IN, now, *after ? after : NULL, 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, GRUB_DROP_IN, "%s: %s", GRUB_DROP_IN, strerror(-r)) : 0;
}

int grub_kernel_verify(const struct root *root, const struct boot_edit *edit, struct err *e) {
        _cleanup_free_ char *config = NULL;
        char id[256], line[300];
        int r = grub_kernel_find(root, edit->kernel, id, sizeof(id), e);

        if (r < 0)
                return r;
        r = root_read(root, CONFIG, CONFIG_MAX, &config, NULL);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIG, "%s cannot be read: %s", CONFIG, strerror(-r));
        (void) str_format(line, sizeof(line), "set default=\"%s\"", id);
        return strstr(config, line) ? 0 : err_set(e, -EIO, ERR_FAILED, CONFIG, "%s should have the line %s", CONFIG, line);
}
