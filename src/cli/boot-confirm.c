/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

/* What passthru-boot.service does after each boot: a trial that did well becomes the line of all boots, any other one is
 * given up, with the reason for "passthru boot status". */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

static int make_permanent(struct boot *b, struct err *e) {
        const struct trial *t = b->ledger.trial;
        const char *want[LEDGER_PARAMETERS_MAX];
        int r;

        for (size_t i = 0; i < t->n_parameters; i++)
                want[i] = t->parameters[i];
        r = boot_make_plan(b, want, t->n_parameters, t->kernel, NULL, e);
        return r < 0 ? r : boot_carry_out(b, e);
}

/* What was ours before stays, and what the trial needed goes. */
static int give_up(struct boot *b, const char *why, struct err *e) {
        struct trial failed = *b->ledger.trial;
        const char *want[LEDGER_PARAMETERS_MAX];
        size_t n;
        int r;

        (void) str_copy(failed.failed, sizeof(failed.failed), why);
        r = ledger_parameters(&b->ledger, want, &n);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, LEDGER_NAME, "too many parameters in the ledger");
        r = boot_make_plan(b, want, n, b->ledger.kernel, &failed, e);
        return r < 0 ? r : boot_carry_out(b, e);
}

static int end_trial(struct boot *b, enum trial_state state) {
        const struct trial *t = b->ledger.trial;
        char failing[sizeof(t->findings)] = "", why[sizeof(t->failed)];
        struct err e = {};

        if (state == TRIAL_RUNS)
                boot_failed_checks(b->cli->root, failing, sizeof(failing));
        if (trial_judge(b->cli->root, t, state, failing, why, sizeof(why))) {
                if (make_permanent(b, &e) < 0)
                        return cli_fail(&e);
                puts("The trial boot did well: all boots have its line now.");
                return EXIT_SUCCESS;
        }
        if (give_up(b, why, &e) < 0)
                return cli_fail(&e);
        printf("The trial was given up, and the line is as before: %s.\n", why);
        /* This boot is a good one when it has the old line. */
        return state == TRIAL_MISSED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Without a trial: what is ours in the loader's files should be on the line. */
static int report(const struct boot *b) {
        const char *ours[LEDGER_PARAMETERS_MAX];
        _cleanup_free_ char *line = NULL;
        size_t n, missing = 0;
        struct err e = {};

        if (b->ledger.unfinished) {
                (void) err_set(&e, -EBUSY, ERR_REFUSED, LEDGER_NAME,
                               "an earlier run was cut off: 'passthru boot apply --no-trial' finishes it, 'passthru boot "
                               "revert' takes it back");
                return cli_fail(&e);
        }
        if (ledger_parameters(&b->ledger, ours, &n) < 0 || running_line(b->cli->root, &line) < 0)
                n = 0;
        for (size_t i = 0; i < n; i++)
                if (!cmdline_has(line, ours[i])) {
                        printf("This boot does not have %s, which is in the boot loader's files.\n", ours[i]);
                        missing++;
                }
        printf("There is no trial boot to confirm%s.\n", n > 0 && missing == 0 ? ", and this boot has the whole line" : "");
        return EXIT_SUCCESS;
}

int boot_confirm(struct boot *b) {
        _cleanup_close_ int lock = -1;
        enum trial_state state;
        struct err e = {};

        if (ledger_lock(b->cli->root, &lock, &e) < 0 || ledger_load(b->cli->root, &b->ledger, &e) < 0 ||
            trial_find(b->cli->root, &b->ledger, &state, &e) < 0)
                return cli_fail(&e);
        switch (state) {
        case TRIAL_RUNS:
        case TRIAL_MISSED:
                break;
        case TRIAL_WAITS:
                puts("The next boot tries the new line; there is nothing to confirm yet.");
                return EXIT_SUCCESS;
        default:
                return report(b);
        }
        if (loader_find(b->cli->root, b->ledger.loader, &b->loader, &e) < 0)
                return cli_fail(&e);
        return end_trial(b, state);
}
