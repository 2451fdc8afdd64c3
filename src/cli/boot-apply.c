/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

bool boot_ask(const struct boot *b) {
        char answer[16];

        if (b->options->yes)
                return true;
        if (!isatty(STDIN_FILENO)) {
                fputs("passthru: nobody is there to ask; --yes answers\n", stderr);
                return false;
        }
        printf("Make these changes? [y/N] ");
        (void) fflush(stdout);
        return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static void on_apply(enum apply_event event, const char *what, void *userdata) {
        static const char *const words[] = {
                [APPLY_WRITE] = "writing",
                [APPLY_RUN] = "running",
                [APPLY_VERIFY] = "reading back",
                [APPLY_UNDO] = "undoing",
        };

        (void) userdata;
        printf("%s %s\n", words[event], what);
        (void) fflush(stdout);
}

int boot_carry_out(struct boot *b, struct err *e) {
        struct apply apply = {
                .root = b->cli->root,
                .loader = b->loader,
                .run_commands = root_is_live(b->cli->root) || b->options->chroot,
                .report = on_apply,
        };

        /* A terminal that goes away, or a reader of what we print, is no reason to stop half-way. An interrupt ends the
         * command that runs, which then is taken back. */
        (void) signal(SIGHUP, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGINT, SIG_IGN);
        return plan_apply(&apply, &b->plan, &b->edit, e);
}

/* What comes next, for a person. */
static void print_done(const struct boot *b) {
        const struct root *root = b->cli->root;

        if (!root_is_live(root) && !b->options->chroot && b->plan.n_commands > 0)
                puts("Done. The commands above still have to run inside of the image.");
        else if (!boot_edit_is_trial(&b->edit))
                puts("Done. It takes effect at the next boot.");
        else if (root_exists(root, "/etc/systemd/system/multi-user.target.wants/passthru-boot.service") > 0)
                puts("Done. The next boot tries it; if that does well, all boots get it. Any other end, and the boot after\n"
                     "it is as before.");
        else
                puts("Done. The next boot tries it. passthru-boot.service is not enabled: run 'passthru boot confirm'\n"
                     "then, so that all boots get it; otherwise the boot after it is as before.");
}

int boot_apply(struct boot *b, bool revert) {
        _cleanup_close_ int lock = -1;
        struct err e = {};
        int r;

        r = ledger_lock(b->cli->root, &lock, &e);
        if (r >= 0 && revert) {
                r = boot_load(b, true, &e);
                if (r >= 0)
                        r = boot_make_plan(b, NULL, 0, "", NULL, &e);
        } else if (r >= 0)
                r = boot_plan_wanted(b, &e);
        if (r < 0)
                return cli_fail(&e);
        if (plan_is_empty(&b->plan)) {
                boot_print_nothing(b);
                return EXIT_SUCCESS;
        }
        if (boot_print_plan(b) < 0 || !boot_ask(b))
                return EXIT_FAILURE;
        if (boot_carry_out(b, &e) < 0)
                return cli_fail(&e);
        print_done(b);
        return EXIT_SUCCESS;
}
