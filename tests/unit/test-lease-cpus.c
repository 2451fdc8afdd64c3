/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Governor, energy preference and isolation as part of a lease, on a fake kernel and a fake systemd. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/host.h"
#include "lease/combine.h"

static struct host h;

static int set_up(void **s) {
        (void) s;
        host_start(&h);
        return 0;
}

static int tear_down(void **s) {
        (void) s;
        host_stop(&h);
        return 0;
}

static void assert_file(const char *path, const char *wanted) {
        char text[256];

        assert_int_equal(root_read_attr(h.root, text, sizeof(text), "%s", path), 0);
        if (!str_eq(text, wanted))
                fail_msg("%s is '%s', not '%s'", path, text, wanted);
}

#define GOVERNOR(n) "/sys/devices/system/cpu/cpufreq/policy" #n "/scaling_governor"
#define EPP(n) "/sys/devices/system/cpu/cpufreq/policy" #n "/energy_performance_preference"
#define SLICE(name) "/sys/fs/cgroup/" name "/cpuset.cpus"
#define IRQ(n) "/proc/irq/" #n "/smp_affinity_list"

static void assert_refused(const struct request *q, int code, const char *id, const char *text) {
        struct err e = {};

        assert_int_equal(lease_lend(&h.rec, q, &e), code);
        assert_string_equal(e.id, id);
        if (!strstr(e.message, text))
                fail_msg("'%s' is not in '%s'", text, e.message);
        host_assert_nothing_lent(&h);
}

static void fast(struct request *q, const char *domain, const char *cpus, const char *governor) {
        request_make(q, domain, NULL);
        assert_int_equal(cpu_set_parse(cpus, &q->cpus), 0);
        strcpy(q->governor, governor);
}

static void the_governor_of_the_domains_cpus(void **state) {
        struct request q;

        (void) state;
        fast(&q, "win10", "2-3", "performance");
        strcpy(q.epp, "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(GOVERNOR(1), "schedutil");
        assert_file(GOVERNOR(2), "performance");
        assert_file(GOVERNOR(3), "performance");
        assert_file(EPP(1), "balance_performance");
        assert_file(EPP(2), "performance");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void or_of_all(void **state) {
        struct request q;

        (void) state;
        fast(&q, "win10", "2-3", "performance");
        q.cpufreq_all = true;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(GOVERNOR(0), "performance");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        fast(&q, "unpinned", "", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(GOVERNOR(0), "performance");
        assert_int_equal(lease_return(&h.rec, "unpinned", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void one_policy_of_several_cpus_is_one_knob(void **state) {
        _cleanup_state_ struct state s = {};
        struct request q;

        (void) state;
        tree_file(h.tree, "/sys/devices/system/cpu/cpufreq/policy2/affected_cpus", "2 3\n");
        tree_remove(h.tree, "/sys/devices/system/cpu/cpufreq/policy3");
        fast(&q, "win10", "2-3", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        assert_int_equal(s.n_knobs, 1);
        assert_string_equal(s.knobs[0].name, "policy2");
}

static void the_baseline_returns_with_the_last(void **state) {
        struct request q;

        (void) state;
        fast(&q, "a", "2-3", "ondemand");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(GOVERNOR(2), "ondemand");
        fast(&q, "b", "2", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(GOVERNOR(2), "performance");
        assert_file(GOVERNOR(3), "ondemand");
        assert_int_equal(lease_return(&h.rec, "b", NULL), 0);
        assert_file(GOVERNOR(2), "ondemand");
        assert_int_equal(lease_return(&h.rec, "a", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void what_somebody_else_set_stays(void **state) {
        struct request q;

        (void) state;
        fast(&q, "win10", "2-3", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_file(h.tree, GOVERNOR(2), "ondemand\n");
        h.n_steps = 0;
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_file(GOVERNOR(2), "ondemand");
        assert_file(GOVERNOR(3), "ondemand"); /* its baseline */
        assert_int_equal(h.steps[1].state, STEP_FOREIGN);
        assert_non_null(strstr(h.steps[1].err.message, "somebody else changed it"));
}

static void what_somebody_else_set_is_set_again_for_the_next(void **state) {
        struct request q;

        (void) state;
        fast(&q, "a", "2", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_file(h.tree, GOVERNOR(2), "ondemand\n");
        strcpy(q.domain, "b");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(GOVERNOR(2), "performance");
        assert_int_equal(lease_return(&h.rec, "a", NULL), 0);
        assert_file(GOVERNOR(2), "performance");
        assert_int_equal(lease_return(&h.rec, "b", NULL), 0);
        host_assert_nothing_lent(&h);
}

/* The kernel refuses another preference while the governor is performance. */
static void the_preference_comes_back_after_the_governor(void **state) {
        struct request q;

        (void) state;
        fast(&q, "win10", "2-3", "performance");
        strcpy(q.epp, "balance_power");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(EPP(2), "balance_power");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void cpus_that_vanish_are_skipped(void **state) {
        struct request q;

        (void) state;
        fast(&q, "win10", "2-3", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_remove(h.tree, "/sys/devices/system/cpu/cpufreq/policy3");
        h.n_steps = 0;
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_file(GOVERNOR(2), "schedutil");
        assert_int_equal(h.steps[0].state, STEP_FOREIGN);
        assert_non_null(strstr(h.steps[0].err.message, "policy3 is not there any more"));
}

static void refuses_what_cpufreq_does_not_have(void **state) {
        struct request q;

        (void) state;
        fast(&q, "win10", "2-3", "turbo");
        assert_refused(&q, -EINVAL, ERR_REFUSED,
                       "governor=turbo: policy2 of this host has: ondemand performance schedutil");
        fast(&q, "win10", "2-3", "perf");
        assert_refused(&q, -EINVAL, ERR_REFUSED, "governor=perf");
        fast(&q, "win10", "2-3", "");
        strcpy(q.epp, "fast");
        assert_refused(&q, -EINVAL, ERR_REFUSED, "epp=fast: policy2 of this host has: default");
        fast(&q, "win10", "2-9", "performance");
        assert_refused(&q, -ENODEV, ERR_NOT_FOUND, "pinned to CPU 4-9");
        tree_remove(h.tree, "/sys/devices/system/cpu/cpufreq");
        fast(&q, "win10", "2-3", "performance");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), -EOPNOTSUPP);
}

static void faults_of_the_governor_are_undone(void **state) {
        static const int errors[] = { EBUSY, EINVAL, ENODEV, EIO };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(errors) + 2; i++) {
                struct request q;
                struct err e = {};

                fast(&q, "win10", "2-3", "performance");
                fake_kernel_fail("policy3/scaling_governor",
                                 i < ARRAY_SIZE(errors)    ? FAULT_ERROR
                                 : i == ARRAY_SIZE(errors) ? FAULT_SHORT
                                                           : FAULT_IGNORE,
                                 i < ARRAY_SIZE(errors) ? errors[i] : 0, 1);
                assert_true(lease_lend(&h.rec, &q, &e) < 0);
                assert_non_null(strstr(e.message, "nothing was lent"));
                host_assert_nothing_lent(&h);
        }
}

static void isolate(struct request *q, const char *domain, const char *cpus) {
        request_make(q, domain, NULL);
        request_isolation(q, cpus);
}

static void the_hosts_work_leaves_the_domains_cpus(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(SLICE("system.slice"), "0-1");
        assert_file(SLICE("init.scope"), "0-1");
        assert_file(SLICE("own.slice"), "0-1");
        assert_file(SLICE("user.slice"), "0-1"); /* had 0-2 */
        assert_file(SLICE("machine.slice"), "");
        assert_file(IRQ(24), "0-1");
        assert_file(IRQ(25), "0-1"); /* was on 2 alone */
        assert_file(IRQ(27), "0-3"); /* nobody's */
        assert_file("/proc/irq/default_smp_affinity", "3");
        assert_file("/sys/devices/virtual/workqueue/cpumask", "3");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_file(SLICE("system.slice"), "");
        assert_file(SLICE("user.slice"), "0-2");
        host_assert_nothing_lent(&h);
}

static void an_interrupt_that_stays_is_reported(void **state) {
        _cleanup_state_ struct state s = {};
        const struct knob *k;
        struct request q;
        bool seen = false;

        (void) state;
        isolate(&q, "win10", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        k = state_find_knob(&s, &knob_irq, "26");
        assert_true(k && k->declined && !k->pending);
        assert_non_null(strstr(k->message, "IRQ 26 cannot be moved"));
        for (size_t i = 0; i < h.n_steps; i++)
                seen |= h.steps[i].state == STEP_DECLINED && str_eq(h.steps[i].name, "26");
        assert_true(seen);

        /* It is not asked again, and a lend of the same changes nothing. */
        h.n_steps = 0;
        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(h.n_steps, 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void two_domains_leave_what_both_leave(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "a", "3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        isolate(&q, "b", "2");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(SLICE("system.slice"), "0-1");
        assert_int_equal(lease_return(&h.rec, "a", NULL), 0);
        assert_file(SLICE("system.slice"), "0-1,3");
        assert_file(IRQ(24), "0-1,3");
        assert_int_equal(lease_return(&h.rec, "b", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void the_last_cpu_stays_with_the_host(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "0-3");
        assert_refused(&q, -EINVAL, ERR_REFUSED, "every CPU of the host");
        isolate(&q, "a", "0-1");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        isolate(&q, "b", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), -EBUSY);
        assert_int_equal(lease_return(&h.rec, "a", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void refuses_what_cannot_be_isolated(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "");
        assert_refused(&q, -EINVAL, ERR_INVALID, "<vcpupin>");
        isolate(&q, "win10", "3-4");
        assert_refused(&q, -ENODEV, ERR_NOT_FOUND, "CPU 4");
        tree_file(h.tree, "/sys/devices/system/cpu/online", "0-2\n");
        isolate(&q, "win10", "3");
        assert_refused(&q, -ENODEV, ERR_NOT_FOUND, "CPU 3, which this host does not have or which is offline");
        tree_file(h.tree, "/sys/devices/system/cpu/online", "0-3\n");
        tree_remove(h.tree, "/sys/fs/cgroup/cgroup.controllers");
        assert_refused(&q, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "cgroup.controllers");
}

static void a_forgetful_systemd_is_overcome(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        fake_cpus_forgetful(true);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_file("/sys/fs/cgroup/system.slice/cpuset.cpus.effective", "0-3");
        host_assert_nothing_lent(&h);
}

/* A slice that may use all CPUs but one that is offline is restricted nevertheless. */
static void a_cpu_that_is_offline_at_the_return_is_given_back(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_file(SLICE("system.slice"), "0-2");
        tree_file(h.tree, "/sys/devices/system/cpu/online", "0-2\n");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_file(SLICE("system.slice"), "");
        host_assert_nothing_lent(&h);
}

static void slices_that_disappear_are_skipped(void **state) {
        struct request q;
        bool seen = false;

        (void) state;
        isolate(&q, "win10", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_remove(h.tree, "/sys/fs/cgroup/own.slice");
        h.n_steps = 0;
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        for (size_t i = 0; i < h.n_steps; i++)
                seen |= h.steps[i].state == STEP_FOREIGN && str_eq(h.steps[i].name, "own.slice");
        assert_true(seen);
        assert_file(SLICE("system.slice"), "");
}

static void another_interrupt_of_the_same_number_is_left_alone(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_file(h.tree, "/sys/kernel/irq/24/actions", "vfio-msix[0]\n");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_file(IRQ(24), "0-1");
}

static void irqbalance_is_stopped_meanwhile(void **state) {
        struct request q;

        (void) state;
        tree_file(h.tree, "/run/fake/irqbalance.service", "active\n");
        isolate(&q, "win10", "2-3");
        strcpy(q.services[q.n_services++], "irqbalance.service"); /* once is enough */
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_false(fake_service_is_active("irqbalance.service"));
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_true(fake_service_is_active("irqbalance.service"));
        host_assert_nothing_lent(&h);
}

static void lending_again_is_not_disturbed_by_what_came_meanwhile(void **state) {
        struct request q;

        (void) state;
        isolate(&q, "win10", "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_file(h.tree, "/sys/fs/cgroup/new.slice/cpuset.cpus", "\n");
        tree_file(h.tree, "/proc/irq/31/smp_affinity_list", "0-3\n");
        tree_file(h.tree, "/sys/kernel/irq/31/actions", "new\n");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        isolate(&q, "win10", "3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), -EEXIST);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void interrupts_of_lent_devices_are_not_moved(void **state) {
        _cleanup_state_ struct state s = {};
        struct request q;

        (void) state;
        tree_file(h.tree, "/sys/bus/pci/devices/0000:02:00.0/msi_irqs/24", "msix\n");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        request_isolation(&q, "2-3");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        assert_null(state_find_knob(&s, &knob_irq, "24"));
        assert_non_null(state_find_knob(&s, &knob_irq, "25"));
}

static void faults_of_isolation_are_undone(void **state) {
        static const struct {
                const char *path;
                enum fake_fault fault;
                int error;
        } faults[] = {
                { "systemd/user.slice", FAULT_ERROR, EBUSY }, { "systemd/user.slice", FAULT_ERROR, EACCES },
                { "workqueue/cpumask", FAULT_ERROR, EINVAL }, { "workqueue/cpumask", FAULT_SHORT, 0 },
                { "workqueue/cpumask", FAULT_IGNORE, 0 },     { "systemd/system.slice", FAULT_IGNORE, 0 },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                struct request q;
                struct err e = {};

                isolate(&q, "win10", "2-3");
                fake_kernel_fail(faults[i].path, faults[i].fault, faults[i].error, 1);
                if (lease_lend(&h.rec, &q, &e) >= 0)
                        fail_msg("fault %zu was not noticed", i);
                host_assert_nothing_lent(&h);
        }
}

static void lists_are_combined(void **state) {
        static const char *const two[] = { "0-3,8", "2-9" }, *const apart[] = { "0", "1" };
        char target[KNOB_VALUE_MAX];

        (void) state;
        assert_int_equal(
                combine_intersection(&(struct knob_view){ .baseline = "all", .claims = two, .n_claims = 2 }, "all",
                                     target),
                0);
        assert_string_equal(target, "2-3,8");
        assert_int_equal(
                combine_intersection(&(struct knob_view){ .baseline = "3-4", .claims = two, .n_claims = 2 }, NULL,
                                     target),
                0);
        assert_string_equal(target, "3");
        assert_int_equal(combine_intersection(&(struct knob_view){ .baseline = "4", .claims = two, .n_claims = 2 },
                                              NULL, target),
                         0);
        assert_string_equal(target, "2-3,8");
        assert_int_equal(combine_intersection(&(struct knob_view){ .baseline = "x", .claims = two, .n_claims = 2 },
                                              NULL, target),
                         -EINVAL);
        assert_int_equal(
                combine_intersection(&(struct knob_view){ .baseline = "0-3", .claims = apart, .n_claims = 2 },
                                     NULL, target),
                -EINVAL);
        assert_int_equal(combine_intersection(&(struct knob_view){ .baseline = "4" }, NULL, target), 0);
        assert_string_equal(target, "4");
}

static void names_and_values_are_checked(void **state) {
        static const struct {
                const struct knob_kind *kind;
                const char *bad[6], *good[3];
        } names[] = {
                { &knob_governor,
                  { "policy", "policy01", "policyx", "../policy0", "policy0/..", "" },
                  { "policy0", "policy12" } },
                { &knob_irq, { "", "x", "-1", "01", "../1", "1/2" }, { "0", "24", "default" } },
                { &knob_slice,
                  { ".slice", "system", "a/b.slice", "..slice", "-.slice", "x.service" },
                  { "system.slice", "init.scope", "a-b.slice" } },
                { &knob_workqueue, { "", "bound", "..", "x", "/", "unbound/" }, { "unbound" } },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                for (size_t n = 0; n < ARRAY_SIZE(names[i].bad); n++)
                        if (names[i].kind->name_is_valid(names[i].bad[n]))
                                fail_msg("%s: '%s' is accepted", names[i].kind->name, names[i].bad[n]);
                for (size_t n = 0; n < ARRAY_SIZE(names[i].good) && names[i].good[n]; n++)
                        if (!names[i].kind->name_is_valid(names[i].good[n]))
                                fail_msg("%s: '%s' is refused", names[i].kind->name, names[i].good[n]);
        }
        assert_false(knob_governor.value_is_valid("../x") || knob_governor.value_is_valid("") ||
                     knob_irq.value_is_valid("all") || knob_irq.value_is_valid("") ||
                     knob_slice.value_is_valid("none") || knob_workqueue.value_is_valid("f"));
        assert_true(knob_governor.value_is_valid("performance") && knob_irq.value_is_valid("0-3,7") &&
                    knob_slice.value_is_valid("all") && knob_workqueue.value_is_valid("0"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_governor_of_the_domains_cpus),
                TEST(or_of_all),
                TEST(one_policy_of_several_cpus_is_one_knob),
                TEST(the_baseline_returns_with_the_last),
                TEST(what_somebody_else_set_stays),
                TEST(what_somebody_else_set_is_set_again_for_the_next),
                TEST(the_preference_comes_back_after_the_governor),
                TEST(cpus_that_vanish_are_skipped),
                TEST(refuses_what_cpufreq_does_not_have),
                TEST(faults_of_the_governor_are_undone),
                TEST(the_hosts_work_leaves_the_domains_cpus),
                TEST(an_interrupt_that_stays_is_reported),
                TEST(two_domains_leave_what_both_leave),
                TEST(the_last_cpu_stays_with_the_host),
                TEST(refuses_what_cannot_be_isolated),
                TEST(a_forgetful_systemd_is_overcome),
                TEST(a_cpu_that_is_offline_at_the_return_is_given_back),
                TEST(slices_that_disappear_are_skipped),
                TEST(another_interrupt_of_the_same_number_is_left_alone),
                TEST(irqbalance_is_stopped_meanwhile),
                TEST(lending_again_is_not_disturbed_by_what_came_meanwhile),
                TEST(interrupts_of_lent_devices_are_not_moved),
                TEST(faults_of_isolation_are_undone),
                TEST(lists_are_combined),
                TEST(names_and_values_are_checked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
