/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/str.h"
#include "fake/tree.h"
#include "model/pinning.h"
#include "sys/topology.h"

/* Two nodes, each with two caches of two cores of two threads; the kernel numbers the second threads last: CPU n
 * and n + 8 are one core, 0-1 8-9 share a cache, 0-3 8-11 are node 0. */
static void make_host(struct topology *t) {
        t->list = calloc(16, sizeof(*t->list));
        t->n = 16;
        for (unsigned id = 0; id < 16; id++) {
                unsigned core = id % 8;
                struct cpu *c = &t->list[id];

                c->id = id;
                c->node = c->package = (int) core / 4;
                cpu_set_add(&c->siblings, core);
                cpu_set_add(&c->siblings, core + 8);
                for (unsigned k = core - core % 2; k < core - core % 2 + 2; k++) {
                        cpu_set_add(&c->l3, k);
                        cpu_set_add(&c->l3, k + 8);
                }
        }
}

static void pin(struct pinning *p, unsigned threads, const char *emulator, ...) __attribute__((sentinel));
static void pin(struct pinning *p, unsigned threads, const char *emulator, ...) {
        const char *cpus;
        va_list ap;

        *p = (struct pinning){ .threads = threads };
        assert_int_equal(cpu_set_parse(emulator, &p->emulator), 0);
        va_start(ap, emulator);
        while ((cpus = va_arg(ap, const char *)))
                assert_int_equal(cpu_set_parse(cpus, &p->vcpus[p->n_vcpus++]), 0);
        va_end(ap);
}

/* All ids that the check finds. */
static const char *found(const struct pinning *p) {
        _cleanup_topology_ struct topology t = {};
        struct finding list[PINNING_FINDINGS_MAX];
        static char ids[512];
        size_t n;

        make_host(&t);
        n = pinning_check(&t, p, list);
        *ids = '\0';
        for (size_t i = 0; i < n; i++) {
                assert_true(*list[i].evidence && *list[i].remedy);
                strcat(strcat(ids, *ids ? " " : ""), list[i].id);
        }
        return ids;
}

static void a_good_pinning_has_no_findings(void **state) {
        struct pinning p;

        (void) state;
        pin(&p, 2, "0-1,8-9", "2", "10", "3", "11", NULL);
        assert_string_equal(found(&p), "");
        pin(&p, 1, "", "", "", NULL);
        assert_string_equal(found(&p), "");
        p = (struct pinning){};
        assert_string_equal(found(&p), "");
}

static void each_fault_is_found(void **state) {
        struct pinning p;

        (void) state;
        pin(&p, 2, "0", "2", "10", "3", "19", NULL);
        assert_string_equal(found(&p), "pinning-missing pinning-siblings");
        pin(&p, 1, "0", "2,10", "2,10", NULL);
        assert_string_equal(found(&p), "pinning-shared pinning-threads");
        pin(&p, 2, "3", "2", "10", "3", "11", NULL);
        assert_string_equal(found(&p), "pinning-emulator");
        pin(&p, 1, "0", "2", "3", NULL);
        assert_string_equal(found(&p), "pinning-siblings");
        pin(&p, 2, "0", "3", "11", "4", "12", NULL);
        assert_string_equal(found(&p), "pinning-nodes");
        pin(&p, 2, "0", "1", "9", "2", "10", NULL);
        assert_string_equal(found(&p), "pinning-cache");
        pin(&p, 0, "0", "2", "10", "3", "11", NULL);
        assert_string_equal(found(&p), "pinning-threads");
        pin(&p, 2, "0", "2", "3", "10", "11", NULL);
        assert_string_equal(found(&p), "pinning-threads");
        pin(&p, 2, "0", "2", "", NULL);
        assert_string_equal(found(&p), "pinning-partial");
}

static void assert_plan(unsigned n, const char *nodes, unsigned keep, const char *cpus, const char *emulator) {
        _cleanup_topology_ struct topology t = {};
        struct cpu_set preferred, all;
        struct finding list[PINNING_FINDINGS_MAX];
        struct pinning p;
        char text[128];

        make_host(&t);
        assert_int_equal(cpu_set_parse(nodes, &preferred), 0);
        assert_int_equal(pinning_plan(&t, n, &preferred, keep, &p, NULL), 0);
        assert_int_equal(p.n_vcpus, n);
        pinning_cpus(&p, &all);
        assert_int_equal(cpu_set_count(&all), n);
        assert_int_equal(cpu_set_format(&all, text, sizeof(text)), 0);
        assert_string_equal(text, cpus);
        assert_int_equal(cpu_set_format(&p.emulator, text, sizeof(text)), 0);
        assert_string_equal(text, emulator);
        /* What is planned is what the check likes, but for what is too large for one node. */
        assert_int_equal(pinning_check(&t, &p, list), n > 8 ? 1 : 0);
}

static void whole_caches_are_laid_out_near_the_devices(void **state) {
        (void) state;
        assert_plan(2, "", 1, "1,9", "0,2-8,10-15");
        assert_plan(4, "", 1, "2-3,10-11", "0-1,4-9,12-15");
        assert_plan(4, "1", 1, "4-5,12-13", "0-3,6-11,14-15");
        assert_plan(8, "1", 1, "4-7,12-15", "0-3,8-11");
        assert_plan(14, "", 1, "1-7,9-15", "0,8");
}

static void what_does_not_fit_is_refused(void **state) {
        _cleanup_topology_ struct topology t = {};
        static const struct {
                unsigned n, keep;
                int r;
        } cases[] = {
                { 0, 1, -EINVAL }, { 3, 1, -EINVAL }, { 16, 1, -ENOSPC }, { 14, 2, -ENOSPC }, { 1000, 1, -EINVAL }
        };

        (void) state;
        make_host(&t);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pinning p = { .n_vcpus = 77 };
                struct err e = {};

                assert_int_equal(pinning_plan(&t, cases[i].n, &(struct cpu_set){}, cases[i].keep, &p, &e),
                                 cases[i].r);
                assert_int_equal(p.n_vcpus, 77);
                assert_true(*e.message);
        }
}

static void the_topology_is_read_from_sysfs(void **state) {
        _cleanup_tree_ struct tree *tree = tree_new();
        _cleanup_topology_ struct topology t = {};
        struct cpu_set cores, some = {};
        struct err e = {};
        char text[64];

        (void) state;
        assert_true(topology_read(tree_root(tree), &t, &e) < 0);
        tree_file(tree, "/sys/devices/system/cpu/online", "0-2\n");
        tree_file(tree, "/sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n");
        tree_file(tree, "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,2\n");
        tree_file(tree, "/sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
        tree_file(tree, "/sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list", "0,2\n");
        tree_file(tree, "/sys/devices/system/cpu/cpu0/cache/index1/level", "3\n");
        tree_file(tree, "/sys/devices/system/cpu/cpu0/cache/index1/shared_cpu_list", "0-2\n");
        tree_file(tree, "/sys/devices/system/node/online", "0-1\n");
        tree_file(tree, "/sys/devices/system/node/node0/cpulist", "0,2\n");
        tree_file(tree, "/sys/devices/system/node/node1/cpulist", "1\n");
        assert_int_equal(topology_read(tree_root(tree), &t, &e), 0);
        assert_int_equal(t.n, 3);
        assert_int_equal(t.list[0].package, 0);
        assert_int_equal(t.list[0].node, 0);
        assert_int_equal(t.list[1].node, 1);
        assert_int_equal(cpu_set_count(&t.list[0].siblings), 2);
        assert_int_equal(cpu_set_count(&t.list[0].l3), 3);
        /* Nothing is said of CPU 1 but its node. */
        assert_int_equal(t.list[1].package, -1);
        assert_int_equal(cpu_set_count(&t.list[1].l3), 1);
        assert_null(topology_find(&t, 3));
        cpu_set_add(&some, 0);
        topology_cores_of(&t, &some, &cores);
        assert_int_equal(cpu_set_format(&cores, text, sizeof(text)), 0);
        assert_string_equal(text, "0,2");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_good_pinning_has_no_findings),
                cmocka_unit_test(each_fault_is_found),
                cmocka_unit_test(whole_caches_are_laid_out_near_the_devices),
                cmocka_unit_test(what_does_not_fit_is_refused),
                cmocka_unit_test(the_topology_is_read_from_sysfs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
