/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/grub-shell.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define CONFIG_MAX (4U << 20)

/* GRUB's shell: a backslash takes the next character as it is, quotes group. Single quotes take all as it is. */
char *grub_unquote(const char *s, size_t length) {
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

/* backslash: how one stands in this file; also: the characters that sh takes for its own on top. */
static int quote(const char *parameter, const char *backslash, const char *also, char *buf, size_t size) {
        size_t n = 0;

        for (const char *s = parameter; *s; s++) {
                const char *escape = strchr(";&|<>{}$'\\#*?[]~!", *s) ? backslash : "";

                if (n + 6 >= size)
                        return -ENAMETOOLONG;
                n += (size_t) sprintf(buf + n, "%s%s%c", escape, strchr(also, *s) ? "\\" : "", *s);
        }
        buf[n] = '\0';
        return 0;
}

int grub_quote(const char *parameter, char *buf, size_t size) {
        return quote(parameter, "\\", "", buf, size);
}

int grub_quote_for_sh(const char *parameter, char *buf, size_t size) {
        return quote(parameter, "\\\\", "$`\"\\", buf, size);
}

int grub_check_wanted(const struct boot_edit *edit, struct err *e) {
        for (size_t i = 0; i < edit->n_want; i++)
                if (strchr(edit->want[i], '"'))
                        return err_set(e, -EINVAL, ERR_INVALID, edit->want[i],
                                       "'%s': GRUB changes quoted parameters; write it without quotes", edit->want[i]);
        return 0;
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

int grub_cfg_read(const struct root *root, const char *path, struct boot_entries *entries, struct err *e) {
        _cleanup_free_ char *text = NULL;
        char title[128] = "(no title)", *line, *save;
        int r;

        r = root_read(root, path, CONFIG_MAX, &text, NULL);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                _cleanup_free_ char *args = NULL;
                const char *raw;

                line += strspn(line, " \t");
                if (str_starts(line, "menuentry "))
                        title_of(line, title, sizeof(title));
                raw = linux_arguments(line);
                if (!raw)
                        continue;
                args = grub_unquote(raw, strlen(raw));
                r = args ? boot_entries_add(entries, title, path, args, strstr(title, "recovery mode")) : -ENOMEM;
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, path, "out of memory");
        }
        return 0;
}
