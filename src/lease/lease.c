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
#include "lease/plan-devices.h"
#include "sys/module.h"

#define LOCK_PATH STATE_DIRECTORY "/lock"

/* A POSIX lock: it ends with this process, whatever way that ends, and unlike flock(2)'s a child that is stuck in a
 * driver does not inherit it. Closing the fd releases it. */
static int lock_state(const struct reconciler *rec, struct err *e) {
        uint64_t end = now_usec() + rec->deadline_usec;
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
                                       (unsigned long long) (rec->deadline_usec / 1000000));
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

static bool same_claims(const struct lease *a, const struct lease *b) {
        if (a->n_claims != b->n_claims)
                return false;
        for (size_t i = 0; i < a->n_claims; i++) {
                const struct claim *c = lease_find_claim(b, a->claims[i].kind, a->claims[i].name);

                if (!c || !str_eq(c->value, a->claims[i].value))
                        return false;
        }
        return true;
}

/* Reads the baseline of every knob that is claimed for the first time. */
static int add_knobs(const struct reconciler *rec, struct state *s, const struct lease *lease, struct err *e) {
        for (size_t i = 0; i < lease->n_claims; i++) {
                const struct claim *c = &lease->claims[i];
                struct knob k = { .kind = c->kind };
                int r;

                if (state_find_knob(s, c->kind, c->name))
                        continue;
                (void) str_copy(k.name, sizeof(k.name), c->name);
                r = c->kind->read(rec->root, c->name, k.baseline, e);
                if (r < 0)
                        return r;
                memcpy(k.applied, k.baseline, sizeof(k.applied));
                r = state_add_knob(s, &k);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, c->name, "too many things are lent: %s", strerror(-r));
        }
        return 0;
}

static int load_modules(const struct root *root, const struct lease *lease, struct err *e) {
        for (size_t i = 0; i < lease->n_claims; i++) {
                int r;

                if (lease->claims[i].kind != &knob_pci_driver)
                        continue;
                r = module_ensure(root, lease->claims[i].value, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void report_plan(const struct reconciler *rec, const struct state *s, const struct lease *lease) {
        for (size_t i = 0; rec->report && i < lease->n_claims; i++) {
                const struct claim *c = &lease->claims[i];
                const struct knob *k = state_find_knob(s, c->kind, c->name);
                const char *value = c->value;
                struct knob_view view = { k->baseline, k->applied, k->applied, &value, 1 };
                struct step step = { .state = STEP_PLANNED };

                (void) str_copy(step.kind, sizeof(step.kind), c->kind->name);
                (void) str_copy(step.name, sizeof(step.name), c->name);
                (void) str_copy(step.from, sizeof(step.from), k->applied);
                if (c->kind->target(&view, step.to) >= 0)
                        rec->report(&step, rec->userdata);
        }
}

/* The first knob of the lease that did not get its value. */
static int check_reached(const struct state *s, const struct lease *lease, struct err *e) {
        for (size_t i = 0; i < lease->n_claims; i++) {
                const struct knob *k = state_find_knob(s, lease->claims[i].kind, lease->claims[i].name);

                if (k->pending)
                        return err_set(e, -EIO, ERR_FAILED, k->name, "%s", k->message);
        }
        return 0;
}

static int describe_pending(const struct state *s, const struct lease *lease, struct err *e) {
        for (size_t i = 0; i < lease->n_claims; i++) {
                const struct knob *k = state_find_knob(s, lease->claims[i].kind, lease->claims[i].name);

                if (k && k->pending)
                        return err_set(e, -EBUSY, ERR_IN_USE, k->name, "%s", k->message);
        }
        return 0;
}

/* Undoes a lend: the original error stays, with a word about what could not be undone. *lease is one of s. */
static int undo(const struct reconciler *rec, struct state *s, const char *domain, int r, struct err *e) {
        struct lease *lease = state_find_lease(s, domain);
        _cleanup_lease_ struct lease gone = *lease;
        struct err why = {};

        *lease = (struct lease) {};
        state_remove_lease(s, lease);
        if (reconcile(rec, s, &why) < 0 || finish(rec, s, &why) < 0 || describe_pending(s, &gone, &why) < 0)
                err_append(e, "; undoing it is not finished and will be tried again: %s", why.message);
        return r;
}

static int commit(const struct reconciler *rec, struct state *s, const char *domain, struct err *e) {
        struct lease *lease = state_find_lease(s, domain);
        int r;

        r = load_modules(rec->root, lease, e);
        if (r < 0)
                return r;
        r = reconcile(rec, s, e);
        if (r < 0)
                return r;
        r = check_reached(s, lease, e);
        if (r < 0)
                return r;
        r = verify_groups(rec->root, lease, e);
        if (r < 0)
                return r;
        lease->state = LEASE_LENT;
        return finish(rec, s, e);
}

int lease_lend(const struct reconciler *rec, const struct request *q, struct err *e) {
        _cleanup_state_ struct state s = {};
        _cleanup_lease_ struct lease lease = { .state = LEASE_LENDING };
        _cleanup_close_ int lock = -1;
        const struct lease *old;
        struct timespec now;
        int r;

        (void) str_copy(lease.domain, sizeof(lease.domain), q->domain);
        (void) str_copy(lease.uuid, sizeof(lease.uuid), q->uuid);
        (void) clock_gettime(CLOCK_REALTIME, &now);
        lease.since_usec = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
        lease.until_usec = q->seconds ? now_usec() + q->seconds * 1000000 : 0;

        r = lock_and_load(rec, &lock, &s, e);
        if (r < 0)
                return r;
        r = plan_devices(rec->root, q, &s, &lease, e);
        if (r < 0)
                return r;

        old = state_find_lease(&s, q->domain);
        if (old && same_claims(old, &lease) && !q->dry_run)
                return check_reached(&s, old, e);
        if (old && !q->dry_run)
                return err_set(e, -EEXIST, ERR_REFUSED, q->domain,
                               "domain %s has a lease with other devices; 'passthru return %s' first", q->domain,
                               q->domain);
        r = add_knobs(rec, &s, &lease, e);
        if (r < 0)
                return r;
        if (q->dry_run) {
                report_plan(rec, &s, &lease);
                return 0;
        }

        r = state_add_lease(&s, &lease);
        if (r < 0)
                return err_set(e, r, ERR_REFUSED, q->domain, "%d domains have leases, no more are taken",
                               STATE_LEASES_MAX);
        r = commit(rec, &s, q->domain, e);
        return r < 0 ? undo(rec, &s, q->domain, r, e) : 0;
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
        if (r < 0)
                return r;
        r = finish(rec, &s, e);
        if (r < 0)
                return r;
        return describe_pending(&s, &gone, e);
}

int lease_reconcile(const struct reconciler *rec, struct err *e) {
        _cleanup_state_ struct state s = {};
        _cleanup_close_ int lock = -1;
        int r;

        r = lock_and_load(rec, &lock, &s, e);
        if (r < 0)
                return r;
        r = reconcile(rec, &s, e);
        return r < 0 ? r : finish(rec, &s, e);
}
