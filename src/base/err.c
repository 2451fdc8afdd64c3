/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* Process names and other texts from outside may hold anything, and a cut may have split a character. */
static void clean(char *s) {
        str_printable(s);
        utf8_repair(s);
}

int err_set(struct err *e, int r, const char *id, const char *subject, const char *fmt, ...) {
        char message[ERR_MESSAGE_MAX];
        va_list ap;

        if (!e)
                return r;

        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);

        e->code = r;
        (void) str_copy(e->id, sizeof(e->id), id);
        (void) str_copy(e->subject, sizeof(e->subject), subject ? subject : "");
        memcpy(e->message, message, sizeof(message));
        clean(e->subject);
        clean(e->message);
        return r;
}

int err_prefix(struct err *e, const char *fmt, ...) {
        char message[ERR_MESSAGE_MAX];
        size_t n;
        va_list ap;

        if (!e)
                return 0;

        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);

        n = strlen(message);
        (void) str_format(message + n, sizeof(message) - n, ": %s", e->message);
        memcpy(e->message, message, sizeof(message));
        clean(e->message);
        return e->code;
}

void err_append(struct err *e, const char *fmt, ...) {
        size_t n;
        va_list ap;

        if (!e)
                return;
        n = strlen(e->message);
        va_start(ap, fmt);
        (void) vsnprintf(e->message + n, sizeof(e->message) - n, fmt, ap);
        va_end(ap);
        clean(e->message);
}
