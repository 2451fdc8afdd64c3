/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

#include "base/utf8.h"

#define LINE_LENGTH_MAX 4096

/* Debian's inih has a variable for what is fixed at its build elsewhere. */
extern int ini_max_line __attribute__((weak));

struct source {
        struct ini_entry entry;
        const char *next, *end;
        char section[LINE_LENGTH_MAX];
        ini_entry_handler handler; /* NULL: check the syntax only */
        void *userdata;
        int r;
        struct err *e;
};

static int fail(struct source *s, int r) {
        err_prefix(s->e, "%s:%u", s->entry.file, s->entry.line);
        return s->r = r;
}

#define fail_syntax(s, ...) fail(s, err_set((s)->e, -EINVAL, ERR_INVALID, (s)->entry.file, __VA_ARGS__))

static int emit(struct source *s, const char *key, const char *value) {
        int r;

        if (!s->handler)
                return 0;
        s->entry.key = key;
        s->entry.value = value;
        r = s->handler(&s->entry, s->userdata, s->e);
        return r < 0 ? fail(s, r) : 0;
}

static int begin_section(struct source *s, const char *line, size_t n) {
        if (line[n - 1] != ']' || memchr(line, ']', n - 1))
                return fail_syntax(s, "wanted [section] and nothing else in the line, found “%s”", line);
        memcpy(s->section, line + 1, n - 2);
        s->section[n - 2] = '\0';
        return emit(s, NULL, NULL);
}

/* inih's own answer to each of these is to take something else than what was written. The line is not empty and
 * has no white space at its end. */
static int check_line(struct source *s, const char *line, size_t n) {
        size_t key = strcspn(line, "=:");

        if (isspace((unsigned char) *line))
                return fail_syntax(s, "wanted no white space before “%s”: a value cannot go on in the next line",
                                   line + strspn(line, " \t"));
        for (size_t i = 1; i < n; i++)
                if (line[i] == ';' && isspace((unsigned char) line[i - 1]))
                        return fail_syntax(s, "wanted no “ ;” in “%s”: a comment needs a line of its own", line);
        if (*line == '[')
                return begin_section(s, line, n);
        if (key == 0 || line[key] != '=')
                return fail_syntax(s, "wanted key=value, [section] or # comment, found “%s”", line);
        return 0;
}

/* The next line without its end, *ret_size bytes that may be anything. */
static const char *next_line(struct source *s, size_t *ret_size) {
        const char *line = s->next, *newline = memchr(line, '\n', (size_t) (s->end - line));
        const char *end = newline ? newline : s->end;

        s->next = newline ? newline + 1 : s->end;
        s->entry.line++;
        while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
                end--;
        *ret_size = (size_t) (end - line);
        return line;
}

static int copy_line(struct source *s, char *buf, size_t size) {
        size_t n, max = size - sizeof("\n") < LINE_LENGTH_MAX ? size - sizeof("\n") : LINE_LENGTH_MAX;
        const char *line = next_line(s, &n);

        if (n > max)
                return fail_syntax(s, "wanted at most %zu bytes in a line, found %zu", max, n);
        for (size_t i = 0; i < n; i++)
                if (((unsigned char) line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
                        return fail_syntax(s, "wanted plain text, found the control character 0x%02x", line[i]);
        memcpy(buf, line, n);
        buf[n] = '\0';
        if (utf8_span(buf) != n)
                return fail_syntax(s, "wanted UTF-8, found the byte 0x%02x; save the file as UTF-8",
                                   (unsigned char) buf[utf8_span(buf)]);
        return 0;
}

/* One line for inih, or NULL at the end and after an error. */
static char *read_line(char *buf, int size, void *stream) {
        struct source *s = stream;
        bool comment;

        if (s->r < 0 || s->next == s->end || copy_line(s, buf, (size_t) size) < 0)
                return NULL;
        comment = strchr("#;", buf[strspn(buf, " \t")]); /* or an empty line, which ends in the same NUL */
        if (!comment && check_line(s, buf, strlen(buf)) < 0)
                return NULL;
        return strcat(buf, "\n");
}

static int on_pair(void *userdata, const char *section, const char *key, const char *value) {
        (void) section; /* cut at 49 bytes */
        return emit(userdata, key, value) >= 0;
}

static int run(const char *file, const char *text, size_t size, ini_entry_handler handler, void *userdata,
               struct err *e) {
        struct source s = {
                .entry = { .file = file },
                .next = text,
                .end = text + size,
                .handler = handler,
                .userdata = userdata,
                .e = e,
        };
        int r;

        s.entry.section = s.section;
        /* The mark that some editors put in front. All of them: inih takes one away as well, after our checks. */
        while (s.end - s.next >= 3 && memcmp(s.next, "\xef\xbb\xbf", 3) == 0)
                s.next += 3;
        if (&ini_max_line)
                ini_max_line = LINE_LENGTH_MAX + 2;
        r = ini_parse_stream(read_line, &s, on_pair, &s);
        if (s.r < 0)
                return s.r;
        if (r < 0)
                return err_set(e, -ENOMEM, ERR_FAILED, file, "%s: out of memory", file);
        if (r > 0)
                return err_set(e, -EINVAL, ERR_INVALID, file, "%s:%d: wanted key=value or [section]", file, r);
        return 0;
}

int ini_load_text(const char *file, const char *text, size_t size, ini_entry_handler handler, void *userdata,
                  struct err *e) {
        int r;

        r = run(file, text, size, NULL, NULL, e);
        return r < 0 || !handler ? r : run(file, text, size, handler, userdata, e);
}
