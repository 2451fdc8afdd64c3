/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

/* What the hooks of kernel packages do: entries that were made since the last apply get what the others have. Not what the
 * configuration says by now, which nobody has tried yet. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int boot_refresh(struct boot *b) {
        const char *ours[LEDGER_PARAMETERS_MAX];
        _cleanup_close_ int lock = -1;
        struct err e = {};
        size_t n;

        if (ledger_lock(b->cli->root, &lock, &e) < 0 || ledger_load(b->cli->root, &b->ledger, &e) < 0)
                return cli_fail(&e);
        if (b->ledger.n_files == 0 && !*b->ledger.kernel)
                return EXIT_SUCCESS;
        if (b->ledger.unfinished || (b->ledger.trial && !*b->ledger.trial->failed)) {
                puts(b->ledger.trial ? "A trial boot is pending: new entries get what it leads to." :
                                       "An earlier run was cut off: 'passthru boot apply --no-trial' finishes it.");
                return EXIT_SUCCESS;
        }
        if (ledger_parameters(&b->ledger, ours, &n) < 0) {
                (void) err_set(&e, -ENOSPC, ERR_FAILED, LEDGER_NAME, "too many parameters in the ledger");
                return cli_fail(&e);
        }
        if (loader_find(b->cli->root, b->ledger.loader, &b->loader, &e) < 0 ||
            boot_make_plan(b, ours, n, b->ledger.kernel, b->ledger.trial, &e) < 0)
                return cli_fail(&e);
        if (plan_is_empty(&b->plan))
                return EXIT_SUCCESS;
        if (boot_print_plan(b) < 0)
                return EXIT_FAILURE;
        return boot_carry_out(b, &e) < 0 ? cli_fail(&e) : EXIT_SUCCESS;
}
