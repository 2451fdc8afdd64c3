/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Huge pages as part of a lease, on a fake kernel. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/host.h"

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

static uint64_t pages(unsigned node) {
        return fake_memory_pages(node, FAKE_2M);
}

static int lend(const char *domain, int node, uint64_t mib, struct err *e) {
        struct request q;

        request_make(&q, domain, NULL);
        request_memory(&q, node, mib);
        return lease_lend(&h.rec, &q, e);
}

static void assert_refused(const struct request *q, int code, const char *id, const char *text) {
        char before[512], after[512];
        struct err e = {};

        host_snapshot(&h, before);
        assert_int_equal(lease_lend(&h.rec, q, &e), code);
        assert_string_equal(e.id, id);
        if (!strstr(e.message, text))
                fail_msg("'%s' is not in '%s'", text, e.message);
        assert_string_equal(host_snapshot(&h, after), before);
        host_assert_nothing_lent(&h);
}

static void only_what_is_missing_is_added(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        request_memory(&q, 0, 256);
        request_memory(&q, 1, 256);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(pages(0), 128); /* of which 64 were there */
        assert_int_equal(pages(1), 128);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void memory_comes_before_devices(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        request_memory(&q, 1, 256);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_string_equal(h.steps[0].kind, "hugepages");
        assert_string_equal(h.steps[0].from, "0");
        assert_string_equal(h.steps[0].to, "128");
        assert_string_equal(h.steps[1].kind, "pci-driver");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(h.steps[2].kind, "pci-driver");
        assert_string_equal(h.steps[3].kind, "hugepages");
}

/* Nothing is unbound for a domain that does not get its memory. */
static void short_of_the_target_nothing_is_lent(void **state) {
        static const struct fake_node pinned = { .total_kib = 4U << 20,
                                                 .free_kib = 3U << 20,
                                                 .whole_kib = 100 << 10,
                                                 .pinned_kib = (3U << 20) - (100 << 10) };
        struct request q;
        struct err e = {};

        (void) state;
        fake_memory_node(1, &pinned);
        tree_process(h.tree, 4711, "hungry");
        tree_file(h.tree, "/proc/4711/status", "Name:\thungry\nVmRSS:\t 2097152 kB\nHugetlbPages:\t 1048576 kB\n");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        request_memory(&q, 1, 1024);
        assert_int_equal(lease_lend(&h.rec, &q, &e), -EBUSY);
        assert_non_null(strstr(e.message, "node 1 has 50 of 512 pages of 2 MiB"));
        assert_non_null(strstr(e.message, "hungry (pid 4711) 3.0 GiB"));
        assert_non_null(strstr(e.message, "nothing was lent"));
        for (size_t i = 0; i < h.n_steps; i++)
                if (str_eq(h.steps[i].kind, "pci-driver") && h.steps[i].state == STEP_DONE)
                        fail_msg("a device was touched");
        host_assert_nothing_lent(&h);
}

static void memory_in_pieces_is_compacted(void **state) {
        static const struct fake_node pieces = { .total_kib = 4U << 20,
                                                 .free_kib = 3U << 20,
                                                 .whole_kib = 100 << 10 };

        (void) state;
        fake_memory_node(1, &pieces);
        assert_int_equal(lend("win10", 1, 2048, NULL), 0);
        assert_int_equal(pages(1), 1024);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void page_cache_is_dropped_last(void **state) {
        static const struct fake_node full = {
                .total_kib = 4U << 20, .free_kib = 200U << 10, .whole_kib = 100 << 10, .cache_kib = 3U << 20
        };
        struct request q;

        (void) state;
        fake_memory_node(1, &full);
        request_make(&q, "win10", NULL);
        request_memory(&q, 1, 2048);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(pages(1), 1024);
}

static void leases_add_up(void **state) {
        (void) state;
        assert_int_equal(lend("a", 0, 256, NULL), 0);
        assert_int_equal(pages(0), 128);
        /* a has not taken its pages yet: they are free, and promised. */
        assert_int_equal(lend("b", 0, 256, NULL), 0);
        assert_int_equal(pages(0), 256);
        assert_int_equal(fake_memory_use(0, FAKE_2M, 256), 256);
        assert_int_equal(lend("c", 0, 256, NULL), 0);
        assert_int_equal(pages(0), 384);

        (void) fake_memory_use(0, FAKE_2M, -128);
        assert_int_equal(lease_return(&h.rec, "a", NULL), 0);
        assert_int_equal(pages(0), 320); /* it had added 64 */
        (void) fake_memory_use(0, FAKE_2M, -128);
        assert_int_equal(lease_return(&h.rec, "c", NULL), 0);
        assert_int_equal(pages(0), 192);
        assert_int_equal(lease_return(&h.rec, "b", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void a_pool_in_use_by_domains_is_still_shared(void **state) {
        (void) state;
        /* Two domains share what was reserved at boot: nothing is added for either. */
        assert_int_equal(lend("a", 0, 64, NULL), 0);
        assert_int_equal(fake_memory_use(0, FAKE_2M, 32), 32);
        assert_int_equal(lend("b", 0, 64, NULL), 0);
        assert_int_equal(pages(0), HOST_POOL);
        assert_int_equal(lease_return(&h.rec, "a", NULL), 0);
        assert_int_equal(lease_return(&h.rec, "b", NULL), 0);
        (void) fake_memory_use(0, FAKE_2M, -32);
        host_assert_nothing_lent(&h);
}

static void pages_in_use_are_given_back_later(void **state) {
        _cleanup_state_ struct state s = {};
        struct err e = {};

        (void) state;
        assert_int_equal(lend("win10", 1, 256, NULL), 0);
        assert_int_equal(fake_memory_use(1, FAKE_2M, 100), 100);
        assert_int_equal(lease_return(&h.rec, "win10", &e), -EBUSY);
        assert_string_equal(e.id, ERR_IN_USE);
        assert_non_null(strstr(e.message, "100 pages of 2 MiB are still in use"));
        assert_int_equal(pages(1), 100); /* what was free is back already */
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        assert_true(s.knobs[0].pending);

        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        assert_int_equal(pages(1), 100);
        (void) fake_memory_use(1, FAKE_2M, -100);
        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        host_assert_nothing_lent(&h);
}

static void other_peoples_pages_stay(void **state) {
        (void) state;
        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        fake_memory_change(0, FAKE_2M, 36); /* somebody adds to the pool … */
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(pages(0), HOST_POOL + 36);
        fake_memory_change(0, FAKE_2M, -36);
        host_assert_nothing_lent(&h);

        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        fake_memory_change(0, FAKE_2M, -28); /* … or takes from it */
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(pages(0), HOST_POOL - 28);
}

/* The tutorial's script ends with "echo 0". */
static void a_pool_that_was_emptied_gives_back_nothing(void **state) {
        (void) state;
        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        fake_memory_change(0, FAKE_2M, -(int) pages(0));
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(pages(0), 0);
}

static void lending_again_adds_what_somebody_took(void **state) {
        (void) state;
        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        assert_int_equal(pages(0), 128);
        fake_memory_change(0, FAKE_2M, -128);
        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        assert_int_equal(pages(0), 64); /* what the lease added; the host's own 64 were taken by their owner */
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(pages(0), 0);
}

static void kept_pages_become_the_hosts(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", NULL);
        request_memory(&q, 0, 256);
        q.keep_hugepages = true;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(pages(0), 128);
        /* The next start adds nothing. */
        assert_int_equal(lend("win10", 0, 256, NULL), 0);
        assert_int_equal(pages(0), 128);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(pages(0), 128);
        fake_memory_change(0, FAKE_2M, HOST_POOL - 128);
        host_assert_nothing_lent(&h);
}

static void kept_pages_of_a_failed_lend_are_given_back(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        request_memory(&q, 0, 256);
        q.keep_hugepages = true;
        fake_kernel_fail("0000:02:00.0/driver/unbind", FAULT_ERROR, EBUSY, 1);
        assert_true(lease_lend(&h.rec, &q, NULL) < 0);
        host_assert_nothing_lent(&h);
}

static void any_node_means_where_there_is_room(void **state) {
        static const struct fake_node little = { .total_kib = 4U << 20,
                                                 .free_kib = 512U << 10,
                                                 .whole_kib = 512U << 10 };

        (void) state;
        fake_memory_node(1, &little);
        assert_int_equal(lend("win10", -1, 2048, NULL), 0);
        assert_int_equal(pages(0), 1024);
        assert_int_equal(pages(1), 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        /* More than one node has: the rest comes from the other. */
        assert_int_equal(lend("win10", -1, 3200 + 512, NULL), 0);
        assert_true(pages(0) == 1728 && pages(1) == 128);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void interleaved_memory_is_the_same_on_each_node(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", NULL);
        request_memory(&q, 0, 514);
        cpu_set_add(&q.memory[0].nodes, 1);
        q.memory[0].interleave = true;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(pages(0), 129);
        assert_int_equal(pages(1), 128);
}

static void the_default_size_is_the_hosts(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", NULL);
        request_memory(&q, 1, 256);
        q.memory[0].page_kib = 0;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(pages(1), 128);
}

static void pages_of_1_gib(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", NULL);
        request_memory(&q, 1, 1536);
        q.memory[0].page_kib = FAKE_1G;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(fake_memory_pages(1, FAKE_1G), 2);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);

        fake_kernel_fail("hugepages-1048576kB/nr_hugepages", FAULT_ERROR, EINVAL, 9);
        assert_refused(&q, -EBUSY, ERR_FAILED, "reserved at boot");
}

static void refuses_what_cannot_be(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", NULL);
        request_memory(&q, 7, 256);
        assert_refused(&q, -ENODEV, ERR_NOT_FOUND, "memory of node 7");
        request_make(&q, "win10", NULL);
        request_memory(&q, 1, 5000);
        assert_refused(&q, -ENOMEM, ERR_REFUSED, "node could make only 2048 more");
        request_make(&q, "win10", NULL);
        request_memory(&q, 1, 256);
        q.memory[0].page_kib = 16384;
        assert_refused(&q, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "no pages of 16 MiB");
        tree_remove(h.tree, "/sys/devices/system/node/has_memory");
        q.memory[0].page_kib = FAKE_2M;
        assert_refused(&q, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "CONFIG_NUMA");
}

/* One write that fails, in each of the ways in which a write can fail. */
static void faults_are_undone_or_overcome(void **state) {
        static const struct {
                enum fake_fault fault;
                int error;
                bool fatal;
        } faults[] = {
                { FAULT_ERROR, EBUSY, true },   { FAULT_ERROR, EINVAL, true }, { FAULT_ERROR, ENODEV, true },
                { FAULT_ERROR, ENOMEM, false }, { FAULT_SHORT, 0, true },      { FAULT_IGNORE, 0, false },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                struct err e = {};
                int r;

                fake_kernel_fail("node1/hugepages/hugepages-2048kB/nr_hugepages", faults[i].fault, faults[i].error,
                                 1);
                r = lend("win10", 1, 256, &e);
                if (faults[i].fatal != (r < 0))
                        fail_msg("fault %zu: %s", i, e.message);
                assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
                host_assert_nothing_lent(&h);
        }
}

static void dry_run_only_plans(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", NULL);
        request_memory(&q, 0, 256);
        q.dry_run = true;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(h.steps[0].state, STEP_PLANNED);
        assert_string_equal(h.steps[0].from, "64");
        assert_string_equal(h.steps[0].to, "128");
        host_assert_nothing_lent(&h);
}

static void a_damaged_claim_is_refused(void **state) {
        static const char *const values[] = { "",         "1",    "2/1",   "a/b",
                                              "1/1 kept", "-1/1", "1/1/1", "9999999999/9999999999" };
        static const char *const names[] = { "node0",
                                             "node00/hugepages-2048kB",
                                             "node0/hugepages-0kB",
                                             "../hugepages-2048kB",
                                             "node0/hugepages-2048",
                                             "node9999/hugepages-2048kB" };
        const struct knob_view view = { .baseline = "64", .claims = values, .n_claims = 1 };
        char target[KNOB_VALUE_MAX];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
                if (!str_eq(values[i], "1") && knob_hugepages.value_is_valid(values[i]))
                        fail_msg("'%s' is accepted", values[i]);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (knob_hugepages.name_is_valid(names[i]))
                        fail_msg("'%s' is accepted", names[i]);
        assert_true(knob_hugepages.name_is_valid("node0/hugepages-2048kB"));
        assert_true(knob_hugepages.value_is_valid("3/12 keep"));
        assert_int_equal(knob_hugepages.target(&view, target), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(only_what_is_missing_is_added),
                TEST(memory_comes_before_devices),
                TEST(short_of_the_target_nothing_is_lent),
                TEST(memory_in_pieces_is_compacted),
                TEST(page_cache_is_dropped_last),
                TEST(leases_add_up),
                TEST(a_pool_in_use_by_domains_is_still_shared),
                TEST(pages_in_use_are_given_back_later),
                TEST(other_peoples_pages_stay),
                TEST(a_pool_that_was_emptied_gives_back_nothing),
                TEST(lending_again_adds_what_somebody_took),
                TEST(kept_pages_become_the_hosts),
                TEST(kept_pages_of_a_failed_lend_are_given_back),
                TEST(any_node_means_where_there_is_room),
                TEST(interleaved_memory_is_the_same_on_each_node),
                TEST(the_default_size_is_the_hosts),
                TEST(pages_of_1_gib),
                TEST(refuses_what_cannot_be),
                TEST(faults_are_undone_or_overcome),
                TEST(dry_run_only_plans),
                TEST(a_damaged_claim_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
