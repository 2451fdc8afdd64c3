/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/reconcile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/str.h"
#include "base/utf8.h"

#define LANE_DIRECTORY STATE_DIRECTORY "/lanes"
#define LANE_WAIT_MAX_USEC 2000000U /* for a child of a killed process to end */

/* One knob that must change. */
struct item {
        size_t knob; /* index into the state */
        bool was_pending;
        char applied[KNOB_VALUE_MAX]; /* before this run */
        const char *claims[STATE_LEASES_MAX];
        size_t n_claims;
        char lane[KNOB_LANE_MAX];
        bool reported;
};

/* Items that may be worked on at the same time: same direction, same phase. */
struct batch {
        const struct reconciler *reconciler;
        struct state *state;
        struct item *items;
        size_t n;
        const char **lanes; /* distinct, pointing into the items */
        size_t n_lanes;
};

/* What a child says about an item: at the end, and before that when the step is STEP_WORKING. */
struct record {
        size_t item;
        struct step step;
};
_Static_assert(sizeof(struct record) <= PIPE_BUF, "a record must cross the pipe as a whole");

/* In the child */

/* Where the progress of a write goes. */
struct teller {
        struct record *record;
        int fd;
        uint64_t start, last;
};

#define TELL_EVERY_USEC 100000U /* for eyes */

static void tell(uint64_t done, uint64_t total, void *userdata) {
        struct teller *t = userdata;
        struct step *step = &t->record->step;
        uint64_t now = now_usec();

        if (now < t->last + TELL_EVERY_USEC)
                return;
        t->last = now;
        step->state = STEP_WORKING;
        step->done = done;
        step->total = total;
        step->usec = now - t->start;
        (void) child_send(t->fd, t->record, sizeof(*t->record));
        step->done = step->total = 0;
}

/* The lock lives as long as the child: a child that is stuck in a driver keeps its lane closed for everyone after
 * it, also when the process that started it was killed. */
static int lane_lock(const struct reconciler *rec, const char *lane) {
        uint64_t wait = rec->deadline_usec / 2, end = now_usec() + (wait < LANE_WAIT_MAX_USEC ? wait : LANE_WAIT_MAX_USEC);
        char path[PATH_MAX];
        int fd, r;

        r = str_format(path, sizeof(path), LANE_DIRECTORY "/%s", lane);
        if (r < 0)
                return r;
        fd = root_open(rec->root, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
        if (fd < 0)
                return fd;
        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                r = -errno;
                if (r != -EWOULDBLOCK || now_usec() >= end) {
                        close(fd);
                        return r;
                }
                (void) nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
        }
        return fd;
}

static enum step_state failed(struct step *step, int r) {
        if (!*step->err.id)
                (void) err_set(&step->err, r, ERR_FAILED, step->name, "%s %s: %s", step->kind, step->name,
                               strerror(-r));
        return STEP_FAILED;
}

/* What a lease can do without, and what stayed as it was. */
static enum step_state refused(const struct root *root, const struct knob *k, const struct item *it,
                               struct step *step, int r) {
        char now[KNOB_VALUE_MAX];

        (void) failed(step, r);
        if (k->kind->optional && it->n_claims > 0 && k->kind->read(root, k->name, now, NULL) >= 0 &&
            str_eq(now, step->from))
                return STEP_DECLINED;
        return STEP_FAILED;
}

/* Equally good values count only once ours was set: until then the claim's own value is what is wanted. */
static bool satisfied(const struct knob *k, const struct item *it, const char *current, const char *target) {
        if (str_eq(current, target))
                return true;
        return it->n_claims > 0 && str_eq(it->applied, target) && k->kind->satisfies &&
               k->kind->satisfies(current, target);
}

/* Something else stands behind the name now: what was lent is gone, and nothing is left to give back. */
static bool is_other(const struct root *root, const struct knob *k, struct err *e) {
        char identity[KNOB_IDENTITY_MAX];

        if (!*k->identity || !k->kind->identify || k->kind->identify(root, k->name, identity, NULL) < 0 ||
            str_eq(identity, k->identity))
                return false;
        (void) err_set(e, -ENODEV, ERR_NOT_FOUND, k->name, "%s was %s when it was lent and is %s now: it is left alone",
                       k->name, k->identity, identity);
        return true;
}

static enum step_state work(const struct knob *k, const struct item *it, struct knob_write *w, struct step *step) {
        const struct knob_kind *kind = k->kind;
        const struct root *root = w->root;
        char now[KNOB_VALUE_MAX];
        struct knob_view view = {
                .baseline = k->baseline,
                .applied = it->applied,
                .current = step->from,
                .claims = it->claims,
                .n_claims = it->n_claims,
        };
        bool foreign;
        int r;

        r = kind->read(root, k->name, step->from, &step->err);
        if (r == -ENODEV && it->n_claims == 0)
                return STEP_FOREIGN; /* unplugged: nothing is left to give back */
        if (r == -ENODEV && kind->optional)
                return STEP_DECLINED;
        if (r < 0)
                return failed(step, r);
        if (is_other(root, k, &step->err))
                return it->n_claims == 0 ? STEP_FOREIGN : STEP_FAILED;

        foreign = kind->is_foreign ? kind->is_foreign(&view) : !str_eq(step->from, it->applied);
        if (it->was_pending)
                /* Where an interrupted write ended is not known, so it cannot be told from a change by others. */
                foreign = false;

        r = kind->target(&view, step->to);
        if (r < 0)
                return failed(step, r);
        if (satisfied(k, it, step->from, step->to))
                return STEP_UNCHANGED;
        if (foreign) {
                (void) err_set(&step->err, -EBUSY, ERR_FAILED, k->name,
                               "%s was '%s' when it was lent and is '%s' now: somebody else changed it, so it is left "
                               "alone", k->name, it->applied, step->from);
                return STEP_FOREIGN;
        }

        w->name = k->name;
        w->value = step->to;
        r = kind->write(w, &step->err);
        if (r < 0)
                return refused(root, k, it, step, r);
        if (r == 0) {
                r = kind->read(root, k->name, now, &step->err);
                if (r < 0)
                        return failed(step, r);
                if (!satisfied(k, it, now, step->to)) {
                        (void) err_set(&step->err, -EIO, ERR_FAILED, k->name,
                                       "%s took '%s' without an error, but is '%s'", k->name, step->to, now);
                        return STEP_FAILED;
                }
        } else if (kind->read(root, k->name, now, NULL) >= 0)
                (void) str_copy(step->to, sizeof(step->to), now);
        return STEP_DONE;
}

/* A value that comes bit by bit has to be given up before the lane's own deadline, where all would count as stuck.
 */
static uint64_t patience_end(const struct reconciler *rec, uint64_t lane_start) {
        uint64_t own = now_usec() + rec->patience_usec, lane = lane_start + rec->deadline_usec / 4 * 3;

        return own < lane ? own : lane;
}

static int run_lane(int fd, size_t index, void *userdata) {
        const struct batch *b = userdata;
        const struct reconciler *rec = b->reconciler;
        uint64_t lane_start = now_usec();
        int lock;

        if (rec->client >= 0)
                close(rec->client);
        lock = lane_lock(rec, b->lanes[index]);

        for (size_t i = 0; i < b->n; i++) {
                const struct item *it = &b->items[i];
                const struct knob *k = &b->state->knobs[it->knob];
                struct record record = { .item = i };
                struct step *step = &record.step;
                struct teller teller = { .record = &record, .fd = fd, .start = now_usec() };
                struct knob_write w = { .root = rec->root, .progress = tell, .userdata = &teller };

                if (!str_eq(it->lane, b->lanes[index]))
                        continue;
                (void) str_copy(step->kind, sizeof(step->kind), k->kind->name);
                (void) str_copy(step->name, sizeof(step->name), k->name);
                (void) str_copy(step->domain, sizeof(step->domain), k->domain);
                teller.last = teller.start;
                w.until_usec = patience_end(rec, lane_start);
                if (lock == -EWOULDBLOCK) {
                        step->state = STEP_STUCK;
                        (void) err_set(&step->err, lock, ERR_TIMEOUT, k->name,
                                       "an earlier change of %s still hangs in its driver (see 'passthru log'); it is "
                                       "not touched until that ends, or the host restarts", k->name);
                } else if (lock < 0)
                        step->state = failed(step, lock);
                else
                        step->state = work(k, it, &w, step);
                step->usec = now_usec() - teller.start;
                if (child_send(fd, &record, sizeof(record)) < 0)
                        return 1;
        }
        return 0;
}

/* In the parent */

static void settle(struct batch *b, struct item *it, struct step *step) {
        struct knob *k = &b->state->knobs[it->knob];
        char message[sizeof(k->message)];

        it->reported = true;
        k->declined = step->state == STEP_DECLINED;
        if (k->declined)
                memcpy(k->applied, *step->from ? step->from : it->applied, sizeof(k->applied));
        k->pending = step->state == STEP_FAILED || step->state == STEP_STUCK ||
                     (step->state == STEP_FOREIGN && it->n_claims > 0);
        (void) str_copy(message, sizeof(message), k->pending || k->declined ? step->err.message : "");
        utf8_repair(message); /* the cut may have split a character */
        step->repeated = k->pending && str_eq(message, k->message);
        memcpy(k->message, message, sizeof(message));
        (void) str_copy(k->error, sizeof(k->error), k->pending || k->declined ? step->err.id : "");
        if (b->reconciler->report)
                b->reconciler->report(step, b->reconciler->userdata);
}

static void on_record(const void *data, size_t size, void *userdata) {
        struct batch *b = userdata;
        struct record record;

        memcpy(&record, data, size);
        if (record.item >= b->n)
                return;
        if (record.step.state != STEP_WORKING)
                settle(b, &b->items[record.item], &record.step);
        else if (b->reconciler->report)
                b->reconciler->report(&record.step, b->reconciler->userdata);
}

/* For items whose child never said anything: it hangs, or was killed. */
static void settle_silent(struct batch *b, struct item *it, const struct child *child) {
        const struct knob *k = &b->state->knobs[it->knob];
        struct step step = { .usec = b->reconciler->deadline_usec };

        (void) str_copy(step.kind, sizeof(step.kind), k->kind->name);
        (void) str_copy(step.name, sizeof(step.name), k->name);
        (void) str_copy(step.domain, sizeof(step.domain), k->domain);
        (void) str_copy(step.from, sizeof(step.from), it->applied);
        (void) str_copy(step.to, sizeof(step.to), k->applied);
        if (child->end == CHILD_STUCK) {
                step.state = STEP_STUCK;
                (void) err_set(&step.err, -ETIMEDOUT, ERR_TIMEOUT, k->name,
                               "%s did not become '%s' within %llu s: its driver does not answer. It is not touched "
                               "until that ends; the kernel's messages ('journalctl -k') may say why, a restart of the "
                               "host frees it", k->name, k->applied,
                               (unsigned long long) (b->reconciler->deadline_usec / 1000000));
        } else {
                step.state = STEP_FAILED;
                (void) err_set(&step.err, -ECHILD, ERR_FAILED, k->name,
                               "the process that was to set %s to '%s' %s %d", k->name, k->applied,
                               child->end == CHILD_DIED ? "was ended by signal" : "ended early with status",
                               child->status);
        }
        settle(b, it, &step);
}

static int run_batch(struct batch *b, struct err *e) {
        _cleanup_free_ const char **lanes = calloc(b->n, sizeof(*lanes));
        _cleanup_free_ struct child *children = calloc(b->n, sizeof(*children));
        int r;

        if (!lanes || !children)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");

        b->lanes = lanes;
        b->n_lanes = 0;
        for (size_t i = 0; i < b->n; i++) {
                size_t l = 0;

                while (l < b->n_lanes && !str_eq(lanes[l], b->items[i].lane))
                        l++;
                if (l == b->n_lanes)
                        lanes[b->n_lanes++] = b->items[i].lane;
        }

        r = children_run(children, b->n_lanes, b->reconciler->deadline_usec, sizeof(struct record), run_lane,
                         on_record, b);
        for (size_t i = 0; i < b->n; i++)
                for (size_t l = 0; !b->items[i].reported && l < b->n_lanes; l++)
                        if (str_eq(b->items[i].lane, lanes[l]))
                                settle_silent(b, &b->items[i], &children[l]);
        b->lanes = NULL;
        return r < 0 ? err_set(e, r, ERR_FAILED, NULL, "a process could not be started: %s", strerror(-r)) : 0;
}

/* What others did to a shared knob is theirs. Where a write was interrupted, what it did cannot be told from what
 * they did, so the last baseline stands. */
static void follow_others(const struct root *root, struct knob *k) {
        char now[KNOB_VALUE_MAX];

        if (k->kind->rebase && !k->pending && k->kind->read(root, k->name, now, NULL) >= 0)
                (void) k->kind->rebase(now, k->baseline, k->applied);
}

/* Fills *it and returns true when the knob must change. */
static bool needs_work(const struct state *s, size_t index, struct item *it) {
        const struct knob *k = &s->knobs[index];
        struct knob_view view = { .baseline = k->baseline, .applied = k->applied, .current = k->applied };
        char target[KNOB_VALUE_MAX];

        *it = (struct item) { .knob = index, .was_pending = k->pending };
        it->n_claims = state_claims(s, k, it->claims);
        view.claims = it->claims;
        view.n_claims = it->n_claims;
        if (k->declined && it->n_claims > 0)
                return false;
        if (k->kind->target(&view, target) >= 0 && str_eq(target, k->applied) && !k->pending)
                return false;
        k->kind->lane(k->name, it->lane);
        return true;
}

/* Knobs to give back come first, last taken first; then the claimed ones in their order. */
static int compare_items(const void *a, const void *b, void *userdata) {
        const struct item *x = a, *y = b;
        const struct state *s = userdata;
        int back_x = x->n_claims == 0, back_y = y->n_claims == 0;
        unsigned phase_x = s->knobs[x->knob].kind->phase, phase_y = s->knobs[y->knob].kind->phase;
        int order;

        if (back_x != back_y)
                return back_y - back_x;
        order = phase_x != phase_y ? (phase_x < phase_y ? -1 : 1) : x->knob < y->knob ? -1 : 1;
        return back_x ? -order : order;
}

static bool same_batch(const struct state *s, const struct item *a, const struct item *b) {
        return (a->n_claims == 0) == (b->n_claims == 0) &&
               s->knobs[a->knob].kind->phase == s->knobs[b->knob].kind->phase;
}

/* Part of a lease that is not committed did not get its value: so the lease will be undone. */
static bool is_lost(const struct state *s, const struct batch *b) {
        for (size_t i = 0; i < b->n; i++) {
                const struct knob *k = &s->knobs[b->items[i].knob];

                for (size_t l = 0; k->pending && l < s->n_leases; l++)
                        if (s->leases[l].state == LEASE_LENDING &&
                            lease_find_claim(&s->leases[l], k->kind, k->name))
                                return true;
        }
        return false;
}

int reconcile(const struct reconciler *rec, struct state *s, struct err *e) {
        _cleanup_free_ struct item *items = NULL;
        size_t n = 0;
        int r;

        items = calloc(s->n_knobs + 1, sizeof(*items));
        if (!items)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        for (size_t i = 0; i < s->n_knobs; i++)
                if (needs_work(s, i, &items[n]))
                        n++;
        if (n == 0)
                return 0;
        qsort_r(items, n, sizeof(*items), compare_items, s);

        for (size_t i = 0; i < n; i++) {
                struct knob *k = &s->knobs[items[i].knob];
                struct knob_view view = { k->baseline, k->applied, k->applied, items[i].claims, items[i].n_claims };
                char target[KNOB_VALUE_MAX];

                follow_others(rec->root, k);
                memcpy(items[i].applied, k->applied, sizeof(k->applied));
                k->pending = true;
                if (k->kind->target(&view, target) >= 0)
                        (void) str_copy(k->applied, sizeof(k->applied), target);
        }
        r = state_save(rec->root, s, e);
        if (r < 0)
                return r;
        r = dir_ensure_private(rec->root, LANE_DIRECTORY, 0700);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, LANE_DIRECTORY, "%s: %s", LANE_DIRECTORY, strerror(-r));

        for (size_t i = 0; i < n;) {
                struct batch b = { .reconciler = rec, .state = s, .items = &items[i] };

                while (i + b.n < n && same_batch(s, &items[i], &items[i + b.n]))
                        b.n++;
                r = run_batch(&b, e);
                if (r < 0)
                        return r;
                if (is_lost(s, &b))
                        break;
                i += b.n;
        }
        return 1;
}
