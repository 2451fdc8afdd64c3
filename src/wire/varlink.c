/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/varlink.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/utf8.h"

#define DEPTH_MAX 32
#define FIRST_SIZE 4096U /* nearly every frame fits */
#define REPLY_TIMEOUT_USEC (600 * UINT64_C(1000000))

struct varlink {
        int fd;
        bool broken; /* half a frame went out */
        struct json_tokener *tokener;
        char *in;
        size_t size;       /* of in */
        size_t start, end; /* received and not handed out yet */
        uint64_t reply_timeout_usec;
};

int json_add(struct json_object *o, const char *key, struct json_object *value) {
        if (!value)
                return -ENOMEM;
        if (json_object_object_add_ex(o, key, value, JSON_C_OBJECT_ADD_CONSTANT_KEY) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

int varlink_new(int fd, struct varlink **ret) {
        _cleanup_varlink_ struct varlink *v = NULL;

        v = calloc(1, sizeof(*v));
        if (!v) {
                close(fd);
                return -ENOMEM;
        }
        v->fd = fd;
        v->reply_timeout_usec = REPLY_TIMEOUT_USEC;
        v->tokener = json_tokener_new_ex(DEPTH_MAX);
        v->in = malloc(FIRST_SIZE);
        if (!v->tokener || !v->in)
                return -ENOMEM;
        json_tokener_set_flags(v->tokener, JSON_TOKENER_STRICT);
        v->size = FIRST_SIZE;
        *ret = TAKE_PTR(v);
        return 0;
}

void varlink_free(struct varlink *v) {
        close(v->fd);
        if (v->tokener)
                json_tokener_free(v->tokener);
        free(v->in);
        free(v);
}

int varlink_fd(const struct varlink *v) {
        return v->fd;
}

void varlink_set_reply_timeout(struct varlink *v, uint64_t usec) {
        v->reply_timeout_usec = usec;
}

uint64_t varlink_reply_timeout(const struct varlink *v) {
        return v->reply_timeout_usec;
}

static uint64_t deadline_after(uint64_t timeout_usec) {
        uint64_t end;

        return __builtin_add_overflow(now_usec(), timeout_usec, &end) ? UINT64_MAX : end;
}

/* Returns 0 when it is worth to try again, also after a signal or the end of poll's own time: the next call
 * then sees the deadline. */
static int wait_ready(int fd, short events, uint64_t deadline) {
        struct pollfd p = { .fd = fd, .events = events };
        int timeout = -1;

        if (deadline != UINT64_MAX) {
                uint64_t now = now_usec();

                if (now >= deadline)
                        return -ETIMEDOUT;
                deadline = (deadline - now) / 1000 + 1;
                timeout = deadline > INT_MAX ? INT_MAX : (int) deadline;
        }
        return poll(&p, 1, timeout) < 0 && errno != EINTR ? -errno : 0;
}

static int send_bytes(int fd, const char *data, size_t size, uint64_t timeout_usec) {
        uint64_t deadline = deadline_after(timeout_usec);

        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
                int r;

                if (n >= 0) {
                        data += n;
                        size -= (size_t) n;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return errno == ECONNRESET ? -EPIPE : -errno;
                r = wait_ready(fd, POLLOUT, deadline);
                if (r < 0)
                        return r;
        }
        return 0;
}

int varlink_send(struct varlink *v, struct json_object *message, uint64_t timeout_usec) {
        _cleanup_free_ char *repaired = NULL;
        const char *text;
        size_t length;
        int r;

        if (v->broken)
                return -EPIPE;
        text = json_object_to_json_string_length(message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
                                                 &length);
        if (!text)
                return -ENOMEM;
        if (length > VARLINK_FRAME_MAX)
                return -EMSGSIZE;
        if (utf8_span(text) != length) {
                repaired = strdup(text);
                if (!repaired)
                        return -ENOMEM;
                utf8_repair(repaired);
                text = repaired;
        }

        r = send_bytes(v->fd, text, length + 1, timeout_usec);
        if (r < 0)
                v->broken = true;
        return r;
}

/* json-c would cut a member's name at \u0000, and strings with it look different to different readers. */
static bool has_nul_escape(const char *text, size_t length) {
        const char *end = text + length;

        while ((text = memchr(text, '\\', (size_t) (end - text)))) {
                if (end - text < 6)
                        return false;
                if (memcmp(text, "\\u0000", 6) == 0)
                        return true;
                text += 2;
        }
        return false;
}

static int parse(struct varlink *v, const char *text, size_t length, struct json_object **ret) {
        _cleanup_json_ struct json_object *o = NULL;

        /* Not JSON_TOKENER_VALIDATE_UTF8: json-c lets over-long forms and surrogates pass. */
        if (utf8_span(text) != length || has_nul_escape(text, length))
                return -EBADMSG;
        json_tokener_reset(v->tokener);
        o = json_tokener_parse_ex(v->tokener, text, (int) length);
        if (json_tokener_get_error(v->tokener) != json_tokener_success || !json_object_is_type(o, json_type_object))
                return -EBADMSG;
        *ret = TAKE_PTR(o);
        return 1;
}

/* Room for at least one byte behind end, up to a whole frame and its NUL. */
static int make_room(struct varlink *v) {
        size_t size;
        char *in;

        if (v->start == v->end)
                v->start = v->end = 0;
        if (v->end < v->size)
                return 0;
        if (v->start > 0) {
                memmove(v->in, v->in + v->start, v->end - v->start);
                v->end -= v->start;
                v->start = 0;
                return 0;
        }
        if (v->size > VARLINK_FRAME_MAX)
                return -EMSGSIZE;
        size = v->size * 4 <= VARLINK_FRAME_MAX ? v->size * 4 : VARLINK_FRAME_MAX + 1;
        in = realloc(v->in, size);
        if (!in)
                return -ENOMEM;
        v->in = in;
        v->size = size;
        return 0;
}

/* Returns 1 when bytes came, 0 at the end of the stream. */
static int receive_bytes(struct varlink *v, uint64_t deadline) {
        int r;

        r = make_room(v);
        if (r < 0)
                return r;
        for (;;) {
                ssize_t n = recv(v->fd, v->in + v->end, v->size - v->end, MSG_DONTWAIT);

                if (n >= 0) {
                        v->end += (size_t) n;
                        return n > 0;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                r = wait_ready(v->fd, POLLIN, deadline);
                if (r < 0)
                        return r;
        }
}

int varlink_receive(struct varlink *v, struct json_object **ret, uint64_t timeout_usec) {
        uint64_t deadline = deadline_after(timeout_usec);
        size_t scanned = 0;

        for (;;) {
                char *frame = v->in + v->start;
                char *nul = memchr(frame + scanned, '\0', v->end - v->start - scanned);
                int r;

                if (nul) {
                        size_t length = (size_t) (nul - frame);

                        v->start += length + 1;
                        return parse(v, frame, length, ret);
                }
                scanned = v->end - v->start;
                r = receive_bytes(v, deadline);
                if (r < 0)
                        return r;
                if (r == 0)
                        return scanned > 0 ? -ECONNRESET : 0;
        }
}
