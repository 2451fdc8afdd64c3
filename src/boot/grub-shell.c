/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/grub-shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define CONFIG_MAX (4U << 20)

/* The next word as GRUB's shell (docs: "Shell-like scripting") makes it, in a buffer of at least as many bytes as the
 * line has, and one. Variables stay as they are written. False at the end of the command. */
static bool next_word(const char **pos, const char *end, char *out) {
        const char *s = *pos;
        char quote = '\0';

        while (s < end && (*s == ' ' || *s == '\t'))
                s++;
        *pos = s;
        if (s == end || strchr("#;&|<>{}", *s))
                return false;
        for (; s < end && (quote || !strchr(" \t;&|<>{}", *s)); s++) {
                if (*s == '\\' && s + 1 < end && quote != '\'' && (!quote || strchr("$\"\\", s[1])))
                        *out++ = *++s;
                else if (quote ? *s == quote : *s == '"' || *s == '\'')
                        quote = quote ? '\0' : *s;
                else
                        *out++ = *s;
        }
        *out = '\0';
        *pos = s;
        return true;
}

/* How GRUB hands words to the kernel: quoted where a space is in one, with backslashes before quotes. */
static void append_word(FILE *f, const char *word) {
        const char *mark = strchr(word, ' ') ? "\"" : "";

        fputs(mark, f);
        for (; *word; word++)
                fprintf(f, strchr("\\'\"", *word) ? "\\%c" : "%c", *word);
        fputs(mark, f);
}

/* The rest of a command as one text. */
static char *join_words(const char *pos, const char *end) {
        _cleanup_free_ char *word = malloc((size_t) (end - pos) + 1);
        char *out = NULL;
        size_t size, n = 0;
        FILE *f = word ? open_memstream(&out, &size) : NULL;

        if (!f)
                return NULL;
        while (next_word(&pos, end, word)) {
                if (n++ > 0)
                        fputc(' ', f);
                append_word(f, word);
        }
        if (fclose(f) != 0) {
                free(out);
                return NULL;
        }
        return out;
}

char *grub_unquote(const char *s, size_t length) {
        return join_words(s, s + length);
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
                if (strpbrk(edit->want[i], "\"'\\"))
                        return err_set(e, -EINVAL, ERR_INVALID, edit->want[i],
                                       "'%s': GRUB changes quotes and backslashes; write it without them",
                                       edit->want[i]);
        return 0;
}

/* Where in grub.cfg the reader is. */
struct reader {
        const char *path;
        struct boot_entries *entries;
        char title[128];
        bool recovery;
        bool foreign; /* in a part that no line of /etc/default/grub goes into: other systems, tools, own entries */
};

static void on_menuentry(struct reader *r, const char *pos, const char *end, char *word) {
        (void) str_copy(r->title, sizeof(r->title), next_word(&pos, end, word) ? word : "(no title)");
        /* Titles are translated, ids are not: gnulinux-VERSION-recovery-UUID. */
        r->recovery = strstr(r->title, "recovery mode");
        while (next_word(&pos, end, word))
                r->recovery |= strstr(word, "-recovery-") != NULL;
}

/* "linux /vmlinuz args…" */
static int on_linux(struct reader *r, const char *pos, const char *end, char *word) {
        _cleanup_free_ char *args = NULL;

        if (!next_word(&pos, end, word))
                return 0;
        args = join_words(pos, end);
        return args ? boot_entries_add(r->entries, r->title, r->path, args, r->recovery || r->foreign) : -ENOMEM;
}

/* grub-mkconfig puts each script's output between such lines. */
static void on_comment(struct reader *r, const char *line, const char *end) {
        static const char begin[] = "### BEGIN /etc/grub.d/";
        size_t length = (size_t) (end - line);

        if (length > strlen(begin) && strncmp(line, begin, strlen(begin)) == 0)
                r->foreign = !memmem(line + strlen(begin), length - strlen(begin), "linux", 5);
        else if (length > 8 && strncmp(line, "### END ", 8) == 0)
                r->foreign = false;
}

int grub_cfg_parse(const char *text, const char *path, struct boot_entries *entries) {
        _cleanup_free_ char *word = malloc(strlen(text) + 1);
        struct reader reader = { .path = path, .entries = entries, .title = "(no title)" };
        int r = word ? 0 : -ENOMEM;

        for (const char *line = text, *end; r >= 0 && *line; line = end + (*end == '\n')) {
                const char *pos = line;

                end = line + strcspn(line, "\n");
                if (*line == '#')
                        on_comment(&reader, line, end);
                if (!next_word(&pos, end, word))
                        continue;
                if (str_eq(word, "menuentry"))
                        on_menuentry(&reader, pos, end, word);
                else if (str_eq(word, "linux") || str_eq(word, "linuxefi") || str_eq(word, "linux16"))
                        r = on_linux(&reader, pos, end, word);
        }
        return r;
}

int grub_cfg_read(const struct root *root, const char *path, struct boot_entries *entries, struct err *e) {
        _cleanup_free_ char *text = NULL;
        int r = root_read(root, path, CONFIG_MAX, &text, NULL);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        r = grub_cfg_parse(text, path, entries);
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "out of memory") : 0;
}
