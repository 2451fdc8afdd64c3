/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/command.h"
#include "base/str.h"

/* A file that exists in memory only and that diff can open by a path. Stays open over exec. */
static int text_file(const char *text, char path[static 32]) {
        _cleanup_close_ int fd = memfd_create("passthru-diff", 0);
        size_t size = text ? strlen(text) : 0;

        if (fd < 0)
                return -errno;
        if (size > 0 && write(fd, text, size) != (ssize_t) size)
                return -EIO;
        (void) str_format(path, 32, "/proc/self/fd/%d", fd);
        return TAKE_FD(fd);
}

int diff_print(const struct plan_change *c) {
        _cleanup_close_ int before = -1, after = -1;
        _cleanup_free_ char *output = NULL;
        char path_before[32], path_after[32];
        int r;

        before = text_file(c->before, path_before);
        if (before < 0)
                return before;
        after = text_file(c->after, path_after);
        if (after < 0)
                return after;
        r = command_run(NULL, NULL, (char *[]) { (char *) "diff", (char *) "-u", (char *) "--label",
                                           c->before ? c->path : (char *) "/dev/null", (char *) "--label",
                                           c->after ? c->path : (char *) "/dev/null", path_before, path_after, NULL },
                        &output);
        if (r < 0)
                return r;
        fputs(output ? output : "", stdout);
        return r > 1 ? -EIO : 0;
}
