/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* The kernel's log: the only one there is before the journal, which takes it over. */
struct log {
        int fd; /* -1: nowhere */
        unsigned int lines;
};

/* The kernel drops what one program writes beyond ten lines in five seconds (drivers/char, devkmsg_write): all is
 * in the result as well. */
#define LOG_LINES_MAX 8

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

void log_open(struct log *log, const struct root *root);
void log_close(struct log *log);

/* One line, cut at what the kernel takes. */
void log_line(struct log *log, enum log_level level, const char *fmt, ...) _printf_(3, 4);
