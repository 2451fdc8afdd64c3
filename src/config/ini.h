/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"

/* The syntax, the same whatever inih was built with:
 *
 *   # comment               also with ';', on a line of its own only: " ;" behind a value is an error, since
 *   [section]               it might be meant either way
 *   key=value               all of the line is the value; no ':', no quotes, no continued lines
 */

/* Where a setting stands, for messages and for the one that handles it. */
struct ini_entry {
        const char *file; /* as the host sees it: "/etc/passthru/passthru.conf" */
        unsigned line;
        const char *section; /* "" before the first section */
        const char *key;     /* NULL: the section begins here. One without keys says something, too */
        const char *value;   /* without white space at the ends; may be "" */
};

/* Returns 0 or a negative errno with *e set ("wanted yes or no, found “maybe”"): file and line are put before
 * the message. Unknown sections and keys are errors too: a typo must not be silent. */
typedef int (*ini_entry_handler)(const struct ini_entry *entry, void *userdata, struct err *e);

/* Reads NAME (say "passthru.conf" or "domains/win10.conf") by the rules of UAPI.6: the first of /etc/passthru,
 * /run/passthru, /usr/lib/passthru that has it (an empty file or a link to /dev/null masks the later ones), then
 * the drop-ins NAME.d/X.conf of all three, sorted by X across the trees, /etc over /run over /usr/lib for the
 * same X. Values are handled in order, later ones win. Returns how many files had content; none is fine: 0.
 *
 * Bounded: 256 KiB a file, 4096 bytes a line (197 where inih cannot be told so). Errors: -EINVAL syntax, over-long
 * line, control character, not UTF-8; -EFBIG; -EPERM a file that others than root may write (only checked on the
 * running host). Nothing is half-read: the handler runs only after every file was found well-formed. */
int ini_load(const struct root *root, const char *name, ini_entry_handler handler, void *userdata, struct err *e);

/* The same for one text; file is used in messages only. handler may be NULL: checks the syntax. */
int ini_load_text(const char *file, const char *text, size_t size, ini_entry_handler handler, void *userdata,
                  struct err *e);
