/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json_tokener.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "wire/varlink.h"

#define SOON 20000    /* for what must time out */
#define LONG 10000000 /* for what must not */

/* One end as the code has it, the other one as bytes. */
struct pair {
        struct varlink *v;
        int raw;
};

static struct pair pair_new(void) {
        struct pair p;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(varlink_new(fds[0], &p.v), 0);
        assert_int_equal(varlink_fd(p.v), fds[0]);
        p.raw = fds[1];
        return p;
}

static void pair_done(struct pair *p) {
        varlink_free(p->v);
        if (p->raw >= 0)
                close(p->raw);
}

static void put(struct pair *p, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = send(p->raw, data, size, MSG_NOSIGNAL);

                assert_true(n > 0);
                data += n;
                size -= (size_t) n;
        }
}

static void put_end(struct pair *p) {
        close(p->raw);
        p->raw = -1;
}

static void expect(struct pair *p, const char *json) {
        _cleanup_json_ struct json_object *o = NULL;

        assert_int_equal(varlink_receive(p->v, &o, LONG), 1);
        assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), json);
}

static void expect_error(struct pair *p, int error, uint64_t timeout) {
        struct json_object *o = (void *) 1;

        assert_int_equal(varlink_receive(p->v, &o, timeout), error);
        assert_ptr_equal(o, (void *) 1);
}

static void test_frames(void **state) {
        struct pair p = pair_new();

        (void) state;
        put(&p, "{\"a\":1}\0{ }\0{\"b\":[tr", 20);
        expect(&p, "{\"a\":1}");
        expect(&p, "{}");
        put(&p, "ue]}\0", 5);
        expect(&p, "{\"b\":[true]}");
        put_end(&p);
        expect_error(&p, 0, LONG);
        pair_done(&p);
}

static void test_byte_by_byte(void **state) {
        static const char text[] = "{\"a\":\"\xc3\xa9\"}";
        struct pair p = pair_new();

        (void) state;
        for (size_t i = 0; i < sizeof(text); i++) {
                expect_error(&p, -ETIMEDOUT, 0);
                put(&p, text + i, 1);
        }
        expect(&p, text);
        pair_done(&p);
}

static const struct {
        const char *text;
        size_t size; /* 0: strlen */
} malformed[] = {
        { "" },
        { " " },
        { "{" },
        { "{\"a\":1" },
        { "{\"a\":1}}" },
        { "{} x" },
        { "{}{}" },
        { "{}," },
        { "{\"a\":1,}" },
        { "{a:1}" },
        { "{} // comment" },
        { "/* comment */ {}" },
        { "[]" },
        { "1" },
        { "null" },
        { "\"text\"" },
        { "{\"a\":\"\xff\"}" },
        { "{\"a\":\"\xc3\"}" },
        { "{\"a\":\"\xc0\x80\"}" },
        { "{\"a\":\"\xed\xa0\x80\"}" },
        { "{\"\xff\":1}" },
        { "{\"a\":\"x\\u0000y\"}" },
        { "{\"domain\\u0000\":1}" },
        { "{\"a\":\"\\\\\\u0000\"}" },
        { "{\"a\":tru}" },
        { "{\"a\":01}" },
        { "{\"a\"" "\0" ":1}", 8 },
};

static void test_malformed(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
                struct pair p = pair_new();
                size_t size = malformed[i].size ? malformed[i].size : strlen(malformed[i].text);

                put(&p, malformed[i].text, size + 1);
                expect_error(&p, -EBADMSG, LONG);
                pair_done(&p);
        }
}

/* The frame behind a malformed one is read as if nothing had been: no state is left in the parser. */
static void test_after_malformed(void **state) {
        struct pair p = pair_new();

        (void) state;
        put(&p, "{\"a\":[{\0{\"b\":\"\\\\u0000\"}", 24);
        expect_error(&p, -EBADMSG, LONG);
        expect(&p, "{\"b\":\"\\\\u0000\"}");
        pair_done(&p);
}

static void nested(char *buf, size_t depth) {
        strcpy(buf, "{\"a\":");
        for (size_t i = 1; i < depth; i++)
                strcat(buf, "[");
        for (size_t i = 1; i < depth; i++)
                strcat(buf, "]");
        strcat(buf, "}");
}

static void test_depth(void **state) {
        struct pair p = pair_new();
        static char deep[200000];
        char buf[128];

        (void) state;
        nested(buf, 32);
        put(&p, buf, strlen(buf) + 1);
        expect(&p, buf);
        nested(buf, 33);
        put(&p, buf, strlen(buf) + 1);
        expect_error(&p, -EBADMSG, LONG);

        memset(deep, '[', sizeof(deep) - 1);
        memcpy(deep, "{\"a\":", 5);
        put(&p, deep, sizeof(deep));
        expect_error(&p, -EBADMSG, LONG);
        pair_done(&p);
}

struct writer {
        struct pair *pair;
        const char *data;
        size_t size;
};

static void *write_all(void *userdata) {
        struct writer *w = userdata;

        while (w->size > 0) {
                ssize_t n = send(w->pair->raw, w->data, w->size, MSG_NOSIGNAL);

                if (n <= 0)
                        break;
                w->data += n;
                w->size -= (size_t) n;
        }
        return NULL;
}

/* A frame of this many bytes: {"a":"xxx…"} */
static char *frame_of(size_t length) {
        char *text = malloc(length + 1);

        assert_non_null(text);
        memset(text, 'x', length);
        memcpy(text, "{\"a\":\"", 6);
        memcpy(text + length - 2, "\"}", 3);
        return text;
}

static int receive_frame_of(size_t length) {
        _cleanup_json_ struct json_object *o = NULL;
        struct pair p = pair_new();
        _cleanup_free_ char *text = frame_of(length);
        struct writer w = { &p, text, length + 1 };
        pthread_t thread;
        int r;

        /* A small frame before it, so that the large one does not start at the start of the buffer. */
        put(&p, "{}\0", 3);
        assert_int_equal(pthread_create(&thread, NULL, write_all, &w), 0);
        expect(&p, "{}");
        r = varlink_receive(p.v, &o, LONG);
        assert_int_equal(shutdown(varlink_fd(p.v), SHUT_RDWR), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (r == 1)
                assert_int_equal(json_object_get_string_len(json_object_object_get(o, "a")), length - 8);
        pair_done(&p);
        return r;
}

static void test_receive_limit(void **state) {
        (void) state;

        assert_int_equal(receive_frame_of(4095), 1);
        assert_int_equal(receive_frame_of(4096), 1);
        assert_int_equal(receive_frame_of(4097), 1);
        assert_int_equal(receive_frame_of(VARLINK_FRAME_MAX - 1), 1);
        assert_int_equal(receive_frame_of(VARLINK_FRAME_MAX), 1);
        assert_int_equal(receive_frame_of(VARLINK_FRAME_MAX + 1), -EMSGSIZE);
        assert_int_equal(receive_frame_of(4 * VARLINK_FRAME_MAX), -EMSGSIZE);
}

/* Reads what was sent until the peer closes; returns how many bytes. */
static void *read_all(void *userdata) {
        static char buf[2 * VARLINK_FRAME_MAX];
        struct pair *p = userdata;
        size_t total = 0;
        ssize_t n;

        while ((n = recv(p->raw, buf + total, sizeof(buf) - total, 0)) > 0)
                total += (size_t) n;
        return total > 0 && buf[total - 1] == '\0' ? (void *) total : NULL;
}

static int send_frame_of(size_t length, size_t *ret_seen) {
        _cleanup_free_ char *text = frame_of(length);
        _cleanup_json_ struct json_object *o = json_tokener_parse(text);
        struct pair p = pair_new();
        pthread_t thread;
        void *seen;
        int r;

        assert_int_equal(pthread_create(&thread, NULL, read_all, &p), 0);
        r = varlink_send(p.v, o, LONG);
        assert_int_equal(shutdown(varlink_fd(p.v), SHUT_RDWR), 0);
        assert_int_equal(pthread_join(thread, &seen), 0);
        *ret_seen = (size_t) seen;
        pair_done(&p);
        return r;
}

static void test_send_limit(void **state) {
        size_t seen;

        (void) state;
        assert_int_equal(send_frame_of(VARLINK_FRAME_MAX, &seen), 0);
        assert_int_equal(seen, VARLINK_FRAME_MAX + 1);
        assert_int_equal(send_frame_of(VARLINK_FRAME_MAX + 1, &seen), -EMSGSIZE);
        assert_int_equal(seen, 0);
}

/* Too large is an error before the first byte: the connection goes on. */
static void test_send_after_limit(void **state) {
        _cleanup_free_ char *text = frame_of(VARLINK_FRAME_MAX + 1);
        _cleanup_json_ struct json_object *large = json_tokener_parse(text), *small = json_tokener_parse("{}");
        struct pair p = pair_new();
        char buf[8];

        (void) state;
        assert_int_equal(varlink_send(p.v, large, LONG), -EMSGSIZE);
        assert_int_equal(varlink_send(p.v, small, LONG), 0);
        assert_int_equal(read(p.raw, buf, sizeof(buf)), 3);
        pair_done(&p);
}

static void test_send_text(void **state) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        static const char expected[] = "{\"a\":\"/\xc3\xa9?\\n\"}";
        struct pair p = pair_new();
        char buf[64] = "";

        (void) state;
        assert_int_equal(json_add(o, "a", json_object_new_string("/\xc3\xa9\xff\n")), 0);
        assert_int_equal(json_add(o, "b", NULL), -ENOMEM);
        assert_int_equal(varlink_send(p.v, o, LONG), 0);
        assert_int_equal(read(p.raw, buf, sizeof(buf)), sizeof(expected));
        assert_memory_equal(buf, expected, sizeof(expected));
        pair_done(&p);
}

static void test_truncated(void **state) {
        struct pair p = pair_new();

        (void) state;
        put(&p, "{\"a\":1}", 7);
        put_end(&p);
        expect_error(&p, -ECONNRESET, LONG);
        pair_done(&p);
}

static void test_receive_timeout(void **state) {
        struct pair p = pair_new();
        uint64_t start = now_usec();

        (void) state;
        expect_error(&p, -ETIMEDOUT, SOON);
        assert_true(now_usec() - start >= SOON);
        put(&p, "{}\0", 3);
        expect(&p, "{}");
        pair_done(&p);
}

static void *drip(void *userdata) {
        struct pair *p = userdata;

        while (send(p->raw, " ", 1, MSG_NOSIGNAL) == 1)
                usleep(SOON / 20);
        return NULL;
}

static void test_dripping_peer(void **state) {
        struct pair p = pair_new();
        uint64_t start = now_usec();
        pthread_t thread;

        (void) state;
        assert_int_equal(pthread_create(&thread, NULL, drip, &p), 0);
        expect_error(&p, -ETIMEDOUT, SOON);
        assert_true(now_usec() - start < LONG);
        assert_int_equal(shutdown(varlink_fd(p.v), SHUT_RDWR), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        pair_done(&p);
}

/* A peer that does not read; then nothing may follow the half frame. */
static void test_send_timeout(void **state) {
        _cleanup_free_ char *text = frame_of(VARLINK_FRAME_MAX);
        _cleanup_json_ struct json_object *large = json_tokener_parse(text), *small = json_tokener_parse("{}");
        struct pair p = pair_new();
        int r = 0;

        (void) state;
        for (int i = 0; i < 100 && r == 0; i++)
                r = varlink_send(p.v, large, SOON);
        assert_int_equal(r, -ETIMEDOUT);
        assert_int_equal(varlink_send(p.v, small, LONG), -EPIPE);
        pair_done(&p);
}

static void test_peer_gone(void **state) {
        _cleanup_json_ struct json_object *o = json_tokener_parse("{}");
        struct pair p = pair_new();

        (void) state;
        /* A SIGPIPE would end this program. */
        assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
        put_end(&p);
        assert_int_equal(varlink_send(p.v, o, LONG), -EPIPE);
        assert_int_equal(varlink_send(p.v, o, LONG), -EPIPE);
        pair_done(&p);
}

static void nothing(int signal) {
        (void) signal;
}

static void *interrupt(void *userdata) {
        struct writer *w = userdata;

        for (int i = 0; i < 5; i++) {
                usleep(1000);
                kill(getpid(), SIGUSR1);
        }
        usleep(1000);
        return write_all(w);
}

static void test_signal(void **state) {
        struct sigaction action = { .sa_handler = nothing };
        struct pair p = pair_new();
        struct writer w = { &p, "{}", 3 };
        pthread_t thread;

        (void) state;
        assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
        assert_int_equal(pthread_create(&thread, NULL, interrupt, &w), 0);
        expect(&p, "{}");
        assert_int_equal(pthread_join(thread, NULL), 0);
        pair_done(&p);
}

static void test_no_limit(void **state) {
        _cleanup_json_ struct json_object *o = NULL;
        struct pair p = pair_new();
        struct writer w = { &p, "{}", 3 };
        pthread_t thread;

        (void) state;
        assert_int_equal(pthread_create(&thread, NULL, write_all, &w), 0);
        assert_int_equal(varlink_receive(p.v, &o, UINT64_MAX), 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
        pair_done(&p);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_frames),
                cmocka_unit_test(test_byte_by_byte),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_after_malformed),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_receive_limit),
                cmocka_unit_test(test_send_limit),
                cmocka_unit_test(test_send_after_limit),
                cmocka_unit_test(test_send_text),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_receive_timeout),
                cmocka_unit_test(test_dripping_peer),
                cmocka_unit_test(test_send_timeout),
                cmocka_unit_test(test_peer_gone),
                cmocka_unit_test(test_signal),
                cmocka_unit_test(test_no_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
