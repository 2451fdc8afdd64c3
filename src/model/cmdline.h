/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The kernel command line, edited as text: what is not ours keeps its place, order and spelling, down to the white
 * space between. Tokens are split as the kernel does it (lib/cmdline.c, next_arg): at white space outside of double
 * quotes; in names '-' and '_' are the same; what follows a token "--" is for init.
 *
 * A parameter here is one token ("iommu=pt"), or several that belong together in this order ("hugepagesz=1G
 * hugepages=4"). */

#define CMDLINE_MAX 2048 /* x86's COMMAND_LINE_SIZE, with the final NUL; arm64 has the same, s390 4096 */

struct token {
        const char *start;
        size_t length;
};

/* Moves to the next token; *pos starts at the line's begin. False at the end. */
bool cmdline_next(const char **pos, struct token *ret);

/* The line can be split in only one way: no quote is left open, no control character but tab. */
bool cmdline_is_valid(const char *line);

/* One parameter, with nothing in it that a line could not hold: at least one token, no "--", no line break. */
bool parameter_is_valid(const char *parameter);

/* How the kernel treats several tokens of one name. */
enum parameter_kind {
        PARAMETER_SCALAR, /* the last one counts */
        PARAMETER_LIST,   /* all count: pci=, console=, … */
};
enum parameter_kind parameter_kind(const char *name, size_t length);

/* Whether the kernel would do what the parameter says: a scalar's last value is this one; a list has it; several tokens
 * stand next to each other in this order. */
bool cmdline_has(const char *line, const char *parameter);

/* Whether the line has the parameter's text, with effect or without. */
bool cmdline_contains(const char *line, const char *parameter);

/* The last token that sets the same scalar to something else, and so keeps a parameter that is in the line from having
 * its effect. False when there is none. */
bool cmdline_overridden_by(const char *line, const char *parameter, struct token *ret);

/* Appends the parameter, or puts it before " --", unless cmdline_has() it already. *ret is the new line (caller frees).
 * -EINVAL: line or parameter not valid. -ENOMEM. */
int cmdline_add(const char *line, const char *parameter, char **ret);

/* Removes the last occurrence of exactly this text, and the white space before it. A line without it is copied. */
int cmdline_remove(const char *line, const char *parameter, char **ret);

/* Puts what edit (cmdline_add, cmdline_remove) makes of *line in its place; after an error it is as before. */
int cmdline_edit(char **line, int (*edit)(const char *line, const char *parameter, char **ret), const char *parameter);
