/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A parameter and, behind the first line end, a kernel line: what is added is there, and taking it away gives back every
 * byte. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

/* Callers take parameters apart at white space: it is never at their ends. */
static bool is_trimmed(const char *s) {
        return *s && !strchr(" \t", *s) && !strchr(" \t", s[strlen(s) - 1]);
}

static void check(const char *line, const char *parameter) {
        _cleanup_free_ char *added = NULL, *again = NULL, *removed = NULL;

        if (!cmdline_is_valid(line) || !parameter_is_valid(parameter) || !is_trimmed(parameter)) {
                want(cmdline_add(line, parameter, &added) <= 0);
                return;
        }
        want(cmdline_add(line, parameter, &added) == 0);
        want(cmdline_is_valid(added));
        want(cmdline_has(added, parameter));
        want(cmdline_add(added, parameter, &again) == 0 && strcmp(again, added) == 0);
        if (cmdline_has(line, parameter)) {
                want(strcmp(added, line) == 0);
                return;
        }
        want(cmdline_remove(added, parameter, &removed) == 0 && strcmp(removed, line) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        char *line = strchr(text, '\n');

        if (line) {
                *line = '\0';
                check(line + 1, text);
        }
        return 0;
}
