/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/reconcile.h"
#include "model/request.h"

/* What a request comes to on this host, after every check that can be made before the first write. */
struct lease_plan {
        struct lease lease;
        struct knob *knobs; /* one for each claim, in the same order; baseline and applied are what the host has now */
        size_t n_knobs;
};

void lease_plan_done(struct lease_plan *plan);
#define _cleanup_lease_plan_ _cleanup_(lease_plan_done)

/* Finds out in a child what the request comes to: reading some attributes waits for a device's lock, which a driver that
 * hangs may hold for ever. Kernel modules that the claims need are loaded there too, unless q->dry_run. Errors: those of
 * the checks; -ETIMEDOUT when the host did not answer by the reconciler's deadline. */
int lease_plan_make(const struct reconciler *rec, const struct request *q, const struct state *s,
                    struct lease_plan *ret, struct err *e);

/* After all was set: nothing on the host is in the way of the lease. Never hangs. */
int lease_plan_verify(const struct root *root, const struct lease *lease, struct err *e);
