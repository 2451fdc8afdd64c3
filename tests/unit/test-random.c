/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Random histories: three domains lend and return overlapping devices, memory and CPUs while writes fail,
 * processes are killed, the clock runs out, and others take, add and use huge pages. After each event and a
 * recovery the host must be what the state file says, and at the end the baseline. SEED=N repeats a run,
 * SEQUENCES=N changes how many histories there are. */

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/host.h"

#define EVENTS 6

static struct host h;
static unsigned seed;
static struct random_data random_data;
static char random_state[64];
static unsigned n_kills, n_faults, n_lent, n_refused;

static unsigned pick(unsigned n) {
        int32_t v;

        (void) random_r(&random_data, &v);
        return (unsigned) v % n;
}

static const char *const domains[] = { "alpha", "beta", "gamma" };
static const char *const devices[] = { "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0", "0000:04:00.0",
                                       "0000:04:00.1" };

struct event {
        enum { LEND, RETURN, RECONCILE, OTHERS } what;
        unsigned node;
        int pages;
        struct request request;
        enum fake_death death;
        unsigned step;
        bool fails;
        const char *path;
        enum fake_fault fault;
};

static struct event random_event(void) {
        static const char *const paths[] = { "driver_override", "driver/unbind",    "drivers_probe",
                                             "nr_hugepages",    "systemd/",         "scaling_governor",
                                             "smp_affinity",    "workqueue/cpumask" };
        static const char *const cpus[] = { "2", "3", "2-3" }, *const governors[] = { "performance", "ondemand",
                                                                                      "" };
        static const enum fake_fault faults[] = { FAULT_ERROR, FAULT_SHORT, FAULT_IGNORE };
        struct event ev = { .what = pick(5) < 3 ? LEND : pick(3) ? RETURN : pick(2) ? RECONCILE : OTHERS };

        (void) str_copy(ev.request.domain, sizeof(ev.request.domain), domains[pick(ARRAY_SIZE(domains))]);
        for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
                struct bdf a;

                if (pick(3) == 0 && bdf_parse(devices[i], &a) == 0)
                        (void) request_add(&ev.request, &a);
        }
        for (int node = 0; node < FAKE_NODES; node++)
                if (pick(3) == 0)
                        request_memory(&ev.request, node, 2 + 2 * pick(200));
        if (pick(3) == 0) {
                request_isolation(&ev.request, cpus[pick(ARRAY_SIZE(cpus))]);
                strcpy(ev.request.governor, governors[pick(ARRAY_SIZE(governors))]);
        }
        ev.node = pick(FAKE_NODES);
        ev.pages = (int) pick(60) - 20;
        ev.request.group = pick(4) == 0 ? GROUP_STRICT : GROUP_EXPAND;
        ev.request.seconds = pick(8) == 0 ? 1000 : 0;
        if (pick(2)) {
                ev.death = DEATH_GROUP + pick(3);
                ev.step = 1 + pick(60);
        }
        ev.fails = pick(4) == 0;
        ev.path = paths[pick(ARRAY_SIZE(paths))];
        ev.fault = faults[pick(ARRAY_SIZE(faults))];
        return ev;
}

static int run_event(const struct event *ev) {
        switch (ev->what) {
        case LEND:
                return lease_lend(&h.rec, &ev->request, NULL);
        case RETURN:
                return lease_return(&h.rec, ev->request.domain, NULL);
        default:
                return lease_reconcile(&h.rec, NULL);
        }
}

/* What the pools would have without any lease. */
static int64_t own[FAKE_NODES];

/* Pages are only taken out as far as they are the host's own. */
static void others_change(const struct event *ev) {
        int pages = own[ev->node] + ev->pages < 0 ? (int) -own[ev->node] : ev->pages;

        fake_memory_change(ev->node, FAKE_2M, pages);
        own[ev->node] += pages;
}

static void play(const struct event *ev) {
        int status;
        pid_t pid;

        if (ev->what == OTHERS) {
                others_change(ev);
                return;
        }
        if (ev->fails)
                fake_kernel_fail(ev->path, ev->fault, EBUSY, 1);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) signal(SIGSEGV, SIG_DFL);
                (void) signal(SIGABRT, SIG_DFL);
                (void) setpgid(0, 0);
                fake_kernel_worker(getpid());
                fake_kernel_die_at(ev->death, ev->step);
                _exit(run_event(ev) < 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        if (WIFSIGNALED(status)) {
                assert_int_equal(WTERMSIG(status), SIGKILL);
                n_kills++;
        } else if (ev->what == LEND && WEXITSTATUS(status) == 0)
                n_lent++;
        else if (ev->what == LEND)
                n_refused++;
        n_faults += ev->fails;
        fake_kernel_fail("", FAULT_NONE, 0, 0);
        fake_kernel_die_at(DEATH_NONE, 0);
}

static int64_t added(const struct state *s, unsigned node) {
        int64_t sum = 0;

        for (size_t i = 0; i < s->n_leases; i++)
                for (size_t c = 0; c < s->leases[i].n_claims; c++) {
                        const struct claim *claim = &s->leases[i].claims[c];

                        if (claim->kind == &knob_hugepages && claim->name[4] == (char) ('0' + node))
                                sum += atoi(claim->value);
                }
        return sum;
}

/* f(baseline, claims), unless the host declined that; for a pool that others changed since, that is so after the
 * next change only. */
static void assert_reached(const struct state *s, const struct knob *k, unsigned sequence, unsigned event) {
        const char *claims[STATE_LEASES_MAX];
        const struct knob_view view = { k->baseline, k->applied, k->applied, claims, state_claims(s, k, claims) };
        char now[KNOB_VALUE_MAX], target[KNOB_VALUE_MAX];

        assert_int_equal(k->kind->target(&view, target), 0);
        assert_int_equal(k->kind->read(h.root, k->name, now, NULL), 0);
        if (!k->declined && !str_eq(k->applied, target))
                fail_msg("seed %u, sequence %u, event %u: %s was set to '%s', not '%s'", seed, sequence, event,
                         k->name, k->applied, target);
        if (!k->kind->rebase && !str_eq(now, k->applied))
                fail_msg("seed %u, sequence %u, event %u: %s is '%s', not '%s'", seed, sequence, event, k->name,
                         now, k->applied);
}

/* What the state file says is what the host has: claimed devices on vfio-pci, all others as at the start. */
static void assert_consistent(unsigned sequence, unsigned event) {
        _cleanup_state_ struct state s = {};
        struct err e = {};

        if (state_load(h.root, &s, &e) < 0)
                fail_msg("seed %u, sequence %u, event %u: %s", seed, sequence, event, e.message);
        for (size_t i = 0; i < s.n_leases; i++)
                assert_int_equal(s.leases[i].state, LEASE_LENT);
        for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
                const struct lease *l = state_claimant(&s, &knob_pci_driver, devices[i]);
                const struct knob *k = state_find_knob(&s, &knob_pci_driver, devices[i]);
                const char *now = host_binding(&h, devices[i]);
                static const char *const native[] = { "nouveau -", "snd_hda_intel -", "nvme -",
                                                      "nvme -",    "nvme -",          "e1000e -" };

                if (!str_eq(now, l ? "vfio-pci vfio-pci" : native[i]))
                        fail_msg("seed %u, sequence %u, event %u: %s is '%s' and %s", seed, sequence, event, devices[i],
                                 now, l ? "claimed" : "not claimed");
                if (k && k->pending)
                        fail_msg("seed %u, sequence %u, event %u: %s is pending: %s", seed, sequence, event, k->name,
                                 k->message);
                if (!l && k)
                        fail_msg("seed %u, sequence %u, event %u: %s is kept without a claim", seed, sequence, event,
                                 k->name);
        }
        for (size_t i = 0; i < s.n_knobs; i++)
                assert_reached(&s, &s.knobs[i], sequence, event);
        for (unsigned node = 0; node < FAKE_NODES; node++) {
                int64_t wanted = own[node] + added(&s, node);

                if ((int64_t) fake_memory_pages(node, FAKE_2M) != wanted)
                        fail_msg("seed %u, sequence %u, event %u: node %u has %d pages, not %d", seed, sequence,
                                 event, node, (int) fake_memory_pages(node, FAKE_2M), (int) wanted);
        }
}

static void random_histories(void **state) {
        unsigned sequences = getenv("SEQUENCES") ? (unsigned) atoi(getenv("SEQUENCES")) : 1000;

        (void) state;
        for (unsigned i = 0; i < sequences; i++) {
                host_start(&h);
                own[0] = HOST_POOL;
                own[1] = 0;
                for (unsigned n = 0; n < EVENTS; n++) {
                        struct event ev = random_event();

                        play(&ev);
                        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
                        assert_consistent(i, n);
                }
                for (size_t d = 0; d < ARRAY_SIZE(domains); d++)
                        assert_int_equal(lease_return(&h.rec, domains[d], NULL), 0);
                for (unsigned node = 0; node < FAKE_NODES; node++) {
                        assert_int_equal(fake_memory_pages(node, FAKE_2M), own[node]);
                        fake_memory_change(node, FAKE_2M, (node == 0 ? HOST_POOL : 0) - (int) own[node]);
                }
                host_assert_baseline(&h);
                assert_int_equal(fake_kernel_overlaps(), 0);
                host_stop(&h);
        }
        print_message("seed %u: %u histories of %d events: %u kills, %u faults, %u lent, %u refused\n", seed, sequences,
                      EVENTS, n_kills, n_faults, n_lent, n_refused);
        assert_true(n_kills > sequences / 10 && n_lent > sequences / 10 && n_refused > sequences / 10);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(random_histories) };

        seed = getenv("SEED") ? (unsigned) strtoul(getenv("SEED"), NULL, 10) : (unsigned) time(NULL);
        print_message("seed %u\n", seed);
        if (initstate_r(seed, random_state, sizeof(random_state), &random_data) < 0 ||
            prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
