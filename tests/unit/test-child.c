/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"

#define SECOND UINT64_C(1000000)

static int forks_left = -1; /* -1: any number */

/* Stands before libc's: a process that cannot be started is otherwise hard to come by. */
pid_t fork(void) {
        pid_t (*real)(void) = (pid_t (*)(void)) dlsym(RTLD_NEXT, "fork");

        if (forks_left == 0) {
                errno = EAGAIN;
                return -1;
        }
        if (forks_left > 0)
                forks_left--;
        return real();
}

static void count(const void *record, size_t size, void *userdata) {
        (void) record;
        (void) size;
        ++*(size_t *) userdata;
}

static int exit_with(int fd, size_t index, void *userdata) {
        (void) fd;
        return ((int *) userdata)[index];
}

static void test_exit_status(void **state) {
        int statuses[] = { 0, 1, 3, 255 };
        struct child children[ARRAY_SIZE(statuses)];

        (void) state;
        assert_int_equal(children_run(children, 4, 10 * SECOND, 1, exit_with, count, statuses), 0);
        for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
                assert_int_equal(children[i].end, CHILD_EXITED);
                assert_int_equal(children[i].status, statuses[i]);
                assert_int_equal(waitpid(children[i].pid, NULL, WNOHANG), -1);
        }
}

static int die_of(int fd, size_t index, void *userdata) {
        (void) fd;
        (void) raise(((int *) userdata)[index]);
        return 0;
}

static void test_signal(void **state) {
        int signals[] = { SIGKILL, SIGTERM, SIGUSR1 };
        struct child children[ARRAY_SIZE(signals)];

        (void) state;
        assert_int_equal(children_run(children, 3, 10 * SECOND, 1, die_of, count, signals), 0);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                assert_int_equal(children[i].end, CHILD_DIED);
                assert_int_equal(children[i].status, signals[i]);
        }
}

static void test_none(void **state) {
        (void) state;
        assert_int_equal(children_run(NULL, 0, 10 * SECOND, 1, exit_with, count, NULL), 0);
}

#define SENDERS 8
#define RECORDS 200

struct record {
        size_t sender, number;
        unsigned char fill[700]; /* no divisor of the pipe's size */
};

struct received {
        size_t next[SENDERS];
        size_t wrong;
};

static int send_many(int fd, size_t index, void *userdata) {
        struct record record = { .sender = index };

        (void) userdata;
        memset(record.fill, (int) index + 1, sizeof(record.fill));
        for (record.number = 0; record.number < RECORDS; record.number++)
                if (child_send(fd, &record, sizeof(record)) < 0)
                        return 1;
        return 0;
}

static void receive(const void *data, size_t size, void *userdata) {
        const struct record *record = data;
        struct received *received = userdata;

        if (size != sizeof(*record) || record->sender >= SENDERS ||
            record->number != received->next[record->sender]++) {
                received->wrong++;
                return;
        }
        for (size_t i = 0; i < sizeof(record->fill); i++)
                received->wrong += record->fill[i] != record->sender + 1;
}

static void test_records_stay_whole(void **state) {
        struct child children[SENDERS];
        struct received received = {};

        (void) state;
        assert_int_equal(children_run(children, SENDERS, 30 * SECOND, sizeof(struct record), send_many, receive,
                                      &received), 0);
        assert_int_equal(received.wrong, 0);
        for (size_t i = 0; i < SENDERS; i++) {
                assert_int_equal(children[i].end, CHILD_EXITED);
                assert_int_equal(children[i].status, 0);
                assert_int_equal(received.next[i], RECORDS);
        }
}

static int send_size(int fd, size_t index, void *userdata) {
        static const char big[PIPE_BUF + 1];

        (void) userdata;
        return child_send(fd, big, PIPE_BUF + index) == (index == 0 ? 0 : -EMSGSIZE) ? 0 : 1;
}

static void test_record_size(void **state) {
        struct child children[2];
        size_t n = 0;

        (void) state;
        assert_int_equal(children_run(children, 2, SECOND, PIPE_BUF + 1, send_size, count, &n), -EMSGSIZE);
        assert_int_equal(children_run(children, 2, SECOND, 0, send_size, count, &n), -EMSGSIZE);
        assert_int_equal(children_run(children, 2, 10 * SECOND, PIPE_BUF, send_size, count, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(children[0].status, 0);
        assert_int_equal(children[1].status, 0);
        assert_int_equal(child_send(-1, "x", 1), -EBADF);
}

static int second_is_stuck(int fd, size_t index, void *userdata) {
        (void) userdata;
        (void) child_send(fd, "x", 1);
        while (index == 1)
                pause();
        return 7;
}

static void test_deadline(void **state) {
        struct child children[3];
        uint64_t start = now_usec(), took;
        size_t n = 0;

        (void) state;
        assert_int_equal(children_run(children, 3, SECOND / 5, 1, second_is_stuck, count, &n), 0);
        took = now_usec() - start;
        assert_true(took >= SECOND / 5 && took < 5 * SECOND);
        assert_int_equal(n, 3);
        assert_int_equal(children[0].end, CHILD_EXITED);
        assert_int_equal(children[2].end, CHILD_EXITED);
        assert_int_equal(children[2].status, 7);

        /* Left alone, not killed. */
        assert_int_equal(children[1].end, CHILD_STUCK);
        assert_int_equal(waitpid(children[1].pid, NULL, WNOHANG), 0);
        assert_int_equal(kill(children[1].pid, SIGKILL), 0);
        assert_int_equal(waitpid(children[1].pid, NULL, 0), children[1].pid);
}

static int send_and_exit(int fd, size_t index, void *userdata) {
        (void) index;
        (void) userdata;
        return child_send(fd, "x", 1) < 0;
}

/* Those that run are waited for; those that do not are neither waited for nor mistaken for others. */
static void test_cannot_start(void **state) {
        (void) state;
        for (int able = 0; able < 4; able++) {
                struct child children[4];
                uint64_t start = now_usec();
                size_t n = 0;

                forks_left = able;
                assert_int_equal(children_run(children, 4, 20 * SECOND, 1, send_and_exit, count, &n), -EAGAIN);
                forks_left = -1;
                assert_true(now_usec() - start < 10 * SECOND);
                assert_int_equal(n, able);
                for (int i = 0; i < 4; i++) {
                        assert_int_equal(children[i].end, CHILD_EXITED);
                        assert_int_equal(children[i].status, i < able ? 0 : 255);
                        assert_true(i < able ? children[i].pid > 0 : children[i].pid == -1);
                }
        }
}

static int hold(int fd, size_t index, void *userdata) {
        (void) index;
        (void) userdata;
        while (child_send(fd, "x", 1) == 0)
                pause();
        return 1;
}

static void die(const void *record, size_t size, void *userdata) {
        (void) record;
        (void) size;
        (void) userdata;
        (void) raise(SIGKILL);
}

/* The pipe's end is closed by the last process that has it: the children of a worker that was killed. */
static void test_die_with_parent(void **state) {
        struct pollfd fd = { .events = POLLIN };
        struct child children[2];
        int ends[2], status;
        pid_t worker;
        char c;

        (void) state;
        assert_int_equal(pipe(ends), 0);
        worker = fork();
        if (worker == 0) {
                (void) children_run(children, 2, 60 * SECOND, 1, hold, die, NULL);
                _exit(0);
        }
        close(ends[1]);
        assert_int_equal(waitpid(worker, &status, 0), worker);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        fd.fd = ends[0];
        assert_int_equal(poll(&fd, 1, 10000), 1);
        assert_int_equal(read(ends[0], &c, 1), 0);
        close(ends[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exit_status),  cmocka_unit_test(test_signal),
                cmocka_unit_test(test_none),         cmocka_unit_test(test_records_stay_whole),
                cmocka_unit_test(test_record_size),  cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_cannot_start), cmocka_unit_test(test_die_with_parent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
