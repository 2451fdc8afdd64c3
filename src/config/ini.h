/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"

/* Where a setting stands, for messages and for the one that handles it. */
struct ini_entry {
        const char *file; /* as the host sees it: "/etc/passthru/passthru.conf" */
        unsigned line;
        const char *section; /* "" before the first section */
        const char *key;
        const char *value; /* without white space at the ends; may be "" */
};

/* Returns 0 or a negative errno with *e set ("wanted yes or no, found “maybe”"): ini_load puts file and line
 * before the message. Unknown sections and keys are errors too: a typo must not be silent. */
typedef int (*ini_handler)(const struct ini_entry *entry, void *userdata, struct err *e);

/* Reads NAME (say "passthru.conf" or "domains/win10.conf") by the rules of UAPI.6: the first of /etc/passthru,
 * /run/passthru, /usr/lib/passthru that has it (an empty file or a link to /dev/null masks the later ones), then
 * the drop-ins NAME.d/X.conf of all three, sorted by X across the trees, /etc over /run over /usr/lib for the
 * same X. No file at all is fine: 0, nothing handled. Values are handled in order, later ones win.
 *
 * Bounded: 256 KiB a file, 4096 bytes a line. Errors: -EINVAL syntax, over-long line, NUL byte, not UTF-8; -EPERM
 * a file that others than root may write (only checked on the running host). Nothing is half-read: the handler
 * runs only after every file was found well-formed. */
int ini_load(const struct root *root, const char *name, ini_handler handler, void *userdata, struct err *e);

/* The same for one text, for tests and for fuzzing; file is used in messages only. */
int ini_parse(const char *file, const char *text, size_t size, ini_handler handler, void *userdata,
              struct err *e);
