/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "config/boot-settings.h"
#include "model/cmdline.h"

/* Which parameters in which file are ours. It says what revert may remove, and what an edit may replace; everything
 * else in those files is somebody else's. Kept in LEDGER_DIRECTORY/LEDGER_NAME. */

#define LEDGER_DIRECTORY "/var/lib/passthru"
#define LEDGER_NAME "boot.json"
#define LEDGER_FILES_MAX 64
#define LEDGER_PARAMETERS_MAX 32
#define PARAMETER_TEXT_MAX 256
#define TRIAL_ID_SIZE 9
#define TRIAL_MARK "passthru.trial=" /* the kernel takes it for a module's parameter, and says nothing about it */

struct ledger_file {
        char path[256];
        bool created; /* the file (or the folder) as a whole is ours */
        char parameters[LEDGER_PARAMETERS_MAX][PARAMETER_TEXT_MAX];
        size_t n_parameters;
};

/* A line that one boot tries before all boots get it. */
struct trial {
        char id[TRIAL_ID_SIZE]; /* stands on the tried line as TRIAL_MARK: the first digits of the boot id in which it was set */
        char parameters[LEDGER_PARAMETERS_MAX][PARAMETER_TEXT_MAX]; /* what it wants */
        size_t n_parameters;
        char kernel[KERNEL_VERSION_MAX]; /* "": the loader's own choice */
        char findings[256]; /* ids of checks that failed before, which the trial is not blamed for; "a b" */
        char failed[256];   /* why it was given up; "": it is still to come */
};

struct ledger {
        char loader[32];
        char kernel[KERNEL_VERSION_MAX];       /* that we chose; "": none */
        char default_id[256], default_before[256]; /* how the loader calls it, and what was its default before. "": not set */
        bool unfinished; /* something was begun and its end is not known: what is listed may be in the files or not. With a
                          * trial, it was that which was begun, and the lines of all other boots are as they were */
        struct ledger_file *files;
        size_t n_files;
        struct trial *trial; /* NULL: none is set, and the last one did well */
};

void ledger_done(struct ledger *ledger);
#define _cleanup_ledger_ _cleanup_(ledger_done)

/* A missing file is an empty ledger. -EBADMSG: damaged, and what to do. */
int ledger_load(const struct root *root, struct ledger *ret, struct err *e);
int ledger_save(const struct root *root, const struct ledger *ledger, struct err *e);

int ledger_parse(const char *text, size_t size, struct ledger *ret, struct err *e);
char *ledger_format(const struct ledger *ledger); /* caller frees; NULL: out of memory */

/* Nobody else changes the ledger or the boot files until *ret is closed. -EBUSY: another one does. */
int ledger_lock(const struct root *root, int *ret, struct err *e);

/* NULL when that file is not known. */
struct ledger_file *ledger_find(const struct ledger *ledger, const char *path);
bool ledger_owns(const struct ledger *ledger, const char *path, const char *parameter);

/* Each once; -ENOSPC at the limits, -ENOMEM, -ENAMETOOLONG. ledger_know: a file that may have nothing of ours in it. */
int ledger_know(struct ledger *ledger, const char *path);
int ledger_own(struct ledger *ledger, const char *path, const char *parameter);
int ledger_own_file(struct ledger *ledger, const char *path);

/* The parameters that are ours in any file, each once. -ENOSPC: more than LEDGER_PARAMETERS_MAX. */
int ledger_parameters(const struct ledger *ledger, const char *ret[LEDGER_PARAMETERS_MAX], size_t *ret_n);

/* Takes over which kernel was chosen. */
void ledger_copy_kernel(struct ledger *into, const struct ledger *from);

/* Gives it a copy of the trial (NULL: none). -ENOMEM. */
int ledger_set_trial(struct ledger *ledger, const struct trial *trial);

/* Adds all files that the other one knows and owns. */
int ledger_merge(struct ledger *into, const struct ledger *other);
