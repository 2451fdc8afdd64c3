/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

static bool is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

bool cmdline_next(const char **pos, struct token *ret) {
        const char *s = *pos;
        bool quoted = false;

        while (is_space(*s))
                s++;
        if (!*s)
                return false;
        ret->start = s;
        for (; *s && (quoted || !is_space(*s)); s++)
                if (*s == '"')
                        quoted = !quoted;
        ret->length = (size_t) (s - ret->start);
        *pos = s;
        return true;
}

bool cmdline_is_valid(const char *line) {
        bool quoted = false;

        for (; *line; line++) {
                if (((unsigned char) *line < 0x20 && *line != '\t') || *line == 0x7f)
                        return false;
                if (*line == '"')
                        quoted = !quoted;
        }
        return !quoted;
}

static bool token_is(const struct token *t, const char *s) {
        return t->length == strlen(s) && memcmp(t->start, s, t->length) == 0;
}

bool parameter_is_valid(const char *parameter) {
        struct token t;
        bool any = false;

        if (!cmdline_is_valid(parameter))
                return false;
        while (cmdline_next(&parameter, &t)) {
                if (token_is(&t, "--") || *t.start == '=')
                        return false;
                any = true;
        }
        return any;
}

/* The part before '='; a token quoted as a whole starts behind the quote. */
static struct token name_of(const struct token *t) {
        struct token name = *t;
        const char *equals;

        if (name.length > 0 && *name.start == '"') {
                name.start++;
                name.length--;
        }
        equals = memchr(name.start, '=', name.length);
        if (equals)
                name.length = (size_t) (equals - name.start);
        return name;
}

static char fold(char c) {
        return c == '-' ? '_' : c;
}

static bool same_name(const struct token *a, const struct token *b) {
        struct token x = name_of(a), y = name_of(b);

        if (x.length != y.length)
                return false;
        for (size_t i = 0; i < x.length; i++)
                if (fold(x.start[i]) != fold(y.start[i]))
                        return false;
        return true;
}

/* The same name, in the kernel's eyes, and the same text behind it. */
static bool same_token(const struct token *a, const struct token *b) {
        struct token x = name_of(a), y = name_of(b);
        size_t rest_a = (size_t) (a->start + a->length - (x.start + x.length)),
               rest_b = (size_t) (b->start + b->length - (y.start + y.length));

        return same_name(a, b) && rest_a == rest_b && memcmp(x.start + x.length, y.start + y.length, rest_a) == 0;
}

enum parameter_kind parameter_kind(const char *name, size_t length) {
        /* Each occurrence is handled on its own by the kernel: early_param and __setup functions that add up, from
         * Documentation/admin-guide/kernel-parameters.txt. */
        static const char *const lists[] = {
                "pci",      "console",      "earlycon",     "initcall_blacklist", "module_blacklist", "hugepagesz",
                "dyndbg",   "memmap",       "video",        "systemd.mask",       "systemd.wants",    "rd.driver.pre",
                "acpi_osi", "rd.luks.uuid", "systemd.setenv",
        };
        struct token given = { name, length };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                struct token list = { lists[i], strlen(lists[i]) };

                if (same_name(&given, &list))
                        return PARAMETER_LIST;
        }
        return PARAMETER_SCALAR;
}

/* The next token that is for the kernel. */
static bool next_kernel_token(const char **pos, struct token *ret) {
        return cmdline_next(pos, ret) && !token_is(ret, "--");
}

static size_t count_tokens(const char *parameter) {
        struct token t;
        size_t n = 0;

        while (cmdline_next(&parameter, &t))
                n++;
        return n;
}

/* All tokens of the parameter follow each other from here on. */
static bool starts_with(const char *line, const char *parameter) {
        struct token wanted, found;

        while (cmdline_next(&parameter, &wanted))
                if (!next_kernel_token(&line, &found) || !same_token(&wanted, &found))
                        return false;
        return true;
}

bool cmdline_contains(const char *line, const char *parameter) {
        struct token t;

        do
                if (starts_with(line, parameter))
                        return true;
        while (next_kernel_token(&line, &t));
        return false;
}

bool cmdline_overridden_by(const char *line, const char *parameter, struct token *ret) {
        struct token wanted, t, last = {};

        if (count_tokens(parameter) != 1 || !cmdline_next(&parameter, &wanted))
                return false;
        if (parameter_kind(name_of(&wanted).start, name_of(&wanted).length) == PARAMETER_LIST)
                return false;
        while (next_kernel_token(&line, &t))
                if (same_name(&t, &wanted))
                        last = t;
        if (!last.start || same_token(&last, &wanted))
                return false;
        *ret = last;
        return true;
}

bool cmdline_has(const char *line, const char *parameter) {
        struct token t;

        return cmdline_contains(line, parameter) && !cmdline_overridden_by(line, parameter, &t);
}

int cmdline_add(const char *line, const char *parameter, char **ret) {
        const char *pos = line, *end = line + strlen(line);
        struct token t;
        size_t head;

        if (!cmdline_is_valid(line) || !parameter_is_valid(parameter))
                return -EINVAL;
        if (cmdline_has(line, parameter)) {
                *ret = strdup(line);
                return *ret ? 0 : -ENOMEM;
        }
        while (cmdline_next(&pos, &t))
                if (token_is(&t, "--")) {
                        end = t.start;
                        break;
                }
        /* White space at the end stays where it is: it is not ours. */
        head = (size_t) (end - line);
        while (head > 0 && is_space(line[head - 1]))
                head--;
        return asprintf(ret, "%.*s%s%s%s%s", (int) head, line, head > 0 ? " " : "", parameter,
                        head == 0 && *line ? " " : "", line + head) < 0 ? -ENOMEM : 0;
}

int cmdline_remove(const char *line, const char *parameter, char **ret) {
        const char *pos = line, *found = NULL;
        size_t length = strlen(parameter), head;
        struct token t;

        if (!cmdline_is_valid(line) || !parameter_is_valid(parameter))
                return -EINVAL;
        while (next_kernel_token(&pos, &t))
                if (strncmp(t.start, parameter, length) == 0 && (!t.start[length] || is_space(t.start[length])))
                        found = t.start;
        if (!found) {
                *ret = strdup(line);
                return *ret ? 0 : -ENOMEM;
        }
        head = (size_t) (found - line);
        if (head > 0)
                head--;
        else if (found[length])
                length++; /* the first of several: the space behind it goes */
        return asprintf(ret, "%.*s%s", (int) head, line, found + length) < 0 ? -ENOMEM : 0;
}

int cmdline_edit(char **line, int (*edit)(const char *line, const char *parameter, char **ret), const char *parameter) {
        char *next;
        int r = edit(*line, parameter, &next);

        if (r < 0)
                return r;
        free(*line);
        *line = next;
        return 0;
}
