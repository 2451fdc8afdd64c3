/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/apply.h"
#include "fake/loaders.h"

/* Hosts on which test-apply and test-apply-checks run apply and revert, with faults at every step that changes something.
 * These come in the place of the C library's functions by --wrap. */

enum fault { FAULT_NONE, FAULT_KILL, FAULT_ONCE, FAULT_FROM_HERE };

extern struct fault_plan {
        enum fault fault;
        unsigned at, steps;
        int error;
        bool no_exchange, armed;
        long file_system; /* its magic number, for all files */
} fault;

#define ENTRIES "/boot/efi/loader/entries"
#define DROP_IN "/etc/default/grub.d/passthru.cfg"
#define GRUBENV "/boot/grub/grubenv"

/* A host with its loader. */
struct scenario {
        const char *name, *loader;
        void (*make)(struct tree *tree);
        bool no_exchange; /* of files, as on VFAT before Linux 6.0 */
        const char *command; /* NULL: there is none */
        void (*run)(struct tree *tree, char *const *argv);
};
extern const struct scenario scenarios[]; /* up to one without a name */

const struct scenario *scenario(const char *name);
bool is_grub(const struct scenario *s);

/* What is wanted. */
#define N_PARAMETERS 3
extern const char *const parameters[N_PARAMETERS];

/* The host that set_up() made; tree_free(t) ends it. */
extern struct tree *t;
extern const struct root *root;
void set_up(const struct scenario *s);

/* All files but the ledger and its backups, with their content, in order. Caller frees. */
char *snapshot(void);
void assert_state(const struct scenario *s, const char *what, unsigned at, const char *wanted);

/* What apply and a trial want besides; "": nothing. */
extern const char *wanted_kernel;

enum what {
        APPLY,  /* parameters, for all boots */
        REVERT,
        TRIAL,   /* for the next boot only */
        CONFIRM, /* after a trial that did well */
        GIVE_UP, /* after one that did not */
};

/* What the program does: 1 when there was nothing to do. */
int perform(const struct scenario *s, enum what what, struct err *e);
int perform_with(const struct scenario *s, enum what what, enum fault how, unsigned at, int error, struct err *e);

/* The same, and nothing else will do. */
void must(const struct scenario *s, enum what what);

/* set_up(), on a machine that systemd-boot tells about, where it is systemd-boot's. */
void set_up_booted(const struct scenario *s);

/* What the firmware, the loader and the kernel do: the variable of a trial is gone, and the kernel has this line. */
void restart(const struct scenario *s, const char *line);

/* snapshot() without the running system's files. Caller frees. */
char *boot_files(void);
void assert_files(const struct scenario *s, const char *what, const char *wanted);
