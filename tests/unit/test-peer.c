/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "fake/tree.h"
#include "helper/worker.h"
#include "wire/varlink.h"

#define GROUPS "root:x:0:\nother:x:400:eve\nvm-status:x:500:alice,bob\nlast:x:600:"
#define CONF "/etc/passthru/passthru.conf"
#define IN_GROUP "[helper]\ngroup=vm-status\n"

/* What the kernel says of the peer of a socket. */
static struct {
        uid_t uid;
        gid_t gid, groups[3];
        size_t n_groups;
        int cred_error, groups_error;
} kernel;

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
        socklen_t wanted = (socklen_t) (kernel.n_groups * sizeof(gid_t));
        int error = name == SO_PEERCRED ? kernel.cred_error : kernel.groups_error;

        if (level != SOL_SOCKET || (name != SO_PEERCRED && name != SO_PEERGROUPS))
                return __real_getsockopt(fd, level, name, value, size);
        if (!error && name == SO_PEERCRED)
                *(struct ucred *) value = (struct ucred) { 1, kernel.uid, kernel.gid };
        else if (!error && *size < wanted) {
                *size = wanted;
                error = ERANGE;
        } else if (!error) {
                if (wanted > 0)
                        memcpy(value, kernel.groups, wanted);
                *size = wanted;
        }
        errno = error;
        return error ? -1 : 0;
}

struct person {
        uid_t uid;
        gid_t gid, groups[3];
        size_t n_groups;
};

static void set_kernel(const struct person *p) {
        memset(&kernel, 0, sizeof(kernel));
        kernel.uid = p->uid;
        kernel.gid = p->gid;
        memcpy(kernel.groups, p->groups, sizeof(p->groups));
        kernel.n_groups = p->n_groups;
}

static void test_read(void **state) {
        _cleanup_peer_ struct peer p = {};

        (void) state;
        set_kernel(&(struct person) { 1000, 100, { 5, 500 }, 2 });
        assert_int_equal(peer_read(-1, &p), 0);
        assert_int_equal(p.uid, 1000);
        assert_int_equal(p.gid, 100);
        assert_int_equal(p.n_groups, 2);
        assert_int_equal(p.groups[0], 5);
        assert_int_equal(p.groups[1], 500);
}

static void test_read_fails(void **state) {
        struct peer p = { .uid = 7 };

        (void) state;
        set_kernel(&(struct person) { 0 });
        kernel.cred_error = ENOPROTOOPT;
        assert_int_equal(peer_read(-1, &p), -ENOPROTOOPT);
        kernel.cred_error = 0;
        kernel.groups_error = ENODATA;
        assert_int_equal(peer_read(-1, &p), -ENODATA);
        assert_int_equal(p.uid, 7);
        assert_null(p.groups);
}

static void test_access(void **state) {
        static const struct {
                struct person person;
                const char *group, *file;
                enum access wanted;
        } cases[] = {
                { { 0, 0 }, "", GROUPS, ACCESS_ALL },
                { { 0, 0 }, "vm-status", GROUPS, ACCESS_ALL },
                { { 0, 0 }, "vm-status", NULL, ACCESS_ALL },
                { { 1000, 500 }, "vm-status", GROUPS, ACCESS_READ },
                { { 1000, 100, { 500 }, 1 }, "vm-status", GROUPS, ACCESS_READ },
                { { 1000, 100, { 7, 8, 500 }, 3 }, "vm-status", GROUPS, ACCESS_READ },
                { { 1000, 600 }, "last", GROUPS, ACCESS_READ },
                { { 1000, 500 }, "", GROUPS, ACCESS_NONE },
                { { 1000, 0, { 0 }, 1 }, "", GROUPS, ACCESS_NONE },
                { { 1000, 400, { 600 }, 1 }, "vm-status", GROUPS, ACCESS_NONE },
                { { 500, 100 }, "vm-status", GROUPS, ACCESS_NONE },
                { { 1000, 500 }, "vm-stat", GROUPS, ACCESS_NONE },
                { { 1000, 500 }, "500", GROUPS, ACCESS_NONE },
                { { 1000, 500 }, "alice", GROUPS, ACCESS_NONE },
                { { 1000, 500 }, "vm-status", "", ACCESS_NONE },
                { { 1000, 500 }, "vm-status", "vm-status", ACCESS_NONE },
                { { 1000, 500 }, "vm-status", "vm-status:x:500x:\n", ACCESS_NONE },
                { { 1000, 0 }, "vm-status", "vm-status:x::\n", ACCESS_NONE },
                { { 1000, 500 }, "vm-status", NULL, ACCESS_NONE },
                { { (uid_t) -1, 500 }, "other", GROUPS, ACCESS_NONE },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                _cleanup_peer_ struct peer p = {};
                enum access found;

                if (cases[i].file)
                        tree_file(t, "/etc/group", cases[i].file);
                set_kernel(&cases[i].person);
                assert_int_equal(peer_read(-1, &p), 0);
                found = peer_access(tree_root(t), &p, cases[i].group);
                if (found != cases[i].wanted)
                        fail_msg("case %zu: access %d", i, (int) found);
        }
}

/* What a worker answers the person of set_kernel(): the error's name, or "" for a reply. */
static void ask(const struct root *root, const char *method, char *ret, size_t size) {
        _cleanup_json_ struct json_object *call = json_object_new_object(), *reply = NULL;
        _cleanup_varlink_ struct varlink *v = NULL;
        _cleanup_peer_ struct peer p = {};
        struct json_object *error = NULL;
        int fds[2], status;
        pid_t pid;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(peer_read(fds[0], &p), 0);
        pid = fork();
        if (pid == 0) {
                close(fds[1]);
                _exit(worker_serve(root, fds[0], &p));
        }
        assert_true(pid > 0);
        close(fds[0]);
        assert_int_equal(varlink_new(fds[1], &v), 0);
        assert_int_equal(json_add(call, "method", json_object_new_string(method)), 0);
        if (str_eq(method, VARLINK_SERVICE ".GetInterfaceDescription")) {
                _cleanup_json_ struct json_object *parameters = json_object_new_object();

                assert_int_equal(json_add(parameters, "interface", json_object_new_string("org.passthru")), 0);
                assert_int_equal(json_add(call, "parameters", json_object_get(parameters)), 0);
        }
        assert_int_equal(varlink_send(v, call, 10000000), 0);
        assert_int_equal(varlink_receive(v, &reply, 10000000), 1);
        (void) json_object_object_get_ex(reply, "error", &error);
        assert_int_equal(str_copy(ret, size, error ? json_object_get_string(error) : ""), 0);
        varlink_free(TAKE_PTR(v));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
}

#define DENIED "org.passthru.PermissionDenied"
#define INVALID "org.passthru.InvalidRequest"
#define NO_METHOD VARLINK_SERVICE ".MethodNotFound"
#define NO_INTERFACE VARLINK_SERVICE ".InterfaceNotFound"

static void test_methods(void **state) {
        static const struct {
                const char *method;
                const char *stranger, *member, *root;
        } cases[] = {
                { "org.passthru.Lend", DENIED, DENIED, INVALID },
                { "org.passthru.Return", DENIED, DENIED, INVALID },
                { "org.passthru.Reconcile", DENIED, DENIED, "" },
                { "org.passthru.Status", DENIED, "", "" },
                { "org.passthru.Destroy", DENIED, NO_METHOD, NO_METHOD },
                { "com.example.Do", DENIED, NO_INTERFACE, NO_INTERFACE },
                { VARLINK_SERVICE ".GetInfo", DENIED, "", "" },
                { VARLINK_SERVICE ".GetInterfaceDescription", DENIED, "", "" },
        };
        static const struct person stranger = { 1001, 400 }, superuser = { 0, 0 };
        static const struct person member = { 1000, 100, { 500 }, 1 };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        tree_file(t, "/etc/group", GROUPS);
        tree_file(t, CONF, IN_GROUP);
        tree_dir(t, "/run");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char error[128];

                set_kernel(&stranger);
                ask(tree_root(t), cases[i].method, error, sizeof(error));
                assert_string_equal(error, cases[i].stranger);
                set_kernel(&member);
                ask(tree_root(t), cases[i].method, error, sizeof(error));
                assert_string_equal(error, cases[i].member);
                set_kernel(&superuser);
                ask(tree_root(t), cases[i].method, error, sizeof(error));
                assert_string_equal(error, cases[i].root);
        }
}

/* What cannot be read gives nothing to anyone. */
static void test_settings(void **state) {
        static const char *const files[] = { "", "[helper]\n", "[helper]\ngroup=\n",
                                             "[helper]\ngroup=vm-status\nfoo=1\n",
                                             "[helper]\ngroup=nobody-has-this\n", "\x01" };
        static const struct person member = { 1000, 500 }, superuser = { 0, 0 };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                char error[128];

                tree_file(t, "/etc/group", GROUPS);
                tree_file(t, CONF, files[i]);
                set_kernel(&member);
                ask(tree_root(t), "org.passthru.Status", error, sizeof(error));
                assert_string_equal(error, DENIED);
                set_kernel(&superuser);
                ask(tree_root(t), "org.passthru.Status", error, sizeof(error));
                assert_string_equal(error, "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_read_fails),
                cmocka_unit_test(test_access),
                cmocka_unit_test(test_methods),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
