/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void lease_done(struct lease *lease) {
        free(lease->claims);
        *lease = (struct lease) {};
}

void state_done(struct state *s) {
        for (size_t i = 0; i < s->n_leases; i++)
                lease_done(&s->leases[i]);
        free(s->leases);
        free(s->knobs);
        *s = (struct state) {};
}

struct lease *state_find_lease(const struct state *s, const char *domain) {
        for (size_t i = 0; i < s->n_leases; i++)
                if (str_eq(s->leases[i].domain, domain) ||
                    (*s->leases[i].uuid && strcasecmp(s->leases[i].uuid, domain) == 0))
                        return &s->leases[i];
        return NULL;
}

struct knob *state_find_knob(const struct state *s, const struct knob_kind *kind, const char *name) {
        for (size_t i = 0; i < s->n_knobs; i++)
                if (s->knobs[i].kind == kind && str_eq(s->knobs[i].name, name))
                        return &s->knobs[i];
        return NULL;
}

const struct claim *lease_find_claim(const struct lease *lease, const struct knob_kind *kind,
                                            const char *name) {
        for (size_t i = 0; i < lease->n_claims; i++)
                if (lease->claims[i].kind == kind && str_eq(lease->claims[i].name, name))
                        return &lease->claims[i];
        return NULL;
}

size_t state_claims(const struct state *s, const struct knob *knob, const char *ret[static STATE_LEASES_MAX]) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_leases; i++) {
                const struct claim *c = lease_find_claim(&s->leases[i], knob->kind, knob->name);

                if (c)
                        ret[n++] = c->value;
        }
        return n;
}

const struct lease *state_claimant(const struct state *s, const struct knob_kind *kind, const char *name) {
        for (size_t i = 0; i < s->n_leases; i++)
                if (lease_find_claim(&s->leases[i], kind, name))
                        return &s->leases[i];
        return NULL;
}

/* Appends one element to an array that is grown by doubling. */
static int append(void **list, size_t *n, size_t max, size_t size, const void *element) {
        if (*n >= max)
                return -ENOSPC;
        if ((*n & (*n - 1)) == 0) {
                void *bigger = reallocarray(*list, *n ? *n * 2 : 1, size);

                if (!bigger)
                        return -ENOMEM;
                *list = bigger;
        }
        memcpy((char *) *list + *n * size, element, size);
        (*n)++;
        return 0;
}

int state_add_lease(struct state *s, struct lease *lease) {
        int r = append((void **) &s->leases, &s->n_leases, STATE_LEASES_MAX, sizeof(*lease), lease);

        if (r >= 0)
                *lease = (struct lease) {};
        return r;
}

int state_add_knob(struct state *s, const struct knob *knob) {
        return append((void **) &s->knobs, &s->n_knobs, STATE_KNOBS_MAX, sizeof(*knob), knob);
}

int lease_add_claim(struct lease *lease, const struct claim *claim) {
        return append((void **) &lease->claims, &lease->n_claims, STATE_CLAIMS_MAX, sizeof(*claim), claim);
}

void state_remove_lease(struct state *s, struct lease *lease) {
        size_t i = (size_t) (lease - s->leases);

        lease_done(lease);
        memmove(lease, lease + 1, (s->n_leases - i - 1) * sizeof(*lease));
        s->n_leases--;
}

void state_forget_settled(struct state *s) {
        size_t kept = 0;

        for (size_t i = 0; i < s->n_knobs; i++)
                if (s->knobs[i].pending || state_claimant(s, s->knobs[i].kind, s->knobs[i].name))
                        s->knobs[kept++] = s->knobs[i];
        s->n_knobs = kept;
}
