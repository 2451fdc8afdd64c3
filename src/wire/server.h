/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "wire/varlink.h"

/* One call that is being answered. */
struct varlink_request {
        struct varlink *connection;
        const char *method;             /* the last component: "Lend" */
        struct json_object *parameters; /* an object, never NULL; borrowed */
        bool more;                      /* the client wants intermediate replies */
        bool oneway;                    /* the client wants no reply at all */
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
        uint64_t timeout_usec;                        /* for each frame in each direction */
        unsigned calls_max;                           /* calls on one connection */
};

/* Serves one connection until the client closes it: org.varlink.service (GetInfo, GetInterfaceDescription) and the
 * methods above; unknown interfaces and methods, wrong types of the call's own fields, "upgrade" and malformed
 * frames get the standard's errors (org.varlink.service.MethodNotFound, InvalidParameter, …); after a malformed
 * frame the connection ends, since its boundary is not known. Returns 0, or -errno when it ended badly. */
int varlink_serve(struct varlink *v, const struct varlink_service *service, void *userdata);

/* Sends an intermediate reply; does nothing when the client did not ask for "more". A client that is gone does
 * not stop the work: the result is ignored by the callers that must finish. */
int varlink_progress_send(struct varlink_request *q, struct json_object *parameters);
