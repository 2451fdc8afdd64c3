/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"

/* Called for every finished step, and for those at work when they get on, in the process that called reconcile. */
typedef void (*step_report)(const struct step *step, void *userdata);

struct reconciler {
        const struct root *root;
        uint64_t deadline_usec; /* for all writes of one phase together; they run in parallel */
        uint64_t patience_usec; /* for one value that comes bit by bit, as memory does */
        step_report report;     /* may be NULL */
        void *userdata;
        int client; /* closed in children: whoever waits at its other end must see that we are gone; -1: none */
};

/* Makes every knob equal to f(baseline, claims): knobs without a claim first, in the reverse of the order in which
 * they were taken, then the claimed ones. Saves the state before the host is touched, with every knob that is
 * about to change marked as pending; afterwards the knobs in *s tell what was reached and the caller saves. Knobs
 * that already have their value cost nothing, not even a read. When a knob of a lease that is not committed
 * failed, the later phases of claimed knobs are left pending: the lease is to be dropped.
 *
 * Returns 1 when there was something to do, 0 when not; also when steps failed: look at each knob's pending.
 * Errors: the state could not be saved, or a child not be started: the host is untouched then or the knobs are
 * pending. */
int reconcile(const struct reconciler *r, struct state *s, struct err *e);
