/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/macro.h"

/* Ordered changes of files and commands, as they are shown before they are made. Pure data: making a plan reads, carrying
 * it out is boot/apply.h. */

#define PLAN_CHANGES_MAX 64
#define PLAN_COMMANDS_MAX 16
#define PLAN_ARGV_MAX 80
#define PLAN_VARIABLES_MAX 4

/* One file. before NULL: it does not exist yet; after NULL: it is removed. */
struct plan_change {
        char *path; /* as the host sees it */
        char *before, *after;
        mode_t mode; /* for a file that does not exist yet */
};

/* A command of the boot loader that makes the changes take effect. Where nobody but the command may write, it is a change
 * by itself, and then it has a command that takes it back. */
struct plan_command {
        char *argv[PLAN_ARGV_MAX + 1];
        char *undo[PLAN_ARGV_MAX + 1]; /* undo[0] NULL: it only follows the files, and is run again when they went back */
        const char *why; /* static: "writes /boot/grub/grub.cfg" */
};

/* A variable of the boot loader, kept by the firmware. before NULL: it is not set; after NULL: it is deleted. */
struct plan_variable {
        const char *name; /* static: "LoaderEntryOneShot" */
        char *before, *after;
};

/* Files first, then commands, then variables, which are what the next boot looks at. */
struct plan {
        struct plan_change changes[PLAN_CHANGES_MAX];
        size_t n_changes;
        struct plan_command commands[PLAN_COMMANDS_MAX];
        size_t n_commands;
        struct plan_variable variables[PLAN_VARIABLES_MAX];
        size_t n_variables;
        bool unfinished; /* an earlier one was cut off: its commands have to run again, whatever the files hold */
};

void plan_done(struct plan *plan);
#define _cleanup_plan_ _cleanup_(plan_done)

/* True when nothing is to be done: commands that follow files change nothing by themselves, unless they are to finish an
 * earlier plan. */
bool plan_is_empty(const struct plan *plan);

/* Adds a change; the texts are copied. Equal texts are no change. A second change of the same path replaces what the
 * first one wanted. -ENOSPC, -ENOMEM. */
int plan_add_change(struct plan *plan, const char *path, const char *before, const char *after, mode_t mode);

/* Adds a command, NULL-terminated; the same command is added once. -ENOSPC, -ENOMEM, -E2BIG. */
int plan_add_command(struct plan *plan, const char *why, ...) __attribute__((sentinel));

/* Adds a command that is a change by itself; both are NULL-terminated and copied. */
int plan_add_change_command(struct plan *plan, const char *why, const char *const *argv, const char *const *undo);

/* Takes all commands out again. */
void plan_clear_commands(struct plan *plan);

/* Adds a variable; the texts are copied, the name is not. Equal texts are no change. -ENOSPC, -ENOMEM. */
int plan_add_variable(struct plan *plan, const char *name, const char *before, const char *after);
