/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/knob.h"
#include "model/request.h"

/* What passthru knows about the running host: which knobs it holds, their baselines, and who claims what. It
 * lives in STATE_DIRECTORY/STATE_NAME and is replaced as a whole before the host is touched. */

#define STATE_DIRECTORY "/run/passthru"
#define STATE_NAME "state.json"
#define STATE_VERSION 1
#define STATE_LEASES_MAX 64
#define STATE_KNOBS_MAX 2048
#define STATE_CLAIMS_MAX 1024 /* of one lease; every interrupt is one */

struct claim {
        const struct knob_kind *kind;
        char name[KNOB_NAME_MAX];
        char value[KNOB_VALUE_MAX];
};

enum lease_state {
        LEASE_LENDING, /* not committed: after a crash its claims are dropped */
        LEASE_LENT,
};

struct lease {
        char domain[NAME_LENGTH_MAX + 1];
        char uuid[UUID_TEXT_MAX]; /* "" without libvirt */
        enum lease_state state;
        uint64_t since_usec; /* CLOCK_REALTIME: for people */
        uint64_t until_usec; /* CLOCK_BOOTTIME: given back by itself then; 0: never */
        struct claim *claims;
        size_t n_claims;
};

struct knob {
        const struct knob_kind *kind;
        char name[KNOB_NAME_MAX];
        char baseline[KNOB_VALUE_MAX];
        char applied[KNOB_VALUE_MAX];
        char identity[KNOB_IDENTITY_MAX];     /* what stood behind the name when it was first claimed; may be "" */
        char domain[NAME_LENGTH_MAX + 1];     /* whom it is, or was last, lent to */
        bool pending;                         /* a write was begun and is not confirmed */
        bool declined;                        /* the host refused the claims' value; it is not asked again */
        char error[sizeof(
                (struct err){}.id)]; /* why it is pending or declined: an ERR_*, and a message; may be "" */
        char message[512];
};

struct state {
        struct lease *leases;
        size_t n_leases;
        struct knob *knobs; /* in the order in which they were first claimed */
        size_t n_knobs;
};

void state_done(struct state *s);
#define _cleanup_state_ _cleanup_(state_done)
void lease_done(struct lease *lease);
#define _cleanup_lease_ _cleanup_(lease_done)

/* A missing file is an empty state. Everything is checked: types, sizes, names by their kinds, a knob for every
 * claim, one claim on an exclusive knob. -EBADMSG with what is wrong where. */
int state_load(const struct root *root, struct state *ret, struct err *e);
int state_parse(const char *text, size_t size, struct state *ret, struct err *e);

/* Replaces the file; makes the directory (0700) when missing. */
int state_save(const struct root *root, const struct state *s, struct err *e);

/* The file's content, which is also what the method Status replies. NULL: out of memory. */
struct json_object;
struct json_object *state_to_json(const struct state *s);

/* By name or UUID; NULL when there is none. */
struct lease *state_find_lease(const struct state *s, const char *domain);
struct knob *state_find_knob(const struct state *s, const struct knob_kind *kind, const char *name);

/* NULL when the lease does not claim it. */
const struct claim *lease_find_claim(const struct lease *lease, const struct knob_kind *kind, const char *name);

/* Lists the values that leases claim of a knob; n_claims is at most STATE_LEASES_MAX. Returns how many. */
size_t state_claims(const struct state *s, const struct knob *knob, const char *ret[static STATE_LEASES_MAX]);

/* The lease that claims this knob first, NULL when none does. */
const struct lease *state_claimant(const struct state *s, const struct knob_kind *kind, const char *name);

/* Each takes over the content of its argument on success. -ENOSPC at the limits, -ENOMEM. */
int state_add_lease(struct state *s, struct lease *lease);
int state_add_knob(struct state *s, const struct knob *knob);
int lease_add_claim(struct lease *lease, const struct claim *claim);

void state_remove_lease(struct state *s, struct lease *lease);

/* Forgets the knobs that nobody claims and that have their final value. */
void state_forget_settled(struct state *s);
