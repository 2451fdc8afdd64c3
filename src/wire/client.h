/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "wire/varlink.h"

#define HELPER_SOCKET "/run/passthru/org.passthru"

/* Connects to a unix socket. Errors say which socket, and what to start when nobody listens there. */
int varlink_connect(const char *path, struct varlink **ret, struct err *e);

/* Called for each intermediate reply ("continues": true); parameters is an object, borrowed. */
typedef void (*varlink_progress)(struct json_object *parameters, void *userdata);

/* Calls METHOD ("org.passthru.Lend") and waits for the final reply. parameters is borrowed and may be NULL. With
 * progress not NULL the call is made with "more". *ret (may be NULL) gets the reply's parameters, always an
 * object; caller puts.
 *
 * An error reply becomes *e: id is the error's last component, subject and message come from its parameters
 * "subject" and "message" where they are strings; code is mapped from the id (InUse: -EBUSY, NotFound: -ENOENT,
 * Refused and PermissionDenied: -EPERM, InvalidRequest and org.varlink.service.InvalidParameter: -EINVAL,
 * NotSupported and MethodNotFound…: -EOPNOTSUPP, Timeout: -ETIMEDOUT, else -EIO). A helper that hangs up before
 * the final reply is -ECONNRESET, one that is silent for varlink_reply_timeout() is -ETIMEDOUT. */
int varlink_call(struct varlink *v, const char *method, struct json_object *parameters, varlink_progress progress,
                 void *userdata, struct json_object **ret, struct err *e);
