/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/reconcile.h"
#include "model/request.h"

/* The whole of lending and giving back. Every function takes the lock of STATE_DIRECTORY (waiting for the
 * reconciler's deadline at most), loads the state, drops what an interrupted run left behind, works, and saves. Each
 * may be killed at any instruction: the next call finishes or undoes it. */

/* Lends all that *q wants, or nothing: on an error whatever was done is undone, and what could not be undone is in
 * the message. A domain that has the same claims already is fine (0). With q->dry_run nothing is written and every
 * claim is reported as STEP_PLANNED. */
int lease_lend(const struct reconciler *rec, const struct request *q, struct err *e);

/* Gives back what the domain (name or UUID) has. Nothing lent: 0. What cannot be given back now stays pending, is
 * tried again by lease_reconcile, and is named in the error (-EBUSY or what failed). */
int lease_return(const struct reconciler *rec, const char *domain, struct err *e);

/* Drops leases that were not committed or whose time is over, and retries what is pending. */
int lease_reconcile(const struct reconciler *rec, struct err *e);
