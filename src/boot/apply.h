/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

enum apply_event {
        APPLY_WRITE,   /* a file is written */
        APPLY_RUN,     /* a command runs */
        APPLY_VERIFY,  /* the lines are read again */
        APPLY_UNDO,    /* something failed: the files get back what they had */
};

struct apply {
        const struct root *root;
        const struct loader *loader;
        bool run_commands; /* in an image: with chroot; else they are only named */
        void (*report)(enum apply_event event, const char *what, void *userdata); /* may be NULL */
        void *userdata;
};

/* Carries a plan out: everything that can be checked is checked first (each file is as it was when the plan was made,
 * the folders can be written and have room), backups go to LEDGER_DIRECTORY/backup, the ledger is saved so that it
 * owns what is ours before or after and that this is not finished, the files are replaced one by one, the commands
 * run, the variables are set, and every line that the loader could boot is read again and must hold what edit wants. When anything fails,
 * the files get back what they had and the commands run once more; the error says what failed and whether all is as
 * before.
 *
 * Killed at any point: each file is the old or the new one, and doing the same again finishes it (struct plan,
 * unfinished). The caller holds ledger_lock().
 * Errors: -ESTALE a file changed since it was read; -ENOSPC; -EROFS; -EACCES; -EIO a command failed. */
int plan_apply(const struct apply *a, const struct plan *plan, const struct boot_edit *edit, struct err *e);
