/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/ledger.h"

/* What an edit wants, what was ours before, and what will be ours after it. */
struct boot_edit {
        const char *const *want; /* the parameters, in the order in which they are to stand */
        size_t n_want;
        const struct ledger *before;
        struct ledger after; /* filled while the plan is made, but for its trial, which says what the plan is for */
        const char *kernel;  /* the version that is to boot by default; "" or NULL: the loader's own choice */
};

/* Only the next boot gets what is wanted (after.trial, which was not given up): what is ours on all other lines stays. */
bool boot_edit_is_trial(const struct boot_edit *edit);

bool boot_edit_wants(const struct boot_edit *edit, const char *parameter);

/* The line of a file with what is ours and no longer wanted taken out, and what is wanted put in; `after` gets what is
 * ours then. A parameter that somebody else put into the line does not become ours. A file must have only one line that
 * is edited. *ret: caller frees. -EINVAL: the line cannot be split in one way only. */
int boot_edit_line(struct boot_edit *edit, const char *path, const char *line, char **ret);

/* The same where the loader reads escapes: quote gives a parameter as it has to stand in this file. */
#define PARAMETER_QUOTED_MAX (6 * PARAMETER_TEXT_MAX)
typedef int (*parameter_quote)(const char *parameter, char *buf, size_t size);
int boot_edit_quoted_line(struct boot_edit *edit, const char *path, const char *line, parameter_quote quote,
                          char **ret);

/* The same for a file that is made of source's line when a kernel is installed: while the ledger does not know the
 * file, what is ours in source is ours in it too. quote may be NULL. */
int boot_edit_entry(struct boot_edit *edit, const char *path, const char *source, const char *line,
                    parameter_quote quote, char **ret);

/* What a line would be without all that is ours and no longer wanted, in whatever file, and with what is wanted. *ret:
 * caller frees. -EINVAL: it cannot be split in one way only. */
int boot_edit_copy(const struct boot_edit *edit, const char *line, char **ret);
