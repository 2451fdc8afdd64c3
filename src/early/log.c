/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_MAX_KMSG 900 /* of the kernel's 1024, its own prefix included */

void log_open(struct log *log, const struct root *root) {
        *log = (struct log){ .fd = root_open(root, "/dev/kmsg", O_WRONLY | O_APPEND | O_NOCTTY, 0) };
}

void log_close(struct log *log) {
        closep(&log->fd);
        log->fd = -1;
}

void log_line(struct log *log, enum log_level level, const char *fmt, ...) {
        char text[LINE_MAX_KMSG], line[LINE_MAX_KMSG + 32];
        va_list ap;

        if (log->fd < 0 || log->lines++ >= LOG_LINES_MAX)
                return;
        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        str_printable(text);
        (void) str_format(line, sizeof(line), "<%d>passthru-early: %s\n", level, text);
        (void) !write(log->fd, line, strlen(line));
}
