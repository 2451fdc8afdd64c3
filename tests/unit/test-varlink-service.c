/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json_tokener.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "wire/client.h"
#include "wire/interface.h"
#include "wire/server.h"

#define LONG 10000000
#define CALLS_MAX 4

static int handle_echo(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        (void) e;
        ++*(int *) userdata;
        *ret = json_object_get(q->parameters);
        return 0;
}

static int handle_nothing(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        (void) ret;
        (void) e;
        ++*(int *) userdata;
        assert_string_equal(q->method, "Nothing");
        return 0;
}

static int handle_count(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        (void) e;
        /* Nobody reads what a oneway call would report. */
        *(int *) userdata += q->oneway && q->more ? 100 : 1;
        *ret = json_object_new_object();
        for (int i = 1; i <= 3; i++) {
                _cleanup_json_ struct json_object *step = json_object_new_object();

                assert_int_equal(json_add(step, "i", json_object_new_int(i)), 0);
                assert_int_equal(varlink_progress_send(q, step), 0);
        }
        return json_add(*ret, "more", json_object_new_boolean(q->more));
}

/* Fails with the id, subject and message of its parameters. */
static int handle_fail(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        struct json_object *id = json_object_object_get(q->parameters, "id");

        (void) userdata;
        *ret = json_object_new_object();
        if (!id)
                return -ENOSPC;
        return err_set(e, -EINVAL, json_object_get_string(id), "a\xff" "field", "wanted this\nfound %s", "that");
}

static int handle_large(struct varlink_request *q, struct json_object **ret, void *userdata, struct err *e) {
        static char text[VARLINK_FRAME_MAX];

        (void) q;
        (void) userdata;
        (void) e;
        memset(text, 'x', sizeof(text) - 1);
        *ret = json_object_new_object();
        return json_add(*ret, "text", json_object_new_string(text));
}

static const struct varlink_method methods[] = {
        { "Echo", handle_echo }, { "Nothing", handle_nothing }, { "Count", handle_count },
        { "Fail", handle_fail }, { "Large", handle_large },     {},
};

static const struct varlink_service service = {
        .vendor = "a vendor",
        .product = "a product",
        .version = "1.2",
        .url = "https://example.org/",
        .interface = PASSTHRU_INTERFACE,
        .description = passthru_interface_description,
        .methods = methods,
        .timeout_usec = LONG,
        .calls_max = CALLS_MAX,
};

/* A server in a thread, and a client. */
struct session {
        pthread_t thread;
        struct varlink *server, *client;
        int handled, result;
};

static void *serve(void *userdata) {
        struct session *s = userdata;

        s->result = varlink_serve(s->server, &service, &s->handled);
        varlink_free(s->server);
        return NULL;
}

static struct session *session_new(void) {
        struct session *s = calloc(1, sizeof(*s));
        int fds[2];

        assert_non_null(s);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(varlink_new(fds[0], &s->server), 0);
        assert_int_equal(varlink_new(fds[1], &s->client), 0);
        assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
        return s;
}

/* Closes the client and returns what varlink_serve returned. */
static int session_end(struct session *s, int *ret_handled) {
        int result;

        varlink_free(s->client);
        assert_int_equal(pthread_join(s->thread, NULL), 0);
        result = s->result;
        if (ret_handled)
                *ret_handled = s->handled;
        free(s);
        return result;
}

static const char *text_of(struct json_object *o) {
        return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void send_raw(struct session *s, const char *text) {
        size_t n = strlen(text) + 1;

        assert_int_equal(send(varlink_fd(s->client), text, n, MSG_NOSIGNAL), n);
}

static void expect_reply(struct session *s, const char *json) {
        _cleanup_json_ struct json_object *o = NULL;

        assert_int_equal(varlink_receive(s->client, &o, LONG), 1);
        assert_string_equal(text_of(o), json);
}

static void expect_end(struct session *s) {
        struct json_object *o = NULL;

        assert_int_equal(varlink_receive(s->client, &o, LONG), 0);
}

#define SERVICE_ERROR(id, key, value) \
        "{\"error\":\"org.varlink.service." id "\",\"parameters\":{\"" key "\":\"" value "\"}}"
#define INVALID(name) SERVICE_ERROR("InvalidParameter", "parameter", name)

/* Calls that are JSON objects: the connection goes on behind each. */
static const struct {
        const char *call, *reply;
} calls[] = {
        { "{\"method\":\"org.varlink.service.GetInfo\"}",
          "{\"parameters\":{\"vendor\":\"a vendor\",\"product\":\"a product\",\"version\":\"1.2\","
          "\"url\":\"https://example.org/\",\"interfaces\":[\"org.varlink.service\",\"org.passthru\"]}}" },
        { "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{\"x\":1}}", INVALID("x") },
        { "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{}}", INVALID("interface") },
        { "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":1}}",
          INVALID("interface") },
        { "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
          "\"parameters\":{\"interface\":\"a\",\"y\":1}}", INVALID("y") },
        { "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"org.x\"}}",
          SERVICE_ERROR("InterfaceNotFound", "interface", "org.x") },
        { "{\"method\":\"org.varlink.service.Other\"}",
          SERVICE_ERROR("MethodNotFound", "method", "org.varlink.service.Other") },
        { "{\"method\":\"org.passthru.Other\"}", SERVICE_ERROR("MethodNotFound", "method", "org.passthru.Other") },
        { "{\"method\":\"org.passthru.\"}", SERVICE_ERROR("MethodNotFound", "method", "org.passthru.") },
        { "{\"method\":\"org.passthru.echo\"}", SERVICE_ERROR("MethodNotFound", "method", "org.passthru.echo") },
        { "{\"method\":\"org.other.Echo\"}", SERVICE_ERROR("InterfaceNotFound", "interface", "org.other") },
        { "{\"method\":\".Echo\"}", SERVICE_ERROR("InterfaceNotFound", "interface", "") },
        { "{\"method\":\"Echo\"}", INVALID("method") },
        { "{\"method\":\"\"}", INVALID("method") },
        { "{\"method\":1}", INVALID("method") },
        { "{\"method\":null}", INVALID("method") },
        { "{}", INVALID("method") },
        { "{\"method\":\"org.passthru.Echo\",\"parameters\":[]}", INVALID("parameters") },
        { "{\"method\":\"org.passthru.Echo\",\"parameters\":1}", INVALID("parameters") },
        { "{\"method\":\"org.passthru.Echo\",\"more\":1}", INVALID("more") },
        { "{\"method\":\"org.passthru.Echo\",\"more\":\"true\"}", INVALID("more") },
        { "{\"method\":\"org.passthru.Echo\",\"oneway\":1}", INVALID("oneway") },
        { "{\"method\":\"org.passthru.Echo\",\"oneway\":null}", INVALID("oneway") },
        { "{\"method\":\"org.passthru.Echo\",\"upgrade\":0}", INVALID("upgrade") },
        { "{\"method\":\"org.passthru.Echo\",\"upgrade\":true}", INVALID("upgrade") },
        { "{\"method\":\"org.passthru.Echo\",\"other\":true}", INVALID("other") },
        { "{\"method\":\"org.passthru.Echo\"}", "{\"parameters\":{}}" },
        { "{\"method\":\"org.passthru.Echo\",\"parameters\":null}", "{\"parameters\":{}}" },
        { "{\"method\":\"org.passthru.Echo\",\"upgrade\":false,\"more\":false,\"oneway\":false,"
          "\"parameters\":{\"a\":[1,null]}}",
          "{\"parameters\":{\"a\":[1,null]}}" },
        { "{\"method\":\"org.passthru.Nothing\"}", "{\"parameters\":{}}" },
        { "{\"method\":\"org.passthru.Fail\",\"parameters\":{\"id\":\"InUse\"}}",
          "{\"error\":\"org.passthru.InUse\",\"parameters\":{\"subject\":\"a?field\","
          "\"message\":\"wanted this?found that\"}}" },
        { "{\"method\":\"org.passthru.Fail\"}",
          "{\"error\":\"org.passthru.Failed\",\"parameters\":{\"subject\":\"Fail\","
          "\"message\":\"No space left on device\"}}" },
        { "{\"method\":\"org.passthru.Large\"}",
          "{\"error\":\"org.passthru.Failed\",\"parameters\":{\"subject\":\"Large\",\"message\":"
          "\"the answer has more than the 262144 bytes that are allowed; ask for less\"}}" },
};

static void test_calls(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                struct session *s = session_new();

                send_raw(s, calls[i].call);
                expect_reply(s, calls[i].reply);
                send_raw(s, "{\"method\":\"org.passthru.Echo\"}");
                expect_reply(s, "{\"parameters\":{}}");
                assert_int_equal(session_end(s, NULL), 0);
        }
}

static const char *const malformed[] = {
        "", "nonsense", "[]", "{\"method\":\"org.passthru.Echo\"", "{\"method\":\"org.passthru.Echo\\u0000\"}",
};

static void test_malformed_frames(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
                struct session *s = session_new();

                send_raw(s, malformed[i]);
                expect_reply(s, INVALID("call"));
                expect_end(s);
                assert_int_equal(session_end(s, NULL), -EBADMSG);
        }
}

static void test_long_names(void **state) {
        struct session *s = session_new();
        _cleanup_json_ struct json_object *o = json_object_new_object(), *reply = NULL;
        struct json_object *parameters;
        char name[1001];

        (void) state;
        memset(name, 'x', 1000);
        memcpy(name, "org.x", 5);
        name[1000] = '\0';
        assert_int_equal(json_add(o, "method", json_object_new_string(name)), 0);
        assert_int_equal(varlink_send(s->client, o, LONG), 0);
        expect_reply(s, INVALID("method"));

        /* A long name of the client comes back cut. */
        assert_int_equal(json_add(o, name, json_object_new_string("")), 0);
        assert_int_equal(json_add(o, "method", json_object_new_string("org.passthru.Echo")), 0);
        assert_int_equal(varlink_send(s->client, o, LONG), 0);
        assert_int_equal(varlink_receive(s->client, &reply, LONG), 1);
        parameters = json_object_object_get(reply, "parameters");
        assert_int_equal(json_object_get_string_len(json_object_object_get(parameters, "parameter")), 255);
        assert_int_equal(session_end(s, NULL), 0);
}

static char *describe(struct session *s, const char *interface) {
        _cleanup_json_ struct json_object *p = json_object_new_object(), *o = NULL;
        char *text;

        assert_int_equal(json_add(p, "interface", json_object_new_string(interface)), 0);
        assert_int_equal(varlink_call(s->client, "org.varlink.service.GetInterfaceDescription", p, NULL, NULL, &o,
                                      NULL), 0);
        text = strdup(json_object_get_string(json_object_object_get(o, "description")));
        assert_non_null(text);
        return text;
}

static void test_description(void **state) {
        struct session *s = session_new();
        _cleanup_free_ char *ours = describe(s, "org.passthru"), *standard = describe(s, "org.varlink.service");

        (void) state;
        assert_string_equal(ours, passthru_interface_description);
        assert_non_null(strstr(standard, "\ninterface org.varlink.service\n"));
        assert_int_equal(session_end(s, NULL), 0);
}

static void test_oneway(void **state) {
        struct session *s = session_new();
        int handled;

        (void) state;
        send_raw(s, "{\"method\":\"org.passthru.Count\",\"oneway\":true,\"more\":true}");
        send_raw(s, "{\"method\":\"org.passthru.Unknown\",\"oneway\":true}");
        send_raw(s, "{\"parameters\":1,\"oneway\":true}");
        send_raw(s, "{\"method\":\"org.passthru.Echo\",\"parameters\":{\"last\":1}}");
        expect_reply(s, "{\"parameters\":{\"last\":1}}");
        assert_int_equal(session_end(s, &handled), 0);
        assert_int_equal(handled, 2);
}

static void test_calls_max(void **state) {
        struct session *s = session_new();
        int handled;

        (void) state;
        for (int i = 0; i < CALLS_MAX; i++) {
                send_raw(s, "{\"method\":\"org.passthru.Nothing\"}");
                expect_reply(s, "{\"parameters\":{}}");
        }
        expect_end(s);
        assert_int_equal(session_end(s, &handled), 0);
        assert_int_equal(handled, CALLS_MAX);
}

static void test_idle_client(void **state) {
        struct varlink_service impatient = service;
        _cleanup_varlink_ struct varlink *server = NULL, *client = NULL;
        int fds[2];

        (void) state;
        impatient.timeout_usec = 10000;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(varlink_new(fds[0], &server), 0);
        assert_int_equal(varlink_new(fds[1], &client), 0);
        assert_int_equal(varlink_serve(server, &impatient, NULL), -ETIMEDOUT);
}

/* The client is gone when the answer comes: the work was done, no signal. */
static void test_client_gone(void **state) {
        struct session *s = session_new();
        int handled;

        (void) state;
        send_raw(s, "{\"method\":\"org.passthru.Nothing\"}");
        assert_int_equal(shutdown(varlink_fd(s->client), SHUT_RD), 0);
        assert_int_equal(session_end(s, &handled), -EPIPE);
        assert_int_equal(handled, 1);
}

struct progress {
        int n, sum;
};

static void on_progress(struct json_object *parameters, void *userdata) {
        struct progress *p = userdata;

        p->n++;
        p->sum += json_object_get_int(json_object_object_get(parameters, "i"));
}

static void test_more(void **state) {
        struct session *s = session_new();
        struct progress p = {};
        _cleanup_json_ struct json_object *with = NULL, *without = NULL;
        struct err e = {};

        (void) state;
        assert_int_equal(varlink_call(s->client, "org.passthru.Count", NULL, on_progress, &p, &with, &e), 0);
        assert_string_equal(text_of(with), "{\"more\":true}");
        assert_int_equal(p.n, 3);
        assert_int_equal(p.sum, 6);
        assert_int_equal(varlink_call(s->client, "org.passthru.Count", NULL, NULL, NULL, &without, &e), 0);
        assert_string_equal(text_of(without), "{\"more\":false}");
        assert_int_equal(p.n, 3);
        assert_int_equal(varlink_call(s->client, "org.passthru.Count", NULL, NULL, NULL, NULL, NULL), 0);
        assert_int_equal(session_end(s, NULL), 0);
}

static void test_large_call(void **state) {
        _cleanup_json_ struct json_object *p = json_object_new_object();
        struct session *s = session_new();
        static char text[VARLINK_FRAME_MAX];
        struct err e = {};

        (void) state;
        memset(text, 'x', sizeof(text) - 1);
        assert_int_equal(json_add(p, "a", json_object_new_string(text)), 0);
        assert_int_equal(varlink_call(s->client, "org.passthru.Echo", p, NULL, NULL, NULL, &e), -EMSGSIZE);
        assert_int_equal(session_end(s, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_malformed_frames),
                cmocka_unit_test(test_long_names),
                cmocka_unit_test(test_description),
                cmocka_unit_test(test_oneway),
                cmocka_unit_test(test_calls_max),
                cmocka_unit_test(test_idle_client),
                cmocka_unit_test(test_client_gone),
                cmocka_unit_test(test_more),
                cmocka_unit_test(test_large_call),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
