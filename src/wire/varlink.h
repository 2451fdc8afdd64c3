/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-c/json_object.h>

#include "base/err.h"

/* The Varlink wire (varlink.org): NUL-terminated JSON objects over a stream socket. */

#define VARLINK_FRAME_MAX (256U << 10) /* bytes without the NUL, in both directions */
#define VARLINK_SERVICE "org.varlink.service"

static inline void json_putp(struct json_object **o) {
        if (*o)
                json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* Adds a member; takes value over, also on failure. A NULL value is a constructor that failed: -ENOMEM. So a
 * chain of calls needs no other check. key must live as long as o: a literal. */
int json_add(struct json_object *o, const char *key, struct json_object *value);

/* One end of a connection; owns the fd. */
struct varlink;
int varlink_new(int fd, struct varlink **ret); /* takes fd over also on failure */
void varlink_free(struct varlink *v);
DEFINE_CLEANUP(struct varlink *, varlink_free)
#define _cleanup_varlink_ _cleanup_(varlink_freep)
int varlink_fd(const struct varlink *v);

/* How long varlink_call waits for each reply: 10 minutes unless it was set. */
void varlink_set_reply_timeout(struct varlink *v, uint64_t usec);
uint64_t varlink_reply_timeout(const struct varlink *v);

/* Sends one object (borrowed). Blocks until it is out or timeout_usec have passed, whatever the pace of the
 * peer. -EPIPE the peer is gone, -ETIMEDOUT, -EMSGSIZE over VARLINK_FRAME_MAX (nothing was sent). Never raises
 * SIGPIPE. After a frame that did not go out as a whole everything later is -EPIPE at once. Bytes that are not
 * valid UTF-8 (names that the host gave) go out as '?'. */
int varlink_send(struct varlink *v, struct json_object *message, uint64_t timeout_usec);

/* Receives one object: *ret is the caller's. Returns 1; 0 at a clean end of the stream; -EBADMSG not one JSON
 * object (also trailing bytes, depth over 32, invalid UTF-8, \u0000 in a string or a name), -EMSGSIZE,
 * -ECONNRESET end in the middle of a frame, -ETIMEDOUT. timeout_usec is for the whole frame, whatever the pace
 * of the peer; UINT64_MAX: no limit. Of a name that occurs twice in an object the last one counts. */
int varlink_receive(struct varlink *v, struct json_object **ret, uint64_t timeout_usec);
