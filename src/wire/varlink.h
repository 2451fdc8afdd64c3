/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-c/json_object.h>

#include "base/err.h"

/* The Varlink wire (varlink.org): NUL-terminated JSON objects over a stream socket. */

#define VARLINK_FRAME_MAX (256U << 10) /* bytes, in both directions */

static inline void json_putp(struct json_object **o) {
        if (*o)
                json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* One end of a connection; owns the fd. */
struct varlink;
int varlink_new(int fd, struct varlink **ret); /* takes fd over also on failure */
void varlink_free(struct varlink *v);
DEFINE_CLEANUP(struct varlink *, varlink_free)
#define _cleanup_varlink_ _cleanup_(varlink_freep)
int varlink_fd(const struct varlink *v);

/* Sends one object (borrowed). Blocks until it is out or timeout_usec have passed. -EPIPE the peer is gone,
 * -ETIMEDOUT, -EMSGSIZE over VARLINK_FRAME_MAX. Never raises SIGPIPE. */
int varlink_send(struct varlink *v, struct json_object *message, uint64_t timeout_usec);

/* Receives one object: *ret is the caller's. Returns 1; 0 at a clean end of the stream; -EBADMSG not one JSON
 * object (also trailing bytes, depth over 32, invalid UTF-8, an embedded NUL), -EMSGSIZE, -ECONNRESET end in
 * the middle of a frame, -ETIMEDOUT. timeout_usec UINT64_MAX: no limit. */
int varlink_receive(struct varlink *v, struct json_object **ret, uint64_t timeout_usec);
