/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/apply.h"
#include "boot/trial.h"
#include "boot/wanted.h"
#include "cli/cli.h"
#include "config/settings.h"

/* What the sub-verbs of "passthru boot" share. */

struct boot_options {
        const char *loader;
        bool yes, force, chroot, no_trial;
};

/* All that they need to know; nothing of it is written to. */
struct boot {
        const struct cli *cli;
        const struct boot_options *options;
        const struct loader *loader;
        struct settings settings;
        struct wanted wanted;
        struct ledger ledger;
        struct boot_edit edit;
        struct plan plan;
};

/* Loads the ledger, and for anything but a revert what is wanted; finds the loader. */
int boot_load(struct boot *b, bool revert, struct err *e);

/* What it takes to get from what is to these parameters and this kernel on all boots, or (a copy of trial, which may be
 * NULL) to what the trial says. An earlier plan in *b is freed. */
int boot_make_plan(struct boot *b, const char *const *want, size_t n_want, const char *kernel, const struct trial *trial,
                   struct err *e);

/* The plan for what is wanted: a trial, unless the options or an image say otherwise. Nothing is planned when all boots
 * have it already. */
int boot_plan_wanted(struct boot *b, struct err *e);

/* The ids of checks that fail on this host and that a kernel line could be blamed for, "a b"; those that do not fit are
 * left out. */
void boot_failed_checks(const struct root *root, char *buf, size_t size);

int boot_print_plan(const struct boot *b);
void boot_print_nothing(const struct boot *b);

/* Carries the plan out and tells each step. */
int boot_carry_out(struct boot *b, struct err *e);

/* Asks whether to go on. */
bool boot_ask(const struct boot *b);

/* The images, where early.conf is not in them as it is now: what would be done (EXIT_PENDING, or 0 when there is nothing), and
 * doing it. Exit statuses. */
int boot_show_initramfs(const struct boot *b);
int boot_apply_initramfs(const struct boot *b);

/* The sub-verbs: exit statuses. */
int boot_show_plan(struct boot *b);
int boot_apply(struct boot *b, bool revert);
int boot_confirm(struct boot *b);
int boot_refresh(struct boot *b);
int boot_status(struct boot *b);
int boot_show_loaders(const struct boot *b);
