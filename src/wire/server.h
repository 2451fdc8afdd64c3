/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/varlink.h"

/* One call that is being answered. */
struct varlink_request {
        struct varlink *connection;
        const char *method;             /* the last component: "Lend" */
        struct json_object *parameters; /* an object, never NULL; borrowed */
        bool more;                      /* the client wants intermediate replies */
        bool oneway;                    /* the client wants no reply at all; more is false then */
        uint64_t timeout_usec;          /* for each reply */
};

/* Answers: *ret gets the reply's parameters (or stays NULL for none). A negative return with *e set becomes the
 * error reply INTERFACE.<e->id> {"subject": …, "message": …}. */
typedef int (*varlink_handler)(struct varlink_request *q, struct json_object **ret, void *userdata,
                               struct err *e);

struct varlink_method {
        const char *name;
        varlink_handler handler;
};

struct varlink_service {
        const char *vendor, *product, *version, *url; /* for org.varlink.service.GetInfo */
        const char *interface;                        /* "org.passthru" */
        const char *description;                      /* the interface in Varlink's language */
        const struct varlink_method *methods;         /* ends with a NULL name */
        varlink_handler instead;                      /* not NULL: answers all calls, introspection as well */
        uint64_t timeout_usec;                        /* for each frame in each direction */
        unsigned calls_max;                           /* calls on one connection; it ends behind the last */
};

/* Serves one connection until the client closes it: org.varlink.service (GetInfo, GetInterfaceDescription) and the
 * methods above; unknown interfaces and methods, unknown members or wrong types in the call itself, "upgrade" and
 * malformed frames get the standard's errors (org.varlink.service.MethodNotFound, InvalidParameter, …); after a
 * malformed frame the connection ends. A oneway call gets no reply, not even an error. Returns 0, or -errno when
 * it ended badly: what varlink_send and varlink_receive return, -ETIMEDOUT also for a client that is idle. */
int varlink_serve(struct varlink *v, const struct varlink_service *service, void *userdata);

/* Sends an intermediate reply; does nothing when the client did not ask for "more". A client that is gone does
 * not stop the work: the result is ignored by the callers that must finish. One that does not read costs
 * timeout_usec once: what follows on this connection is -EPIPE at once. */
int varlink_progress_send(struct varlink_request *q, struct json_object *parameters);
