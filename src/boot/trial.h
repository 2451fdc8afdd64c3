/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "boot/edit.h"

/* A trial boot: the next boot, and only that one, has the wanted line. When it does well, all boots get the line;
 * whatever else happens (a panic, a hang, a power cut), the boot after it has the old line again without anybody's
 * help. How the loader is told is loader.h's struct loader_trial. */

/* Seconds to the restart after a panic; without it a panic waits for ever. */
#define TRIAL_PANIC "panic=10"

/* A trial of these parameters and this kernel ("": the loader's own choice), set in the boot that runs now. *ret: caller frees. -ENOSPC: too many. */
int trial_new(const struct root *root, const char *const *want, size_t n_want, const char *kernel, struct trial **ret,
              struct err *e);

/* Appends what a tried line has besides what is wanted: TRIAL_PANIC (unless a wanted parameter says otherwise) and
 * TRIAL_MARK. -EINVAL: the line cannot be split in one way only. -ENOMEM. */
int trial_mark(const struct boot_edit *edit, char **line);

enum trial_state {
        TRIAL_NONE,
        TRIAL_GIVEN_UP, /* trial.failed says why */
        TRIAL_WAITS,    /* the machine was not restarted since */
        TRIAL_RUNS,     /* this boot has the tried line */
        TRIAL_MISSED,   /* another line was booted since: the tried one did not come up, or was not chosen */
};
int trial_find(const struct root *root, const struct ledger *ledger, enum trial_state *ret, struct err *e);

/* The line of the running kernel, without its line break. Caller frees. */
int running_line(const struct root *root, char **ret);

/* True when all boots may have the line that this one tries: it has all parameters, an IOMMU that they ask for is active,
 * and no check fails (ids in failing, "a b") that did not fail before. Else why (at least 200 bytes) gets the reason. */
bool trial_judge(const struct root *root, const struct trial *t, enum trial_state state, const char *failing, char *why,
                 size_t size);
