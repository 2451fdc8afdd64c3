/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The engine is killed at every one of its writes, in every scenario and in three ways, and recovered: then the host has
 * the baseline or the full lease, and nothing in between. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/host.h"

static struct host h;

/* An operation that is to be interrupted, and what comes before it. */
enum operation { OP_NOTHING, OP_LEND, OP_LEND_FAILS, OP_RETURN, OP_RECONCILE };

struct scenario {
        const char *name;
        const char *devices[5];
        uint64_t mib[FAKE_NODES]; /* in huge pages of each node */
        const char *cpus;         /* isolated, at full speed */
        enum operation before, interrupted;
};

static const struct scenario scenarios[] = {
        { "lend one", { "0000:02:00.0" }, {}, NULL, OP_NOTHING, OP_LEND },
        { "lend a GPU and two disks",
          { "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0" },
          {},
          NULL,
          OP_NOTHING,
          OP_LEND },
        { "lend a shared group", { "0000:04:00.0" }, {}, NULL, OP_NOTHING, OP_LEND },
        { "lend and fail half-way", { "0000:01:00.0", "0000:02:00.0" }, {}, NULL, OP_NOTHING, OP_LEND_FAILS },
        { "return a GPU and two disks",
          { "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0" },
          {},
          NULL,
          OP_LEND,
          OP_RETURN },
        { "return a shared group", { "0000:04:00.0" }, {}, NULL, OP_LEND, OP_RETURN },
        { "lend memory", {}, { 256, 256 }, NULL, OP_NOTHING, OP_LEND },
        { "lend memory and a disk", { "0000:02:00.0" }, { 256, 256 }, NULL, OP_NOTHING, OP_LEND },
        { "lend memory, and the disk fails", { "0000:02:00.0" }, { 0, 256 }, NULL, OP_NOTHING, OP_LEND_FAILS },
        { "return memory and a disk", { "0000:02:00.0" }, { 256, 256 }, NULL, OP_LEND, OP_RETURN },
        { "isolate", {}, {}, "2-3", OP_NOTHING, OP_LEND },
        { "isolate, memory and a disk", { "0000:02:00.0" }, { 0, 256 }, "2-3", OP_NOTHING, OP_LEND },
        { "return isolation, memory and a disk", { "0000:02:00.0" }, { 0, 256 }, "2-3", OP_LEND, OP_RETURN },
};

static void perform(enum operation op, const struct scenario *s) {
        struct request q;

        request_make(&q, "win10", s->devices[0], s->devices[1], s->devices[2], s->devices[3], s->devices[4], NULL);
        for (int node = 0; node < FAKE_NODES; node++)
                if (s->mib[node])
                        request_memory(&q, node, s->mib[node]);
        if (s->cpus) {
                request_isolation(&q, s->cpus);
                strcpy(q.governor, "performance");
                strcpy(q.epp, "performance");
        }
        switch (op) {
        case OP_LEND_FAILS:
                fake_kernel_fail("0000:02:00.0/driver/unbind", FAULT_ERROR, EBUSY, 1);
                (void) lease_lend(&h.rec, &q, NULL);
                break;
        case OP_LEND:
                (void) lease_lend(&h.rec, &q, NULL);
                break;
        case OP_RETURN:
                (void) lease_return(&h.rec, "win10", NULL);
                break;
        case OP_RECONCILE:
                (void) lease_reconcile(&h.rec, NULL);
                break;
        case OP_NOTHING:
                break;
        }
}

/* Runs the operation in a process group of its own that dies at this step. Returns true when it was killed. Waits until
 * all of its processes are gone: we are the reaper of orphans. */
static bool perform_and_die(enum operation op, const struct scenario *s, enum fake_death how, unsigned step) {
        bool killed = false;
        int status;
        pid_t pid;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                /* A crash is to end the child, and not to go on with the next test in it. */
                (void) signal(SIGSEGV, SIG_DFL);
                (void) signal(SIGABRT, SIG_DFL);
                (void) setpgid(0, 0);
                fake_kernel_worker(getpid());
                fake_kernel_die_at(how, step);
                perform(op, s);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        killed = WIFSIGNALED(status);
        if (killed)
                assert_int_equal(WTERMSIG(status), SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        fake_kernel_fail("", FAULT_NONE, 0, 0);
        return killed;
}

#define ISOLATED                                                                                                  \
        "gov0=schedutil epp0=balance_performance gov1=schedutil epp1=balance_performance gov2=performance "       \
        "epp2=performance "                                                                                       \
        "gov3=performance epp3=performance 24=0-1 25=0-1 26=3 27=0-3 a=active b=active vtcon1=1 irqs=3 wq=3 "     \
        "init.scope=0-1 machine.slice=0-3 "                                                                       \
        "own.slice=0-1 system.slice=0-1 user.slice=0-1 "

static bool all_lent(const struct scenario *s) {
        char cpus[1024];

        if (s->cpus && !str_eq(fake_cpus_snapshot(cpus), ISOLATED))
                return false;
        for (unsigned node = 0; node < FAKE_NODES; node++)
                if (s->mib[node] && fake_memory_pages(node, FAKE_2M) != s->mib[node] / 2)
                        return false;
        for (size_t i = 0; i < ARRAY_SIZE(s->devices) && s->devices[i]; i++)
                if (!str_eq(host_binding(&h, s->devices[i]), "vfio-pci vfio-pci"))
                        return false;
        return true;
}

/* After a recovery the state file and the host must agree. */
static void assert_whole(const struct scenario *s, unsigned step) {
        _cleanup_state_ struct state state = {};
        struct err e = {};

        if (state_load(h.root, &state, &e) < 0)
                fail_msg("%s, step %u: %s", s->name, step, e.message);
        for (size_t i = 0; i < state.n_knobs; i++)
                if (state.knobs[i].pending)
                        fail_msg("%s, step %u: %s is pending: %s", s->name, step, state.knobs[i].name,
                                 state.knobs[i].message);
        if (state.n_leases == 0) {
                assert_int_equal(state.n_knobs, 0);
                host_assert_baseline(&h);
                return;
        }
        assert_int_equal(state.leases[0].state, LEASE_LENT);
        if (!all_lent(s))
                fail_msg("%s, step %u: the lease stands, but not all devices are lent", s->name, step);
}

static unsigned kill_everywhere(const struct scenario *s, enum fake_death how, bool twice) {
        unsigned n = 0;

        for (unsigned step = 1;; step++) {
                bool killed;

                host_start(&h);
                fake_kernel_die_at(DEATH_NONE, 0);
                perform(s->before, s);
                perform_and_die(s->interrupted, s, how, step);
                killed = fake_kernel_steps() >= step;
                /* Recovery can be killed as well, somewhere else each time. */
                if (twice)
                        (void) perform_and_die(OP_RECONCILE, s, how, 1 + step % 29);
                fake_kernel_die_at(DEATH_NONE, 0);
                assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
                assert_whole(s, step);

                assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
                host_assert_baseline(&h);
                host_stop(&h);
                if (!killed)
                        return n;
                n++;
        }
}

static void test_death(enum fake_death how, bool twice, const char *what) {
        unsigned total = 0;

        for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
                total += kill_everywhere(&scenarios[i], how, twice);
        print_message("%s: %u kills in %zu scenarios\n", what, total, ARRAY_SIZE(scenarios));
        assert_true(total > 100);
}

static void everything_dies(void **state) {
        (void) state;
        test_death(DEATH_GROUP, false, "all processes");
}

static void one_process_dies(void **state) {
        (void) state;
        test_death(DEATH_SELF, false, "the process that writes");
}

static void the_worker_dies(void **state) {
        (void) state;
        test_death(DEATH_WORKER, false, "the worker");
}

static void recovery_dies_too(void **state) {
        (void) state;
        test_death(DEATH_GROUP, true, "all processes, and those of the recovery");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everything_dies),
                cmocka_unit_test(one_process_dies),
                cmocka_unit_test(the_worker_dies),
                cmocka_unit_test(recovery_dies_too),
        };

        /* Children of killed processes come to us, so that their end can be waited for. */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
