/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* Boot loader entries (UAPI.1, type 1): one file a kernel, with one options line that is edited. */

/* Where the ESP or the extended boot partition may be mounted, in systemd's order (bootctl, find-esp.c).
 * NULL-terminated. */
extern const char *const boot_folders[];

/* The first …/loader/entries below boot_folders that has a file. -ENOENT. */
int bls_find_folder(const struct root *root, char *buf, size_t size);

/* The entry of a trial boot is none of them (boot/trial-entry.h). As systemd-boot sorts entries (UAPI.10), a name that
 * begins with "0-" and has no sort-key is the last one: never chosen but by name. */
#define TRIAL_ENTRY "0-passthru-trial.conf"

/* Entries that are read or edited. */
struct bls {
        const char *folder;
        bool (*wanted)(const char *name);    /* which files are this loader's; NULL: all that end in .conf */
        bool (*untouched)(const char *name); /* which of them are the way back and are left as they are; NULL: none */

        /* GRUB reads the lines as a script: */
        bool grub;
        const char *kernelopts; /* what $kernelopts stands for. Lines with it are left alone; NULL: there is none */
};

int bls_read(const struct root *root, const struct bls *bls, struct boot_entries *entries, struct err *e);

/* The entry that was booted, or (an entry that is gone, or was tried) the one with the kernel that runs. The text is
 * freed by the caller. -ENOENT. */
int bls_find_booted(const struct root *root, const struct bls *bls, char **ret_text, struct err *e);

/* The entry of an installed kernel: its name without the counter of tries, and its text; both are freed by the caller.
 * -ENOENT. */
int bls_find_kernel(const struct root *root, const struct bls *bls, const char *version, char **ret_name, char **ret_text,
                    struct err *e);

/* *ret_model: a line for kernels to come; NULL when there is none. Caller frees. Refused: several options lines, which
 * loaders read differently; a line that would lose its quotes. */
int bls_plan(const struct root *root, const struct bls *bls, struct boot_edit *edit, struct plan *plan,
             char **ret_model, struct err *e);

/* Refuses what GRUB would change in an entry in any spelling: quotes, and '$', which it expands before any shell sees
 * the '\' in front of it. */
int bls_check_wanted(const struct boot_edit *edit, struct err *e);

/* The error for a line that boot_edit_line() did not take. */
int err_line(const char *path, int r, struct err *e);
