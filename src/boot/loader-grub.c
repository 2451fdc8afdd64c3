/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRUB where grub-mkconfig reads drop-ins (Debian, Ubuntu): one file of ours in /etc/default/grub.d appends to
 * GRUB_CMDLINE_LINUX_DEFAULT, which recovery entries do not get. The user's own file is never written. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/loader.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define DROP_IN_FOLDER "/etc/default/grub.d"
#define DROP_IN DROP_IN_FOLDER "/passthru.cfg"
#define CONFIG "/boot/grub/grub.cfg"
#define CONFIG_MAX (4U << 20)

static enum evidence detect(const struct root *root, char *text, size_t size) {
        _cleanup_free_ char *mkconfig = NULL;
        char info[64];

        if (root_exists(root, CONFIG) <= 0 || root_exists(root, "/etc/default/grub") <= 0 ||
            root_read(root, "/usr/sbin/grub-mkconfig", 1U << 20, &mkconfig, NULL) < 0 ||
            !strstr(mkconfig, "/default/grub.d"))
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "GRUB") ? EVIDENCE_BOOTED : EVIDENCE_FILES;
        }
        (void) str_copy(text, size, CONFIG);
        return EVIDENCE_FILES;
}

/* Reading grub.cfg */

/* GRUB's shell: a backslash takes the next character as it is, quotes group. Single quotes take all as it is. */
static char *unquote(const char *s, size_t length) {
        char *out = malloc(length + 1);
        size_t n = 0;
        char quote = '\0';

        for (size_t i = 0; out && i < length; i++) {
                if (quote != '\'' && s[i] == '\\' && i + 1 < length)
                        out[n++] = s[++i];
                else if (quote && s[i] == quote)
                        quote = '\0';
                else if (!quote && (s[i] == '"' || s[i] == '\''))
                        quote = s[i];
                else
                        out[n++] = s[i];
        }
        if (out)
                out[n] = '\0';
        return out;
}

/* The text between the first quote and the next one of the same kind: a menu entry's title. */
static void title_of(const char *line, char *buf, size_t size) {
        const char *start = strpbrk(line, "'\""), *end = start ? strchr(start + 1, *start) : NULL;

        if (end)
                (void) str_format(buf, size, "%.*s", (int) (end - start - 1), start + 1);
}

/* "linux /vmlinuz args…": the args. NULL when it is another command. */
static const char *linux_arguments(const char *line) {
        static const char *const commands[] = { "linux", "linuxefi", "linux16" };

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                size_t n = strlen(commands[i]);

                if (strncmp(line, commands[i], n) != 0 || !isspace((unsigned char) line[n]))
                        continue;
                line += n;
                line += strspn(line, " \t");
                line += strcspn(line, " \t");
                return line + strspn(line, " \t");
        }
        return NULL;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *text = NULL;
        char title[128] = "(no title)", *line, *save;
        int r;

        r = root_read(root, CONFIG, CONFIG_MAX, &text, NULL);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIG, "%s cannot be read: %s", CONFIG, strerror(-r));
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                _cleanup_free_ char *args = NULL;
                const char *raw;

                line += strspn(line, " \t");
                if (str_starts(line, "menuentry "))
                        title_of(line, title, sizeof(title));
                raw = linux_arguments(line);
                if (!raw)
                        continue;
                args = unquote(raw, strlen(raw));
                r = args ? boot_entries_add(&entries, title, CONFIG, args, strstr(title, "recovery mode")) : -ENOMEM;
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, CONFIG, "out of memory");
        }
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

/* Writing the drop-in */

/* Two shells read it, GRUB's after sh: 10_linux puts the value unquoted into grub.cfg, where ';' and others would end or
 * change the line (cloud-init#2120). */
static int quote_for_both(const char *parameter, char *buf, size_t size) {
        size_t n = 0;

        for (const char *s = parameter; *s; s++) {
                const char *escape = strchr(";&|<>{}$'\\#*?[]~!", *s) ? "\\\\" : "";

                /* $ ` " \ are special to sh between double quotes too. */
                if (n + 6 >= size)
                        return -ENAMETOOLONG;
                n += (size_t) sprintf(buf + n, "%s%s%c", escape, strchr("$`\"\\", *s) ? "\\" : "", *s);
        }
        buf[n] = '\0';
        return 0;
}

static int drop_in_text(struct boot_edit *edit, char **ret, struct err *e) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        int r = f ? 0 : -ENOMEM;

        if (f)
                fputs("# Written by 'passthru boot apply' from /etc/passthru/passthru.conf: change it there.\n"
                      "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT", f);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++) {
                char quoted[6 * PARAMETER_TEXT_MAX];

                /* GRUB takes quotes and moves them when it hands the line to the kernel. */
                if (strchr(edit->want[i], '"'))
                        r = err_set(e, -EINVAL, ERR_INVALID, edit->want[i],
                                    "'%s': GRUB changes quoted parameters; write it without quotes", edit->want[i]);
                else
                        r = quote_for_both(edit->want[i], quoted, sizeof(quoted));
                if (r >= 0) {
                        fprintf(f, " %s", quoted);
                        r = ledger_own(&edit->after, DROP_IN, edit->want[i]);
                }
        }
        if (f) {
                fputs("\"\n", f);
                if (fclose(f) != 0)
                        r = -ENOMEM;
        }
        if (r < 0) {
                free(text);
                return r;
        }
        *ret = text;
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        int r;

        r = root_read(root, DROP_IN, 1U << 16, &before, NULL);
        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, DROP_IN, "%s cannot be read: %s", DROP_IN, strerror(-r));
        if (before && !ledger_find(edit->before, DROP_IN))
                return err_set(e, -EEXIST, ERR_REFUSED, DROP_IN,
                               "%s exists, and the ledger does not say that it is ours; move it away", DROP_IN);
        if (edit->n_want > 0) {
                r = drop_in_text(edit, &after, e);
                if (r < 0)
                        return r;
                r = ledger_own_file(&edit->after, DROP_IN);
        }
        if (r >= 0 || r == -ENOENT)
                r = plan_add_change(plan, DROP_IN, before, after, 0644);
        if (r >= 0 && !plan_is_empty(plan))
                r = plan_add_command(plan, "writes " CONFIG, "update-grub", NULL);
        return r < 0 ? err_set(e, r, ERR_FAILED, DROP_IN, "%s: %s", DROP_IN, strerror(-r)) : 0;
}

const struct loader loader_grub = {
        .name = "grub",
        .title = "GRUB with " DROP_IN_FOLDER,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
