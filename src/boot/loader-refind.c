/* SPDX-License-Identifier: GPL-2.0-or-later */

/* rEFInd with refind_linux.conf beside the kernel: lines "label" "options", of which the first is the default. The
 * others are the way back and are left as they are. Nothing has to run. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define CONFIG "/boot/refind_linux.conf"

static enum evidence detect(const struct root *root, char *text, size_t size) {
        char info[64];

        if (root_exists(root, CONFIG) <= 0)
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "rEFInd") ? EVIDENCE_BOOTED : EVIDENCE_NONE;
        }
        (void) str_copy(text, size, CONFIG);
        return EVIDENCE_FILES;
}

/* A text between quotes, in which "" is one quote. */
struct quoted {
        const char *start;
        size_t length;
};

/* Behind the quoted text at s; NULL: there is none, or its end is missing. */
static const char *next_quoted(const char *s, struct quoted *ret) {
        s += strspn(s, " \t");
        if (*s != '"')
                return NULL;
        ret->start = ++s;
        for (; *s && *s != '\n'; s++)
                if (*s == '"' && s[1] == '"')
                        s++;
                else if (*s == '"') {
                        ret->length = (size_t) (s - ret->start);
                        return s + 1;
                }
        return NULL;
}

static char *unquote(const struct quoted *q) {
        char *out = malloc(q->length + 1);
        size_t n = 0;

        for (size_t i = 0; out && i < q->length; i++) {
                out[n++] = q->start[i];
                i += q->start[i] == '"';
        }
        if (out)
                out[n] = '\0';
        return out;
}

static int quote(const char *parameter, char *buf, size_t size) {
        size_t n = 0;

        for (const char *s = parameter; *s; s++) {
                if (n + 3 > size)
                        return -ENAMETOOLONG;
                if (*s == '"')
                        buf[n++] = '"';
                buf[n++] = *s;
        }
        buf[n] = '\0';
        return 0;
}

static int read_file(const struct root *root, char **ret, struct err *e) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = root_read(root, CONFIG, 64U << 10, &text, &size);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIG, "%s cannot be read: %s", CONFIG, strerror(-r));
        if (strlen(text) != size)
                return err_set(e, -EBADMSG, ERR_REFUSED, CONFIG, "%s is not in UTF-8; convert it with iconv", CONFIG);
        *ret = TAKE_PTR(text);
        return 0;
}

/* From the line at *pos on, the next that is no comment and not empty. False at the end. */
static bool next_line(const char **pos, size_t *number) {
        for (const char *s = *pos; *s; s += *s == '\n', ++*number) {
                const char *text = s + strspn(s, " \t\r");

                if (*text && *text != '\n' && *text != '#') {
                        *pos = s;
                        return true;
                }
                s += strcspn(s, "\n");
        }
        return false;
}

static int parse_line(const char *line, size_t number, struct quoted *label, struct quoted *options, struct err *e) {
        const char *s = next_quoted(str_starts(line, "\xef\xbb\xbf") ? line + 3 : line, label);

        s = s ? next_quoted(s, options) : NULL;
        if (!s || (s[strspn(s, " \t\r")] && !strchr("\n#", s[strspn(s, " \t\r")])))
                return err_set(e, -EINVAL, ERR_REFUSED, CONFIG,
                               "%s, line %zu: wanted a label and the options, each in double quotes and nothing "
                               "behind them",
                               CONFIG, number);
        return 0;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *text = NULL;
        size_t number = 1;
        const char *line;
        int r = read_file(root, &text, e);

        if (r < 0)
                return r;
        for (line = text; next_line(&line, &number); line += strcspn(line, "\n")) {
                _cleanup_free_ char *title = NULL, *args = NULL;
                struct quoted label, options;

                if (parse_line(line, number, &label, &options, entries.n > 0 ? NULL : e) < 0) {
                        if (entries.n > 0)
                                continue;
                        return -EINVAL;
                }
                title = unquote(&label);
                args = unquote(&options);
                r = title && args ? boot_entries_add(&entries, title, CONFIG, args, entries.n > 0) : -ENOMEM;
                if (r < 0)
                        return err_line(CONFIG, r, e);
        }
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *text = NULL, *before = NULL, *edited = NULL, *after = NULL;
        struct quoted label, options;
        size_t number = 1;
        const char *line;
        int r = read_file(root, &text, e);

        if (r < 0)
                return r;
        line = text;
        if (!next_line(&line, &number))
                return err_set(e, -ENODATA, ERR_REFUSED, CONFIG, "%s has no line to edit; run mkrlconf", CONFIG);
        for (size_t i = 0; i < edit->n_want; i++)
                if (strstr(edit->want[i], "%v"))
                        return err_set(e, -EINVAL, ERR_INVALID, edit->want[i],
                                       "'%s': rEFInd puts the kernel's version in the place of %%v; write it without",
                                       edit->want[i]);
        r = parse_line(line, number, &label, &options, e);
        if (r < 0)
                return r;
        before = strndup(options.start, options.length);
        r = before ? boot_edit_quoted_line(edit, CONFIG, before, quote, &edited) : -ENOMEM;
        if (r >= 0 && asprintf(&after, "%.*s%s%s", (int) (options.start - text), text, edited,
                               options.start + options.length) < 0)
                r = -ENOMEM;
        if (r >= 0)
                r = plan_add_change(plan, CONFIG, text, after, 0644);
        return r < 0 ? err_line(CONFIG, r, e) : 0;
}

const struct loader loader_refind = {
        .name = "refind",
        .title = "rEFInd with " CONFIG,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
