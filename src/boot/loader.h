/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "boot/edit.h"
#include "model/plan.h"

/* One boot loader's way with the kernel command line. A loader only reads the host and adds to a plan: what is shown to
 * the user is all that will happen. */

/* A line that can be booted, or that new kernels will get. */
struct boot_entry {
        char name[128]; /* "Debian, with Linux 6.1.0-13-amd64", "kernels to come" */
        char file[256]; /* where it stands, as the host sees it */
        char *line;     /* as the kernel will see it: the loader's own escapes are undone */
        bool untouched; /* a recovery entry: left as it is, the way back */
};

struct boot_entries {
        struct boot_entry *list;
        size_t n;
};
void boot_entries_done(struct boot_entries *entries);
#define _cleanup_boot_entries_ _cleanup_(boot_entries_done)
int boot_entries_add(struct boot_entries *entries, const char *name, const char *file, const char *line,
                     bool untouched);

/* How sure it is that a loader is the one to edit. */
enum evidence {
        EVIDENCE_NONE,
        EVIDENCE_FILES,  /* its files are there, which other loaders' packages may have left */
        EVIDENCE_BOOTED, /* it told so in an EFI variable */
        EVIDENCE_OWNER,  /* whatever booted: the system's own tool writes its lines, or the image brought its own */
};

/* How a loader is told to boot a line once (boot/trial.h). */
struct loader_trial {
        /* Adds what the next boot, and only that one, needs to have the wanted line. Refuses where the boot after it could
         * not have the old one by itself, with the reason. */
        int (*plan)(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e);

        /* Reads back that the next boot will have it. */
        int (*verify)(const struct root *root, const struct boot_edit *edit, struct err *e);
};

/* Which of the installed kernels boots by default. */
struct loader_kernel {
        /* Adds what makes edit->kernel the default, or ("") gives back what was it before ours. -ENOENT: that version has no
         * entry. */
        int (*plan)(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e);

        /* Reads back that edit->kernel is the default. */
        int (*verify)(const struct root *root, const struct boot_edit *edit, struct err *e);
};

struct loader {
        const char *name;  /* "grub", "systemd-boot": for --loader */
        const char *title; /* "GRUB with /etc/default/grub.d" */

        /* text gets what was found, for messages. */
        enum evidence (*detect)(const struct root *root, char *text, size_t size);

        /* All lines that it could boot. */
        int (*read)(const struct root *root, struct boot_entries *ret, struct err *e);

        /* Adds the changes and commands that make every line hold what edit wants, and takes away what a trial needed.
         * Errors name the file and line that cannot be edited safely. */
        int (*plan)(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e);

        const struct loader_trial *trial;   /* NULL: it cannot boot a line once */
        const struct loader_kernel *kernel; /* NULL: no kernel can be chosen */
};

/* The known loaders, NULL-terminated, in the order of detection. */
extern const struct loader *const loaders[];

/* The loader to edit: the one called name, or (NULL) the one with the best evidence. Two that are equally likely are
 * refused by name (-ENOTUNIQ); none is -ENOENT with what to do by hand. */
int loader_find(const struct root *root, const char *name, const struct loader **ret, struct err *e);

/* What the loader plans, for all boots or for a trial (edit says it; -EOPNOTSUPP: it cannot), after checks that are the same for all: the ledger is of the same loader, and no line would be
 * longer than the kernel takes (-E2BIG). */
int loader_plan(const struct loader *loader, const struct root *root, struct boot_edit *edit, struct plan *plan,
                struct err *e);
