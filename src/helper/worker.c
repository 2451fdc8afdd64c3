/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/worker.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "base/child.h"
#include "base/str.h"
#include "config/settings.h"
#include "helper/journal.h"
#include "lease/lease.h"
#include "wire/interface.h"
#include "wire/server.h"

#define FRAME_TIMEOUT_USEC 10000000U
#define CALLS_MAX 64 /* on one connection */

struct worker {
        const struct root *root;
        struct settings settings;
        const struct peer *peer;
};

/* One call of a method that changes something. */
struct job {
        const char *verb;
        const char *domain;
        struct varlink_request *call; /* NULL: nobody listens */
        struct json_object *steps;
        uint64_t start;
};

static struct json_object *step_to_json(const struct step *step) {
        struct json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        json_object_object_add(o, "kind", json_object_new_string(step->kind));
        json_object_object_add(o, "name", json_object_new_string(step->name));
        json_object_object_add(o, "from", json_object_new_string(step->from));
        json_object_object_add(o, "to", json_object_new_string(step->to));
        json_object_object_add(o, "state", json_object_new_string(step_state_name(step->state)));
        json_object_object_add(o, "microseconds", json_object_new_int64((int64_t) step->usec));
        if (step->state == STEP_WORKING) {
                json_object_object_add(o, "done", json_object_new_int64((int64_t) step->done));
                json_object_object_add(o, "total", json_object_new_int64((int64_t) step->total));
        }
        if (*step->err.message)
                json_object_object_add(o, "message", json_object_new_string(step->err.message));
        return o;
}

static void on_step(const struct step *step, void *userdata) {
        struct job *job = userdata;

        /* What fails at every retry in the same way is in the journal once. */
        if (step->state != STEP_PLANNED && step->state != STEP_WORKING && !step->repeated)
                journal_step(job->verb, step);
        /* Retries of what another domain had are not this client's affair. */
        if (!job->call || (name_is_valid(job->domain) && !uuid_is_valid(job->domain) &&
                           !str_eq(job->domain, step->domain)))
                return;
        if (step->state != STEP_WORKING)
                (void) json_object_array_add(job->steps, step_to_json(step));
        if (job->call->more) {
                _cleanup_json_ struct json_object *parameters = json_object_new_object();

                (void) json_add(parameters, "step", step_to_json(step));
                /* A client that went away does not stop the work. */
                (void) varlink_progress_send(job->call, parameters);
        }
}

static struct reconciler reconciler_for(const struct worker *w, struct job *job) {
        return (struct reconciler){
                .root = w->root,
                .deadline_usec = w->settings.deadline_usec,
                .patience_usec = w->settings.patience_usec,
                .report = on_step,
                .userdata = job,
                .client = job->call ? varlink_fd(job->call->connection) : -1,
        };
}

/* Logs the end and makes the reply. Takes the steps over. */
static int job_end(struct job *job, int r, struct json_object **ret, struct err *e) {
        _cleanup_json_ struct json_object *steps = TAKE_PTR(job->steps);
        struct err done = {};

        journal_result(job->verb, job->domain, r < 0 ? e : &done, now_usec() - job->start);
        if (r < 0)
                return r;
        *ret = json_object_new_object();
        if (!*ret)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        (void) json_object_object_add(*ret, "steps", TAKE_PTR(steps));
        return 0;
}

/* In the place of what changes something, for those who may only read. */
static int refuse_change(struct varlink_request *call, struct json_object **ret, void *userdata, struct err *e) {
        const struct worker *w = userdata;

        (void) call;
        (void) ret;
        return err_set(e, -EPERM, ERR_PERMISSION, NULL, "only root may lend devices, not the user with id %u; try "
                       "again with sudo", (unsigned) w->peer->uid);
}

/* In the place of everything: SocketMode= should have kept them out already. */
static int refuse_peer(struct varlink_request *call, struct json_object **ret, void *userdata, struct err *e) {
        const struct worker *w = userdata;

        (void) call;
        (void) ret;
        return err_set(e, -EPERM, ERR_PERMISSION, NULL,
                       "only root may use passthru, and the group that [helper] group= in passthru.conf names may see "
                       "the status: the user with id %u is neither; try again with sudo",
                       (unsigned) w->peer->uid);
}

static int method_lend(struct varlink_request *call, struct json_object **ret, void *userdata, struct err *e) {
        struct worker *w = userdata;
        struct request q = {};
        struct job job = { "lend", q.domain, call, NULL, now_usec() };
        struct reconciler rec = reconciler_for(w, &job);
        int r;

        r = request_from_json(call->parameters, &q, e);
        if (r < 0)
                return r;
        job.steps = json_object_new_array();
        return job_end(&job, lease_lend(&rec, &q, e), ret, e);
}

static int method_return(struct varlink_request *call, struct json_object **ret, void *userdata, struct err *e) {
        struct worker *w = userdata;
        char domain[NAME_LENGTH_MAX + 1];
        struct job job = { "return", domain, call, NULL, now_usec() };
        struct reconciler rec = reconciler_for(w, &job);
        int r;

        r = return_from_json(call->parameters, domain, sizeof(domain), e);
        if (r < 0)
                return r;
        job.steps = json_object_new_array();
        return job_end(&job, lease_return(&rec, domain, e), ret, e);
}

static int method_reconcile(struct varlink_request *call, struct json_object **ret, void *userdata, struct err *e) {
        struct worker *w = userdata;
        struct job job = { "reconcile", "", call, NULL, now_usec() };
        struct reconciler rec = reconciler_for(w, &job);
        int r;

        r = nothing_from_json(call->parameters, e);
        if (r < 0)
                return r;
        job.steps = json_object_new_array();
        return job_end(&job, lease_reconcile(&rec, e), ret, e);
}

static int method_status(struct varlink_request *call, struct json_object **ret, void *userdata, struct err *e) {
        struct worker *w = userdata;
        _cleanup_state_ struct state s = {};
        int r;

        r = nothing_from_json(call->parameters, e);
        if (r < 0)
                return r;
        r = state_load(w->root, &s, e);
        if (r < 0)
                return r;
        *ret = state_to_json(&s);
        return *ret ? 0 : err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
}

/* A damaged configuration must not keep devices from coming back: then the defaults are used, and the journal says
 * why. */
static void load_settings(struct worker *w) {
        struct err e = {};

        settings_default(&w->settings);
        if (settings_load(w->root, &w->settings, &e) < 0)
                journal_note(LOG_ERR, "%s", e.message);
}

int worker_serve(const struct root *root, int fd, const struct peer *peer) {
        static const struct varlink_method all[] = {
                { "Lend", method_lend },
                { "Return", method_return },
                { "Reconcile", method_reconcile },
                { "Status", method_status },
                {},
        }, reading[] = {
                { "Lend", refuse_change },
                { "Return", refuse_change },
                { "Reconcile", refuse_change },
                { "Status", method_status },
                {},
        };
        struct varlink_service service = {
                .vendor = "passthru",
                .product = "passthru",
                .version = VERSION,
                .url = "",
                .interface = PASSTHRU_INTERFACE,
                .description = passthru_interface_description,
                .methods = reading,
                .instead = refuse_peer,
                .timeout_usec = FRAME_TIMEOUT_USEC,
                .calls_max = CALLS_MAX,
        };
        _cleanup_varlink_ struct varlink *v = NULL;
        struct worker w = { .root = root, .peer = peer };

        if (varlink_new(fd, &v) < 0)
                return 1;
        load_settings(&w);
        switch (peer_access(root, peer, w.settings.group)) {
        case ACCESS_ALL:
                service.methods = all;
                service.instead = NULL;
                break;
        case ACCESS_READ:
                service.instead = NULL;
                break;
        case ACCESS_NONE:
                break;
        }
        return varlink_serve(v, &service, &w) < 0;
}

int worker_reconcile(const struct root *root) {
        struct worker w = { .root = root };
        struct job job = { "reconcile", "", NULL, NULL, now_usec() };
        struct reconciler rec;
        struct err e = {};

        load_settings(&w);
        rec = reconciler_for(&w, &job);
        if (lease_reconcile(&rec, &e) >= 0)
                return 0;
        journal_note(LOG_ERR, "reconcile: %s", e.message);
        return 1;
}
