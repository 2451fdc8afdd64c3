/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/grub-default.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/grub-shell.h"
#include "model/cmdline.h"

/* Stands before an assignment that we added. */
#define MARK "# Added by 'passthru boot apply', and taken away by 'passthru boot revert'.\n"

/* Reading the script: quotes, comments, and what opens and closes a conditional */

struct scan {
        const char *name;
        size_t line, depth;
        struct grub_assignment found;
        struct err *e;
};

static int refuse(struct scan *s, const char *what, const char *way_out) {
        return err_set(s->e, -EINVAL, ERR_REFUSED, GRUB_DEFAULT, "%s, line %zu: %s; %s", GRUB_DEFAULT, s->line, what,
                       way_out);
}

static bool is_name(char c) {
        return isalnum((unsigned char) c) || c == '_';
}

static bool is_end(char c) {
        return !c || strchr(" \t\n;&|()", c);
}

/* Behind a quoted text that starts at s; *line counts what it spans. NULL: it is not closed. */
static const char *skip_quoted(const char *s, size_t *line) {
        char quote = *s++;

        for (; *s; s++) {
                *line += *s == '\n';
                if (quote == '"' && *s == '\\' && s[1])
                        *line += *++s == '\n';
                else if (*s == quote)
                        return s + 1;
        }
        return NULL;
}

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* What may stand in a value: text, escapes, and simple variables between double quotes. */
static int check_value(struct scan *s, const char *value, size_t length, char quote) {
        for (size_t i = 0; i < length; i++) {
                if (value[i] == '\n' || (value[i] == '\\' && i + 1 < length && value[i + 1] == '\n'))
                        return refuse(s, "the value goes over several lines", "write it in one line");
                if (quote == '\'')
                        continue;
                if (value[i] == '`' || (value[i] == '$' && i + 1 < length && value[i + 1] == '('))
                        return refuse(s, "the value runs a command", "write what it prints instead");
                if (value[i] == '$' && i + 1 < length && value[i + 1] == '{' &&
                    value[i + 2 + strspn(value + i + 2, NAME_CHARACTERS)] != '}')
                        return refuse(s, "the value changes a variable as it reads it",
                                      "write the value itself instead");
                if (value[i] == '\\')
                        i++;
        }
        return 0;
}

/* s is behind the "=" of an assignment of our name. */
static int found_assignment(struct scan *s, const char *value) {
        size_t line = s->line, length;
        const char *end;
        char quote = *value;
        int r;

        if (s->depth > 0)
                return refuse(s, "the assignment is inside of a condition", "move it out of it");
        if (s->found.n > 0)
                return refuse(s, "the name is assigned for the second time", "join the assignments into one");
        if (quote != '"' && quote != '\'')
                return refuse(s, "the value is not in quotes", "put double quotes around all of it");
        end = skip_quoted(value, &line);
        if (!end)
                return refuse(s, "the quote is not closed", "close it");
        length = (size_t) (end - value) - 2;
        r = check_value(s, value + 1, length, quote);
        if (r < 0)
                return r;
        end += strspn(end, " \t");
        if (*end && *end != '\n' && (*end != '#' || !strchr(" \t", end[-1])))
                return refuse(s, "something follows the closing quote", "leave one quoted value alone in its line");
        s->found = (struct grub_assignment) { value + 1, length, quote, 1 };
        return 0;
}

/* A word outside of quotes that starts at p. */
static int look_at_word(struct scan *s, const char *p, bool first_in_line) {
        static const char *const openers[] = { "if", "case", "for", "while", "until", "{" };
        static const char *const closers[] = { "fi", "esac", "done", "}" };
        size_t n = 0, name = strlen(s->name);
        const char *at;

        while (!is_end(p[n]) && p[n] != '"' && p[n] != '\'')
                n++;
        for (size_t i = 0; i < ARRAY_SIZE(openers); i++)
                s->depth += n == strlen(openers[i]) && strncmp(p, openers[i], n) == 0;
        for (size_t i = 0; i < ARRAY_SIZE(closers); i++)
                s->depth -= s->depth > 0 && n == strlen(closers[i]) && strncmp(p, closers[i], n) == 0;

        at = memmem(p, n, s->name, name);
        if (!at || is_name(at[name]) || (at > p && (is_name(at[-1]) || at[-1] == '$' || at[-1] == '{')))
                return 0;
        if (at > p || !first_in_line)
                return refuse(s, "the name is used in a way that cannot be edited safely",
                              "write NAME=\"value\" at the start of a line");
        if (strncmp(at + name, "+=", 2) == 0)
                return refuse(s, "'+=' is no sh and stops grub-mkconfig", "write the whole value in one assignment");
        if (at[name] != '=')
                return refuse(s, "there is no '=' right behind the name", "write NAME=\"value\" without spaces");
        return found_assignment(s, at + name + 1);
}

int grub_default_find(const char *text, const char *name, struct grub_assignment *ret, struct err *e) {
        struct scan s = { .name = name, .line = 1, .e = e };
        bool first = true, word = true;
        const char *p, *cr = strchr(text, '\r');
        int r;

        if (cr) {
                for (p = text; p < cr; p++)
                        s.line += *p == '\n';
                return refuse(&s, "a carriage return, which would end up in a value",
                              "convert the file to Unix line ends (sed -i 's/\\r$//')");
        }
        for (p = text; *p;) {
                if (word && !is_end(*p) && *p != '#') {
                        r = look_at_word(&s, p, first);
                        if (r < 0)
                                return r;
                        /* "export NAME=…" starts a line too. */
                        first = first && strncmp(p, "export", 6) == 0 && is_end(p[6]);
                }
                if (*p == '"' || *p == '\'') {
                        size_t line = s.line;
                        const char *end = skip_quoted(p, &line);

                        if (!end)
                                return refuse(&s, "a quote is not closed", "close it");
                        p = end;
                        s.line = line;
                        word = false;
                        continue;
                }
                if (*p == '#' && word) {
                        p += strcspn(p, "\n");
                        continue;
                }
                if (*p == '\\' && p[1]) {
                        s.line += p[1] == '\n';
                        /* sh takes a continued line as if neither character was there. */
                        word = word && p[1] == '\n';
                        p += 2;
                        continue;
                }
                word = is_end(*p);
                if (*p == '\n') {
                        s.line++;
                        first = true;
                }
                p++;
        }
        *ret = s.found;
        return 0;
}

/* Reading and writing the value */

static int read_file(const struct root *root, const char *path, char **ret, struct err *e) {
        size_t size;
        int r = root_read(root, path, GRUB_DEFAULT_MAX, ret, &size);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        if (strlen(*ret) != size)
                return err_set(e, -EBADMSG, ERR_FAILED, path, "%s has a NUL byte in it", path);
        return 0;
}

int grub_default_get(const struct root *root, const char *name, char *buf, size_t size) {
        _cleanup_free_ char *text = NULL;
        char *line, *save;
        int r = root_read(root, GRUB_DEFAULT, GRUB_DEFAULT_MAX, &text, NULL);

        if (r < 0)
                return r;
        *buf = '\0';
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                line += strspn(line, " \t");
                if (!str_starts(line, name) || line[strlen(name)] != '=')
                        continue;
                line += strlen(name) + 1;
                line += strspn(line, "\"'");
                r = str_format(buf, size, "%.*s", (int) strcspn(line, "\"' \t\r#"), line);
        }
        return r;
}

/* sh's view of a value between double quotes. */
static char *sh_unquote(const struct grub_assignment *a) {
        char *out = malloc(a->length + 1);
        size_t n = 0;

        for (size_t i = 0; out && i < a->length; i++) {
                if (a->quote == '"' && a->start[i] == '\\' && i + 1 < a->length && strchr("$`\"\\", a->start[i + 1]))
                        i++;
                out[n++] = a->start[i];
        }
        if (out)
                out[n] = '\0';
        return out;
}

int grub_default_read(const struct root *root, const char *path, const char *name, const char *title,
                      struct boot_entries *entries, struct err *e) {
        _cleanup_free_ char *text = NULL, *value = NULL, *line = NULL;
        struct grub_assignment a;
        int r = read_file(root, path, &text, e);

        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = grub_default_find(text, name, &a, e);
        if (r < 0)
                return r;
        if (a.n == 0)
                return 0;
        value = sh_unquote(&a);
        line = value ? grub_unquote(value, strlen(value)) : NULL;
        r = line ? boot_entries_add(entries, title, path, line, false) : -ENOMEM;
        return r < 0 ? err_line(path, r, e) : 0;
}

/* The text with an assignment of ours at its end. A last line without its end stays one. It appends: the variable may
 * have been set in a way that was not seen (another file that is sourced). */
static int add_assignment(const char *text, const char *name, char **ret) {
        size_t n = strlen(text);
        bool ended = n == 0 || text[n - 1] == '\n';

        return asprintf(ret, "%s%s" MARK "%s=\"$%s\"%s", text, ended ? "" : "\n", name, name, ended ? "\n" : "") < 0 ?
                       -ENOMEM :
                       0;
}

/* Takes an assignment that we added, with nothing in it, out of the text again. */
static void remove_assignment(char *text, const char *name) {
        _cleanup_free_ char *ours = NULL;
        char *at, *end;

        if (asprintf(&ours, MARK "%s=\"$%s\"", name, name) < 0 || !(at = strstr(text, ours)))
                return;
        end = at + strlen(ours);
        if (*end == '\n')
                end++;
        else if (at > text && !*end)
                at--;
        memmove(at, end, strlen(end) + 1);
}

int grub_default_plan(const struct root *root, struct boot_edit *edit, const char *name, struct plan *plan,
                      struct err *e) {
        _cleanup_free_ char *before = NULL, *text = NULL, *value = NULL, *edited = NULL, *after = NULL;
        struct grub_assignment a;
        int r;

        r = read_file(root, GRUB_DEFAULT, &before, e);
        if (r >= 0)
                r = grub_default_find(before, name, &a, e);
        if (r < 0)
                return r;
        if (a.n == 0 && edit->n_want == 0)
                return 0;
        r = a.n > 0 ? (text = strdup(before)) ? 0 : -ENOMEM : add_assignment(before, name, &text);
        if (r >= 0)
                r = grub_default_find(text, name, &a, e);
        if (r >= 0)
                r = (value = strndup(a.start, a.length)) ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && a.quote == '\'' && i < edit->n_want; i++)
                if (strchr(edit->want[i], '\''))
                        return err_set(e, -EINVAL, ERR_REFUSED, GRUB_DEFAULT,
                                       "%s: %s is in single quotes, and '%s' has one; put double quotes around "
                                       "the value",
                                       GRUB_DEFAULT, name, edit->want[i]);
        if (r >= 0)
                r = boot_edit_quoted_line(edit, GRUB_DEFAULT, value, a.quote == '"' ? grub_quote_for_sh : grub_quote,
                                          &edited);
        if (r >= 0 && asprintf(&after, "%.*s%s%s", (int) (a.start - text), text, edited, a.start + a.length) < 0)
                r = -ENOMEM;
        if (r < 0)
                return err_line(GRUB_DEFAULT, r, e);
        remove_assignment(after, name);
        r = plan_add_change(plan, GRUB_DEFAULT, before, after, 0644);
        return r < 0 ? err_line(GRUB_DEFAULT, r, e) : 0;
}
