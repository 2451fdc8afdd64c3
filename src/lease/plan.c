/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "lease/plan-console.h"
#include "lease/plan-cpufreq.h"
#include "lease/plan-devices.h"
#include "lease/plan-isolation.h"
#include "lease/plan-memory.h"
#include "lease/plan-tuning.h"

/* What the child says: a claim with the knob's present value, or why there will be none. */
struct record {
        char kind[KNOB_KIND_MAX];
        struct claim claim; /* its kind is a pointer of the child's: the name above is what counts */
        char now[KNOB_VALUE_MAX];
        char identity[KNOB_IDENTITY_MAX];
        bool complete; /* the last one */
        struct err err;
};
_Static_assert(sizeof(struct record) <= PIPE_BUF, "a record must cross the pipe as a whole");

struct job {
        const struct reconciler *rec;
        const struct request *q;
        const struct state *state;
        struct lease_plan *plan;
        bool complete;
        int r;
        struct err err;
};

void lease_plan_done(struct lease_plan *plan) {
        lease_done(&plan->lease);
        free(plan->knobs);
        *plan = (struct lease_plan) {};
}

/* In the child */

static int describe(const struct root *root, const struct claim *c, struct record *ret) {
        int r;

        *ret = (struct record) { .claim = *c };
        (void) str_copy(ret->kind, sizeof(ret->kind), c->kind->name);
        r = c->kind->read(root, c->name, ret->now, &ret->err);
        if (r >= 0 && c->kind->identify)
                r = c->kind->identify(root, c->name, ret->identity, &ret->err);
        if (r >= 0 && !c->kind->value_is_valid(ret->now))
                r = err_set(&ret->err, -EINVAL, ERR_NOT_SUPPORTED, c->name,
                            "%s has the value '%s', which could not be given back", c->name, ret->now);
        return r;
}

/* Devices come last: nothing that may take long is to stand between the look for who uses them and the first
 * write. */
static int plan_all(const struct job *job, struct lease *lease, struct err *e) {
        const struct root *root = job->rec->root;
        int r;

        r = plan_check_cpus(root, job->q, e);
        if (r >= 0)
                r = plan_memory(root, job->q, job->state, lease, e);
        if (r >= 0)
                r = plan_cpufreq(root, job->q, lease, e);
        if (r >= 0)
                r = plan_isolation(root, job->q, job->state, lease, e);
        if (r >= 0)
                r = plan_console(root, job->q, lease, e);
        if (r >= 0)
                r = plan_tuning(root, job->q, lease, e);
        return r < 0 ? r : plan_devices(root, job->q, job->state, lease, e);
}

static int make(int fd, size_t index, void *userdata) {
        const struct job *job = userdata;
        _cleanup_lease_ struct lease lease = {};
        struct record record = {};
        int r;

        (void) index;
        if (job->rec->client >= 0)
                close(job->rec->client);
        (void) str_copy(lease.domain, sizeof(lease.domain), job->q->domain);
        r = plan_all(job, &lease, &record.err);
        for (size_t i = 0; r >= 0 && i < lease.n_claims; i++) {
                r = describe(job->rec->root, &lease.claims[i], &record);
                if (r >= 0 && child_send(fd, &record, sizeof(record)) < 0)
                        return 1;
        }
        if (r < 0 && !record.err.code)
                (void) err_set(&record.err, r, ERR_FAILED, NULL, "%s", strerror(-r));
        record.complete = true;
        return child_send(fd, &record, sizeof(record)) < 0;
}

/* In the parent */

static int add(struct lease_plan *plan, const struct record *record) {
        struct knob *bigger, k = { .kind = knob_kind_find(record->kind) };
        struct claim claim = record->claim;
        int r;

        claim.kind = k.kind;
        if (!k.kind)
                return -EINVAL;
        bigger = reallocarray(plan->knobs, plan->n_knobs + 1, sizeof(*bigger));
        if (!bigger)
                return -ENOMEM;
        plan->knobs = bigger;
        r = lease_add_claim(&plan->lease, &claim);
        if (r < 0)
                return r;
        memcpy(k.name, claim.name, sizeof(k.name));
        memcpy(k.baseline, record->now, sizeof(k.baseline));
        memcpy(k.applied, record->now, sizeof(k.applied));
        memcpy(k.identity, record->identity, sizeof(k.identity));
        memcpy(k.domain, plan->lease.domain, sizeof(k.domain));
        plan->knobs[plan->n_knobs++] = k;
        return 0;
}

static void on_record(const void *data, size_t size, void *userdata) {
        struct job *job = userdata;
        struct record record;

        memcpy(&record, data, size);
        if (record.complete) {
                job->complete = true;
                job->err = record.err;
        } else if (job->r >= 0)
                job->r = add(job->plan, &record);
}

int lease_plan_make(const struct reconciler *rec, const struct request *q, const struct state *s,
                    struct lease_plan *ret, struct err *e) {
        _cleanup_lease_plan_ struct lease_plan plan = { .lease = { .state = LEASE_LENDING } };
        struct job job = { .rec = rec, .q = q, .state = s, .plan = &plan };
        struct child child;
        int r;

        (void) str_copy(plan.lease.domain, sizeof(plan.lease.domain), q->domain);
        (void) str_copy(plan.lease.uuid, sizeof(plan.lease.uuid), q->uuid);
        r = children_run(&child, 1, rec->deadline_usec, sizeof(struct record), make, on_record, &job);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, NULL, "a process could not be started: %s", strerror(-r));
        if (child.end == CHILD_STUCK)
                return err_set(e, -ETIMEDOUT, ERR_TIMEOUT, q->domain,
                               "the host did not say within %llu s what its devices are doing: a driver hangs. Nothing was "
                               "changed; the kernel's messages ('journalctl -k') may say which",
                               (unsigned long long) (rec->deadline_usec / 1000000));
        if (!job.complete || job.r < 0)
                return err_set(e, job.r < 0 ? job.r : -ECHILD, ERR_FAILED, q->domain,
                               "the process that was to check the devices ended early; nothing was changed");
        if (job.err.code < 0) {
                if (e)
                        *e = job.err;
                return job.err.code;
        }
        *ret = TAKE(plan, (struct lease_plan) {});
        return 0;
}

int lease_plan_verify(const struct root *root, const struct lease *lease, struct err *e) {
        return verify_groups(root, lease, e);
}
