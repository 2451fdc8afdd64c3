/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/server.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "base/str.h"

#define METHOD_LENGTH_MAX 255

static const char service_description[] =
        "# Introspection: what every Varlink service answers.\n"
        "interface org.varlink.service\n"
        "\n"
        "# Who serves here, and which interfaces.\n"
        "method GetInfo() -> (\n"
        "  vendor: string,\n"
        "  product: string,\n"
        "  version: string,\n"
        "  url: string,\n"
        "  interfaces: []string\n"
        ")\n"
        "\n"
        "# An interface in this language.\n"
        "method GetInterfaceDescription(interface: string) -> (description: string)\n"
        "\n"
        "error InterfaceNotFound (interface: string)\n"
        "error MethodNotFound (method: string)\n"
        "error MethodNotImplemented (method: string)\n"
        "error InvalidParameter (parameter: string)\n"
        "error PermissionDenied ()\n"
        "error ExpectedMore ()\n";

static int reply(struct varlink_request *q, const char *error, struct json_object *parameters, bool continues) {
        _cleanup_json_ struct json_object *o = NULL;
        int r;

        if (q->oneway)
                return 0;
        o = json_object_new_object();
        if (!o)
                return -ENOMEM;
        if (error) {
                r = json_add(o, "error", json_object_new_string(error));
                if (r < 0)
                        return r;
        }
        r = json_add(o, "parameters", parameters ? json_object_get(parameters) : json_object_new_object());
        if (r < 0)
                return r;
        if (continues) {
                r = json_add(o, "continues", json_object_new_boolean(true));
                if (r < 0)
                        return r;
        }
        return varlink_send(q->connection, o, q->timeout_usec);
}

/* One of the standard's own errors. value can be a client's text: it comes back cut. */
static int standard_error(struct varlink_request *q, const char *error, const char *key, const char *value) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        char text[METHOD_LENGTH_MAX + 1];
        int r;

        if (!o)
                return -ENOMEM;
        (void) str_copy(text, sizeof(text), value);
        r = json_add(o, key, json_object_new_string(text));
        return r < 0 ? r : reply(q, error, o, false);
}

static int invalid_parameter(struct varlink_request *q, const char *name) {
        return standard_error(q, VARLINK_SERVICE ".InvalidParameter", "parameter", name);
}

static int service_error(struct varlink_request *q, const struct varlink_service *service, const struct err *e) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        char error[METHOD_LENGTH_MAX + 1];
        int r;

        if (!o)
                return -ENOMEM;
        r = str_format(error, sizeof(error), "%s.%s", service->interface, e->id);
        if (r < 0)
                return r;
        r = json_add(o, "subject", json_object_new_string(e->subject));
        if (r < 0)
                return r;
        r = json_add(o, "message", json_object_new_string(e->message));
        return r < 0 ? r : reply(q, error, o, false);
}

static int get_info(struct varlink_request *q, const struct varlink_service *service) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        struct json_object *interfaces;
        int r;
        struct {
                const char *key, *value;
        } fields[] = {
                { "vendor", service->vendor },
                { "product", service->product },
                { "version", service->version },
                { "url", service->url },
        };

        if (!o)
                return -ENOMEM;
        json_object_object_foreach(q->parameters, key, value)
                return invalid_parameter(q, key);

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                r = json_add(o, fields[i].key, json_object_new_string(fields[i].value));
                if (r < 0)
                        return r;
        }
        interfaces = json_object_new_array();
        r = json_add(o, "interfaces", interfaces);
        if (r < 0)
                return r;
        if (json_object_array_add(interfaces, json_object_new_string(VARLINK_SERVICE)) < 0 ||
            json_object_array_add(interfaces, json_object_new_string(service->interface)) < 0)
                return -ENOMEM;
        return reply(q, NULL, o, false);
}

static int get_description(struct varlink_request *q, const struct varlink_service *service) {
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *interface;
        const char *name, *description;
        int r;

        json_object_object_foreach(q->parameters, key, value)
                if (!str_eq(key, "interface"))
                        return invalid_parameter(q, key);
        interface = json_object_object_get(q->parameters, "interface");
        if (!json_object_is_type(interface, json_type_string))
                return invalid_parameter(q, "interface");

        name = json_object_get_string(interface);
        if (str_eq(name, VARLINK_SERVICE))
                description = service_description;
        else if (str_eq(name, service->interface))
                description = service->description;
        else
                return standard_error(q, VARLINK_SERVICE ".InterfaceNotFound", "interface", name);
        o = json_object_new_object();
        if (!o)
                return -ENOMEM;
        r = json_add(o, "description", json_object_new_string(description));
        return r < 0 ? r : reply(q, NULL, o, false);
}

static int call_handler(struct varlink_request *q, const struct varlink_service *service, varlink_handler handler,
                        void *userdata) {
        _cleanup_json_ struct json_object *result = NULL;
        struct err e = {};
        int r;

        r = handler(q, &result, userdata, &e);
        if (r < 0) {
                if (!*e.id)
                        (void) err_set(&e, r, ERR_FAILED, q->method, "%s", strerror(-r));
                return service_error(q, service, &e);
        }
        r = reply(q, NULL, result, false);
        if (r == -EMSGSIZE) {
                (void) err_set(&e, r, ERR_FAILED, q->method, "the answer has more than the %u bytes that are "
                               "allowed; ask for less", VARLINK_FRAME_MAX);
                return service_error(q, service, &e);
        }
        return r;
}

/* Fills *q and *ret_method (the full name) from the call object. Returns the name of the first member that is
 * wrong, or NULL. The other members are read all the same: "oneway" decides whether the error is sent. */
static const char *parse_call(struct json_object *call, struct varlink_request *q, const char **ret_method) {
        const char *bad = NULL, *method = NULL;
        bool more = false;

        json_object_object_foreach(call, key, value) {
                bool flag = json_object_is_type(value, json_type_boolean);
                bool set = flag && json_object_get_boolean(value), fine = false;

                if (str_eq(key, "method")) {
                        fine = json_object_is_type(value, json_type_string) &&
                               json_object_get_string_len(value) <= METHOD_LENGTH_MAX &&
                               strchr(json_object_get_string(value), '.');
                        method = fine ? json_object_get_string(value) : NULL;
                } else if (str_eq(key, "parameters")) {
                        fine = !value || json_object_is_type(value, json_type_object);
                        q->parameters = value;
                } else if (str_eq(key, "more")) {
                        fine = flag;
                        more = set;
                } else if (str_eq(key, "oneway")) {
                        fine = flag;
                        q->oneway = set;
                } else if (str_eq(key, "upgrade"))
                        fine = flag && !set;
                if (!fine && !bad)
                        bad = key;
        }
        q->more = more && !q->oneway;
        *ret_method = method;
        return bad ? bad : method ? NULL : "method";
}

static int serve_call(struct varlink_request *q, const struct varlink_service *service, struct json_object *call,
                      void *userdata) {
        _cleanup_json_ struct json_object *none = NULL;
        char interface[METHOD_LENGTH_MAX + 1];
        const char *bad, *method;
        size_t n;

        bad = parse_call(call, q, &method);
        if (bad)
                return invalid_parameter(q, bad);
        if (!q->parameters) {
                q->parameters = none = json_object_new_object();
                if (!none)
                        return -ENOMEM;
        }

        q->method = strrchr(method, '.') + 1;
        if (service->instead)
                return call_handler(q, service, service->instead, userdata);
        n = (size_t) (q->method - 1 - method);
        memcpy(interface, method, n);
        interface[n] = '\0';

        if (str_eq(interface, VARLINK_SERVICE)) {
                if (str_eq(q->method, "GetInfo"))
                        return get_info(q, service);
                if (str_eq(q->method, "GetInterfaceDescription"))
                        return get_description(q, service);
        } else if (str_eq(interface, service->interface)) {
                for (const struct varlink_method *m = service->methods; m->name; m++)
                        if (str_eq(q->method, m->name))
                                return call_handler(q, service, m->handler, userdata);
        } else
                return standard_error(q, VARLINK_SERVICE ".InterfaceNotFound", "interface", interface);
        return standard_error(q, VARLINK_SERVICE ".MethodNotFound", "method", method);
}

int varlink_serve(struct varlink *v, const struct varlink_service *service, void *userdata) {
        for (unsigned i = 0; i < service->calls_max; i++) {
                _cleanup_json_ struct json_object *call = NULL;
                struct varlink_request q = { .connection = v, .timeout_usec = service->timeout_usec };
                int r;

                r = varlink_receive(v, &call, service->timeout_usec);
                if (r == -EBADMSG || r == -EMSGSIZE)
                        (void) invalid_parameter(&q, "call");
                if (r <= 0)
                        return r;
                r = serve_call(&q, service, call, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

int varlink_progress_send(struct varlink_request *q, struct json_object *parameters) {
        return q->more ? reply(q, NULL, parameters, true) : 0;
}
