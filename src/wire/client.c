/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/client.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define SEND_TIMEOUT_USEC (30 * UINT64_C(1000000))
#define LOOK "see journalctl -u passthru.service"

int varlink_connect(const char *path, struct varlink **ret, struct err *e) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;
        int r;

        r = str_copy(address.sun_path, sizeof(address.sun_path), path);
        if (r < 0)
                return err_set(e, r, ERR_INVALID, path, "a socket's path has at most %zu bytes",
                               sizeof(address.sun_path) - 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return err_set(e, -errno, ERR_FAILED, path, "cannot make a socket: %s", strerror(errno));
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0) {
                r = -errno;
                if (r == -ENOENT || r == -ECONNREFUSED)
                        return err_set(e, r, ERR_FAILED, path, "nobody listens on %s (%s); start it with: "
                                       "systemctl enable --now passthru.socket", path, strerror(-r));
                if (r == -EACCES || r == -EPERM)
                        return err_set(e, r, ERR_PERMISSION, path, "%s is for root only; try again with sudo",
                                       path);
                return err_set(e, r, ERR_FAILED, path, "cannot connect to %s: %s; " LOOK, path, strerror(-r));
        }
        r = varlink_new(TAKE_FD(fd), ret);
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "out of memory") : 0;
}

static int send_call(struct varlink *v, const char *method, struct json_object *parameters, bool more) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = json_add(o, "method", json_object_new_string(method));
        if (r < 0)
                return r;
        if (parameters) {
                r = json_add(o, "parameters", json_object_get(parameters));
                if (r < 0)
                        return r;
        }
        if (more) {
                r = json_add(o, "more", json_object_new_boolean(true));
                if (r < 0)
                        return r;
        }
        return varlink_send(v, o, SEND_TIMEOUT_USEC);
}

static const char *string_member(struct json_object *o, const char *key) {
        struct json_object *value = json_object_object_get(o, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int error_code(const char *id) {
        static const struct {
                const char *id;
                int code;
        } codes[] = {
                { ERR_INVALID, -EINVAL },
                { ERR_NOT_FOUND, -ENOENT },
                { ERR_IN_USE, -EBUSY },
                { ERR_REFUSED, -EPERM },
                { ERR_PERMISSION, -EPERM },
                { ERR_NOT_SUPPORTED, -EOPNOTSUPP },
                { ERR_TIMEOUT, -ETIMEDOUT },
                { "InvalidParameter", -EINVAL },
                { "InterfaceNotFound", -EOPNOTSUPP },
                { "MethodNotFound", -EOPNOTSUPP },
                { "MethodNotImplemented", -EOPNOTSUPP },
        };

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (str_eq(id, codes[i].id))
                        return codes[i].code;
        return -EIO;
}

static int error_reply(const char *method, const char *error, struct json_object *parameters, struct err *e) {
        /* The members of org.varlink.service's errors. */
        static const char *const subjects[] = { "subject", "parameter", "method", "interface" };
        const char *dot = strrchr(error, '.'), *id = dot ? dot + 1 : error, *subject = NULL, *message;
        int code = error_code(id);

        for (size_t i = 0; i < ARRAY_SIZE(subjects) && !subject; i++)
                subject = string_member(parameters, subjects[i]);
        message = string_member(parameters, "message");
        if (message)
                return err_set(e, code, id, subject, "%s", message);
        if (code == -EOPNOTSUPP)
                return err_set(e, code, id, subject, "the helper does not know %s (%s): it runs another version; "
                               "try again after: systemctl restart passthru.service", method, error);
        return err_set(e, code, id, subject, "the helper answered %s with the error %s; " LOOK, method, error);
}

/* Reads one reply: what it gives out belongs to o. Returns 1 when more follow, 0 for the last one. */
static int parse_reply(struct json_object *o, struct json_object **ret_parameters, const char **ret_error) {
        struct json_object *parameters = json_object_object_get(o, "parameters"), *error, *continues;

        if (!parameters) {
                int r;

                parameters = json_object_new_object();
                r = json_add(o, "parameters", parameters);
                if (r < 0)
                        return r;
        }
        if (!json_object_is_type(parameters, json_type_object))
                return -EBADMSG;
        error = json_object_object_get(o, "error");
        if (error && !json_object_is_type(error, json_type_string))
                return -EBADMSG;
        continues = json_object_object_get(o, "continues");
        if (continues && !json_object_is_type(continues, json_type_boolean))
                return -EBADMSG;
        *ret_parameters = parameters;
        *ret_error = error ? json_object_get_string(error) : NULL;
        return !error && json_object_get_boolean(continues);
}

static int broken_call(int r, const char *method, struct err *e) {
        switch (r) {
        case -EMSGSIZE:
                return err_set(e, r, ERR_FAILED, method, "a message has more than the %u bytes that are allowed; "
                               "ask for less at once", VARLINK_FRAME_MAX);
        case -EBADMSG:
                return err_set(e, r, ERR_FAILED, method, "the helper's reply is not a Varlink reply; " LOOK);
        case -ETIMEDOUT:
                return err_set(e, r, ERR_TIMEOUT, method, "the helper does not answer; the work can still be "
                               "going on: " LOOK);
        case -ECONNRESET:
                return err_set(e, r, ERR_FAILED, method, "the helper hung up before its answer; " LOOK);
        default:
                return err_set(e, r, ERR_FAILED, method, "cannot talk to the helper: %s", strerror(-r));
        }
}

int varlink_call(struct varlink *v, const char *method, struct json_object *parameters, varlink_progress progress,
                 void *userdata, struct json_object **ret, struct err *e) {
        int r;

        r = send_call(v, method, parameters, progress != NULL);
        /* A helper that refuses the connection may have said why before it closed. */
        if (r < 0 && r != -EPIPE)
                return broken_call(r, method, e);

        for (;;) {
                _cleanup_json_ struct json_object *reply = NULL;
                struct json_object *result;
                const char *error;

                r = varlink_receive(v, &reply, varlink_reply_timeout(v));
                if (r <= 0)
                        return broken_call(r == 0 ? -ECONNRESET : r, method, e);
                r = parse_reply(reply, &result, &error);
                if (r > 0 && !progress)
                        r = -EBADMSG;
                if (r < 0)
                        return broken_call(r, method, e);
                if (error)
                        return error_reply(method, error, result, e);
                if (r == 0) {
                        if (ret)
                                *ret = json_object_get(result);
                        return 0;
                }
                progress(result, userdata);
        }
}
