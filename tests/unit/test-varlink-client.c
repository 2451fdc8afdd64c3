/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "wire/client.h"

static void on_progress(struct json_object *parameters, void *userdata) {
        assert_true(json_object_is_type(parameters, json_type_object));
        ++*(int *) userdata;
}

/* A helper that is made of prepared bytes: varlink_call reads them as the reply. */
static int call_answered_by(const char *data, size_t size, varlink_progress progress, struct json_object **ret,
                            struct err *e) {
        _cleanup_varlink_ struct varlink *v = NULL;
        int fds[2], n = 0, r;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(send(fds[1], data, size, 0), size);
        assert_int_equal(varlink_new(fds[0], &v), 0);
        assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
        r = varlink_call(v, "org.passthru.Lend", NULL, progress, &n, ret, e);
        close(fds[1]);
        return r;
}

static const struct {
        const char *error;
        int code;
        const char *id;
} errors[] = {
        { "org.passthru.InvalidRequest", -EINVAL, "InvalidRequest" },
        { "org.passthru.NotFound", -ENOENT, "NotFound" },
        { "org.passthru.InUse", -EBUSY, "InUse" },
        { "org.passthru.Refused", -EPERM, "Refused" },
        { "org.passthru.NotSupported", -EOPNOTSUPP, "NotSupported" },
        { "org.passthru.Timeout", -ETIMEDOUT, "Timeout" },
        { "org.passthru.PermissionDenied", -EPERM, "PermissionDenied" },
        { "org.passthru.Failed", -EIO, "Failed" },
        { "org.passthru.Unheard", -EIO, "Unheard" },
        { "Bare", -EIO, "Bare" },
        { "org.varlink.service.PermissionDenied", -EPERM, "PermissionDenied" },
        { "org.varlink.service.InvalidParameter", -EINVAL, "InvalidParameter" },
        { "org.varlink.service.MethodNotFound", -EOPNOTSUPP, "MethodNotFound" },
        { "org.varlink.service.MethodNotImplemented", -EOPNOTSUPP, "MethodNotImplemented" },
        { "org.varlink.service.InterfaceNotFound", -EOPNOTSUPP, "InterfaceNotFound" },
};

static void test_error_mapping(void **state) {
        char reply[256];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
                struct json_object *untouched = NULL;
                struct err e = {};

                assert_int_equal(str_format(reply, sizeof(reply), "{\"error\":\"%s\",\"parameters\":{\"subject\":"
                                            "\"s\",\"message\":\"m\"}}", errors[i].error), 0);
                assert_int_equal(call_answered_by(reply, strlen(reply) + 1, NULL, &untouched, &e), errors[i].code);
                assert_int_equal(e.code, errors[i].code);
                assert_string_equal(e.id, errors[i].id);
                assert_string_equal(e.subject, "s");
                assert_string_equal(e.message, "m");
                assert_null(untouched);
                assert_int_equal(call_answered_by(reply, strlen(reply) + 1, NULL, NULL, NULL), errors[i].code);
        }
}

static const struct {
        const char *reply, *subject, *message;
} plain_errors[] = {
        { "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"p\"}}", "p",
          "org.varlink.service.InvalidParameter" },
        { "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"a.B\"}}", "a.B",
          "systemctl restart" },
        { "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"a\"}}", "a",
          "systemctl restart" },
        { "{\"error\":\"a.B\",\"parameters\":{\"subject\":1,\"message\":[]}}", "", "a.B" },
        { "{\"error\":\"a.B\",\"parameters\":null}", "", "a.B" },
        { "{\"error\":\"a.B\",\"continues\":true}", "", "a.B" },
};

static void test_plain_errors(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(plain_errors); i++) {
                struct err e = {};

                assert_true(call_answered_by(plain_errors[i].reply, strlen(plain_errors[i].reply) + 1, on_progress,
                                             NULL, &e) < 0);
                assert_string_equal(e.subject, plain_errors[i].subject);
                assert_non_null(strstr(e.message, plain_errors[i].message));
        }
}

static const struct {
        const char *data;
        int code;
        size_t cut; /* bytes at the end that do not come */
        bool progress;
} bad_replies[] = {
        { "nonsense", -EBADMSG },
        { "{\"parameters\":[]}", -EBADMSG },
        { "{\"error\":1}", -EBADMSG },
        { "{\"continues\":1}", -EBADMSG, .progress = true },
        { "{\"continues\":true}", -EBADMSG }, /* nobody asked for more */
        { "{\"continues\":true}", -ECONNRESET, .progress = true },
        { "{}", -ECONNRESET, .cut = 1 },
        { "", -ECONNRESET, .cut = 1 },
};

static void test_bad_replies(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(bad_replies); i++) {
                struct json_object *untouched = NULL;
                struct err e = {};

                assert_int_equal(call_answered_by(bad_replies[i].data,
                                                  strlen(bad_replies[i].data) + 1 - bad_replies[i].cut,
                                                  bad_replies[i].progress ? on_progress : NULL, &untouched, &e),
                                 bad_replies[i].code);
                assert_int_equal(e.code, bad_replies[i].code);
                assert_string_equal(e.id, ERR_FAILED);
                assert_string_equal(e.subject, "org.passthru.Lend");
                assert_null(untouched);
        }
}

static void test_empty_reply(void **state) {
        _cleanup_json_ struct json_object *o = NULL;

        (void) state;
        assert_int_equal(call_answered_by("{}", 3, NULL, &o, NULL), 0);
        assert_int_equal(json_object_object_length(o), 0);
}

static void test_silent_helper(void **state) {
        _cleanup_varlink_ struct varlink *v = NULL;
        struct err e = {};
        int fds[2];

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(varlink_new(fds[0], &v), 0);
        assert_int_equal(varlink_reply_timeout(v), 600000000);
        varlink_set_reply_timeout(v, 10000);
        assert_int_equal(varlink_call(v, "org.passthru.Lend", NULL, NULL, NULL, NULL, &e), -ETIMEDOUT);
        assert_string_equal(e.id, ERR_TIMEOUT);
        close(fds[1]);
}

/* A helper that closes before it has read the call, with and without a word. */
static void test_refusing_helper(void **state) {
        static const char refusal[] = "{\"error\":\"org.passthru.PermissionDenied\"}";
        int expected[] = { -ECONNRESET, -EPERM };

        (void) state;
        for (int word = 0; word < 2; word++) {
                _cleanup_varlink_ struct varlink *v = NULL;
                struct err e = {};
                int fds[2];

                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                assert_int_equal(varlink_new(fds[0], &v), 0);
                if (word)
                        assert_int_equal(write(fds[1], refusal, sizeof(refusal)), sizeof(refusal));
                close(fds[1]);
                assert_int_equal(varlink_call(v, "org.passthru.Lend", NULL, NULL, NULL, NULL, &e), expected[word]);
                assert_int_equal(e.code, expected[word]);
        }
}

static void test_connect(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_varlink_ struct varlink *v = NULL;
        char dir[] = "/tmp/test-varlink-XXXXXX", path[128], too_long[200];
        _cleanup_close_ int fd = -1;
        struct err e = {};

        (void) state;
        assert_non_null(mkdtemp(dir));
        assert_int_equal(str_format(path, sizeof(path), "%s/socket", dir), 0);
        assert_int_equal(varlink_connect(path, &v, &e), -ENOENT);
        assert_non_null(strstr(e.message, path));
        assert_non_null(strstr(e.message, "passthru.socket"));

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(str_copy(address.sun_path, sizeof(address.sun_path), path), 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(varlink_connect(path, &v, &e), -ECONNREFUSED);
        assert_non_null(strstr(e.message, "passthru.socket"));
        assert_int_equal(varlink_connect(dir, &v, &e), -ECONNREFUSED);
        assert_null(v);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(varlink_connect(path, &v, &e), 0);

        memset(too_long, 'x', sizeof(too_long) - 1);
        too_long[sizeof(too_long) - 1] = '\0';
        assert_int_equal(varlink_connect(too_long, &v, &e), -ENAMETOOLONG);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_error_mapping),
                cmocka_unit_test(test_plain_errors),
                cmocka_unit_test(test_bad_replies),
                cmocka_unit_test(test_empty_reply),
                cmocka_unit_test(test_silent_helper),
                cmocka_unit_test(test_refusing_helper),
                cmocka_unit_test(test_connect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
