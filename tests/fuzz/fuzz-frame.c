/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "wire/interface.h"
#include "wire/server.h"

/* Bytes → varlink_receive, and → varlink_serve. All bytes are in the socket before the reader starts, and its
 * timeouts are 0: nothing waits. Every reply of the server must be a Varlink reply. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (64U << 10) /* fits into a socket's buffer */

static struct varlink *connect_to(const uint8_t *data, size_t size, int *ret_peer) {
        struct varlink *v;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
            send(fds[1], data, size, MSG_DONTWAIT) != (ssize_t) size || shutdown(fds[1], SHUT_WR) < 0 ||
            varlink_new(fds[0], &v) < 0)
                abort();
        *ret_peer = fds[1];
        return v;
}

static void receive(const uint8_t *data, size_t size) {
        _cleanup_close_ int peer = -1;
        _cleanup_varlink_ struct varlink *v = connect_to(data, size, &peer);
        int r;

        do {
                _cleanup_json_ struct json_object *o = NULL;

                r = varlink_receive(v, &o, 0);
                if ((r == 1) != (o != NULL) || (o && !json_object_is_type(o, json_type_object)))
                        abort();
        } while (r > 0);
}

static int echo(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        (void) userdata;
        (void) e;
        (void) varlink_progress_send(q, q->parameters);
        *ret = json_object_get(q->parameters);
        return 0;
}

static int lend(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        struct request request;
        int r;

        (void) userdata;
        r = request_from_json(q->parameters, &request, e);
        if (r < 0)
                return r;
        *ret = request_to_json(&request);
        return 0;
}

static const struct varlink_method methods[] = { { "Status", echo }, { "Lend", lend }, {} };
static const struct varlink_service service = {
        .vendor = "passthru",
        .product = "passthru",
        .version = "0",
        .url = "",
        .interface = PASSTHRU_INTERFACE,
        .description = passthru_interface_description,
        .methods = methods,
        .calls_max = 16,
};

static void check_reply(struct json_object *o) {
        struct json_object *error = json_object_object_get(o, "error");
        struct json_object *parameters = json_object_object_get(o, "parameters");
        struct json_object *continues = json_object_object_get(o, "continues");

        if (!json_object_is_type(parameters, json_type_object))
                abort();
        if (error && !str_starts(json_object_get_string(error), "org."))
                abort();
        if (error && json_object_object_length(parameters) == 0)
                abort();
        if (continues && (error || !json_object_get_boolean(continues)))
                abort();
        if (json_object_object_length(o) != 1 + (error != NULL) + (continues != NULL))
                abort();
}

static void serve(const uint8_t *data, size_t size) {
        _cleanup_varlink_ struct varlink *client = NULL;
        struct varlink *server;
        int peer, r, result;

        server = connect_to(data, size, &peer);
        if (varlink_new(peer, &client) < 0)
                abort();
        result = varlink_serve(server, &service, NULL);
        if (result > 0 || shutdown(varlink_fd(server), SHUT_RDWR) < 0)
                abort();
        do {
                _cleanup_json_ struct json_object *o = NULL;

                r = varlink_receive(client, &o, 0);
                if (o)
                        check_reply(o);
        } while (r > 0);
        /* Only where the socket was full a reply is cut. */
        if (r != 0 && !(r == -ECONNRESET && result == -ETIMEDOUT))
                abort();
        varlink_free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size > INPUT_MAX)
                return 0;
        receive(data, size);
        serve(data, size);
        return 0;
}
