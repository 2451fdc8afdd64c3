/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/str.h"
#include "lease/plan.h"

#define LOCK_PATH STATE_DIRECTORY "/lock"

/* A request behind others waits for them: they may have to wait for drivers, to undo, and to wait again. To give up early
 * would lose a return for good, since libvirt does not repeat it. */
#define LOCK_WAIT_DEADLINES 4

/* A POSIX lock: it ends with this process, whatever way that ends, and unlike flock(2)'s a child that is stuck in a
 * driver does not inherit it. Closing the fd releases it. */
static int lock_state(const struct reconciler *rec, struct err *e) {
        uint64_t end = now_usec() + LOCK_WAIT_DEADLINES * rec->deadline_usec;
        _cleanup_close_ int fd = -1;
        int r;

        r = dir_ensure_private(rec->root, STATE_DIRECTORY, 0700);
        if (r < 0)
                return err_set(e, r, r == -EACCES ? ERR_PERMISSION : ERR_FAILED, STATE_DIRECTORY,
                               "%s must be a directory of root that nobody else can write: %s", STATE_DIRECTORY,
                               strerror(-r));
        fd = root_open(rec->root, LOCK_PATH, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
        if (fd < 0)
                return err_set(e, fd, ERR_FAILED, LOCK_PATH, "%s: %s", LOCK_PATH, strerror(-fd));
        while (fcntl(fd, F_SETLK, &(struct flock) { .l_type = F_WRLCK, .l_whence = SEEK_SET }) < 0) {
                if (errno != EAGAIN && errno != EACCES)
                        return err_set(e, -errno, ERR_FAILED, LOCK_PATH, "%s: %s", LOCK_PATH, strerror(errno));
                if (now_usec() >= end)
                        return err_set(e, -ETIMEDOUT, ERR_TIMEOUT, LOCK_PATH,
                                       "another lend or return has been at work for %llu s; see 'passthru status'",
                                       (unsigned long long) (LOCK_WAIT_DEADLINES * rec->deadline_usec / 1000000));
                (void) nanosleep(&(struct timespec) { .tv_nsec = 2000000 }, NULL);
        }
        return TAKE_FD(fd);
}

/* Removes leases that must not be there any more. */
static void drop_stale(struct state *s) {
        uint64_t now = now_usec();

        for (size_t i = s->n_leases; i-- > 0;) {
                struct lease *l = &s->leases[i];

                if (l->state == LEASE_LENDING || (l->until_usec && l->until_usec <= now))
                        state_remove_lease(s, l);
        }
}

static int lock_and_load(const struct reconciler *rec, int *ret_lock, struct state *ret, struct err *e) {
        _cleanup_close_ int lock = -1;
        int r;

        lock = lock_state(rec, e);
        if (lock < 0)
                return lock;
        r = state_load(rec->root, ret, e);
        if (r < 0)
                return r;
        drop_stale(ret);
        *ret_lock = TAKE_FD(lock);
        return 0;
}

static int finish(const struct reconciler *rec, struct state *s, struct err *e) {
        state_forget_settled(s);
        return state_save(rec->root, s, e);
}

static bool has_claims_of(const struct lease *a, const struct lease *b) {
        for (size_t i = 0; i < b->n_claims; i++) {
                const struct claim *c = lease_find_claim(a, b->claims[i].kind, b->claims[i].name);

                if (!b->claims[i].kind->ambient && (!c || !str_eq(c->value, b->claims[i].value)))
                        return false;
        }
        return true;
}

static bool same_claims(const struct lease *a, const struct lease *b) {
        return has_claims_of(a, b) && has_claims_of(b, a);
}

/* The first knob that the lease claims, or claimed, and that did not get its value: its error, 0 when all did.
 * Those that were not even tried after another one failed have nothing to tell. */
static int check_reached(const struct state *s, const struct lease *lease, struct err *e) {
        const struct knob *missed = NULL;

        for (size_t i = 0; i < lease->n_claims; i++) {
                const struct knob *k = state_find_knob(s, lease->claims[i].kind, lease->claims[i].name);

                if (k && k->pending && (!missed || (!*missed->message && *k->message)))
                        missed = k;
        }
        if (!missed)
                return 0;
        return err_set(e, str_eq(missed->error, ERR_TIMEOUT) ? -ETIMEDOUT : -EBUSY,
                       *missed->error ? missed->error : ERR_FAILED, missed->name, "%s", missed->message);
}

/* Undoes a lend: the original error stays, with a word about what could not be undone. */
static int undo(const struct reconciler *rec, struct state *s, const char *domain, int r, struct err *e) {
        struct lease *lease = state_find_lease(s, domain);
        _cleanup_lease_ struct lease gone = TAKE(*lease, (struct lease) {});
        struct err why = {};

        state_remove_lease(s, lease);
        if (reconcile(rec, s, &why) < 0 || finish(rec, s, &why) < 0 || check_reached(s, &gone, &why) < 0)
                err_append(e, "; undoing it is not finished and will be tried again: %s", why.message);
        else
                err_append(e, "; nothing was lent");
        return r;
}

/* What is to stay on the host after the lease is the host's from now on. */
static void keep_claims(struct state *s, struct lease *lease) {
        for (size_t i = 0; i < lease->n_claims; i++) {
                struct claim *c = &lease->claims[i];
                struct knob *k = state_find_knob(s, c->kind, c->name);

                if (k && c->kind->keep)
                        (void) c->kind->keep(c->value, k->baseline);
        }
}

/* Brings the host to what the lease, already in the state, wants: all of it or nothing. */
static int commit(const struct reconciler *rec, struct state *s, const char *domain, struct err *e) {
        struct lease *lease = state_find_lease(s, domain);
        int r;

        r = reconcile(rec, s, e);
        if (r >= 0)
                r = check_reached(s, lease, e);
        if (r >= 0)
                r = lease_plan_verify(rec->root, lease, e);
        if (r >= 0) {
                lease->state = LEASE_LENT;
                keep_claims(s, lease);
                r = finish(rec, s, e);
        }
        return r < 0 ? undo(rec, s, domain, r, e) : 0;
}

static void report_plan(const struct reconciler *rec, const struct lease_plan *plan) {
        for (size_t i = 0; rec->report && i < plan->n_knobs; i++) {
                const struct knob *k = &plan->knobs[i];
                const char *value = plan->lease.claims[i].value;
                struct knob_view view = { k->baseline, k->applied, k->applied, &value, 1 };
                struct step step = { .state = STEP_PLANNED };

                (void) str_copy(step.kind, sizeof(step.kind), k->kind->name);
                (void) str_copy(step.name, sizeof(step.name), k->name);
                (void) str_copy(step.domain, sizeof(step.domain), k->domain);
                (void) str_copy(step.from, sizeof(step.from), k->applied);
                if (k->kind->target(&view, step.to) >= 0)
                        rec->report(&step, rec->userdata);
        }
}

/* What somebody else undid meanwhile is done again for whoever asks for it now. Returns true when that is to be
 * done. */
static bool mark_drift(struct knob *k, const char *now) {
        if (k->kind->rebase && !k->pending)
                (void) k->kind->rebase(now, k->baseline, k->applied);
        if (str_eq(now, k->applied) || (k->kind->satisfies && k->kind->satisfies(now, k->applied)))
                return false;
        k->pending = true;
        return true;
}

static int lend_new(const struct reconciler *rec, struct state *s, struct lease_plan *plan, struct err *e) {
        char domain[NAME_LENGTH_MAX + 1];
        int r = 0;

        memcpy(domain, plan->lease.domain, sizeof(domain));
        for (size_t i = 0; r >= 0 && i < plan->n_knobs; i++) {
                struct knob *known = state_find_knob(s, plan->knobs[i].kind, plan->knobs[i].name);

                if (known) {
                        memcpy(known->domain, domain, sizeof(known->domain));
                        (void) mark_drift(known, plan->knobs[i].applied);
                } else
                        r = state_add_knob(s, &plan->knobs[i]);
        }
        if (r >= 0)
                r = state_add_lease(s, &plan->lease);
        if (r < 0)
                return err_set(e, r, ERR_REFUSED, domain, "too much is lent already: %s", strerror(-r));
        return commit(rec, s, domain, e);
}

/* The domain has a lease: it stands. A lend without an end makes one with an end permanent: the domain that was
 * rehearsed is started. */
static int lend_again(const struct reconciler *rec, struct state *s, struct lease *old, const struct lease_plan *plan,
                      struct err *e) {
        bool drifted = false;

        if (!str_eq(old->domain, plan->lease.domain) || !str_eq(old->uuid, plan->lease.uuid) ||
            !same_claims(old, &plan->lease))
                return err_set(e, -EEXIST, ERR_REFUSED, old->domain,
                               "domain %s%s%s has a lease, for other devices or by another name or UUID; 'passthru return "
                               "%s' first", old->domain, *old->uuid ? " " : "", old->uuid, old->domain);
        if (plan->lease.until_usec && !old->until_usec)
                return err_set(e, -EBUSY, ERR_IN_USE, old->domain,
                               "domain %s has these devices already, without an end; 'passthru return %s' first",
                               old->domain, old->domain);
        old->until_usec = plan->lease.until_usec;

        for (size_t i = 0; i < plan->n_knobs; i++) {
                struct knob *k = state_find_knob(s, plan->knobs[i].kind, plan->knobs[i].name);

                /* There is none for an ambient one that was not there when the lease was made. */
                if (k)
                        drifted |= mark_drift(k, plan->knobs[i].applied);
        }
        if (!drifted)
                return finish(rec, s, e);
        old->state = LEASE_LENDING;
        return commit(rec, s, plan->lease.domain, e);
}

int lease_lend(const struct reconciler *rec, const struct request *q, struct err *e) {
        _cleanup_state_ struct state s = {};
        _cleanup_lease_plan_ struct lease_plan plan = {};
        _cleanup_close_ int lock = -1;
        struct timespec now;
        struct lease *old;
        int r;

        r = lock_and_load(rec, &lock, &s, e);
        /* What is pending from before comes first: nothing that may take long is to stand between the checks and the
         * first write. */
        if (r >= 0 && !q->dry_run)
                r = reconcile(rec, &s, e);
        if (r > 0)
                r = finish(rec, &s, e);
        if (r >= 0)
                r = lease_plan_make(rec, q, &s, &plan, e);
        if (r < 0)
                return r;
        if (q->dry_run) {
                report_plan(rec, &plan);
                return 0;
        }
        (void) clock_gettime(CLOCK_REALTIME, &now);
        plan.lease.since_usec = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
        plan.lease.until_usec = q->seconds ? now_usec() + q->seconds * 1000000 : 0;

        old = state_find_lease(&s, q->domain);
        if (!old && *q->uuid)
                old = state_find_lease(&s, q->uuid);
        return old ? lend_again(rec, &s, old, &plan, e) : lend_new(rec, &s, &plan, e);
}

int lease_return(const struct reconciler *rec, const char *domain, struct err *e) {
        _cleanup_state_ struct state s = {};
        _cleanup_lease_ struct lease gone = {};
        _cleanup_close_ int lock = -1;
        struct lease *lease;
        int r;

        r = lock_and_load(rec, &lock, &s, e);
        if (r < 0)
                return r;
        lease = state_find_lease(&s, domain);
        if (lease) {
                gone = TAKE(*lease, (struct lease) {});
                state_remove_lease(&s, lease);
        }
        r = reconcile(rec, &s, e);
        if (r >= 0)
                r = finish(rec, &s, e);
        return r < 0 ? r : check_reached(&s, &gone, e);
}

int lease_reconcile(const struct reconciler *rec, struct err *e) {
        _cleanup_state_ struct state s = {};
        _cleanup_close_ int lock = -1;
        int r;

        r = lock_and_load(rec, &lock, &s, e);
        if (r >= 0)
                r = reconcile(rec, &s, e);
        return r < 0 ? r : finish(rec, &s, e);
}
