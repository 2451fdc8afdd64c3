/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "config/profile.h"
#include "fake/tree.h"

#define CONF "/etc/passthru/domains/win10.conf"

static struct request request(const char *domain) {
        struct request q = { .n_devices = 1, .devices[0].address = { 0, 1, 0, 0 } };

        assert_int_equal(str_copy(q.domain, sizeof(q.domain), domain), 0);
        return q;
}

static void test_none(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct request q = request("win10"), before = q;
        bool found = true;
        struct err e = {};

        (void) state;
        tree_file(t, "/etc/passthru/domains/win11.conf", "[domain]\nboot-vga=yes\n");
        assert_int_equal(profile_apply(tree_root(t), &q, &found, &e), 0);
        assert_false(found);
        assert_memory_equal(&q, &before, sizeof(q));
}

static void test_all(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct request q = request("win10");
        bool found = false;
        struct err e = {};

        (void) state;
        q.dry_run = true;
        tree_file(t, CONF,
                  "[domain]\ngroup=strict\nboot-vga=yes\nhugepages-keep=always\n"
                  "governor=performance\nepp=balance_power\ncpufreq-scope=all\nisolate=yes\nstop-services=x."
                  "service  display-manager.service\n"
                  "[device 0000:01:00.0]\nid=10de:2206\nsubsystem=1458:4037\ndriver=vfio-pci\n"
                  "[device 10000:e0:06.1]\n"
                  "[device 02:00.0]\nid=8086:a77f\nreset-method=flr bus\nd3cold=no\nruntime-pm=on\n");
        tree_file(t, "/usr/lib/passthru/domains/win10.conf.d/50.conf",
                  "[domain]\nboot-vga=no\n[device 0000:01:00.0]\ndriver=nvgrace_gpu_vfio_pci\n");
        assert_int_equal(profile_apply(tree_root(t), &q, &found, &e), 0);
        assert_true(found);
        assert_int_equal(q.group, GROUP_STRICT);
        assert_false(q.boot_vga);
        assert_true(q.keep_hugepages && q.cpufreq_all && q.isolate);
        assert_string_equal(q.governor, "performance");
        assert_int_equal(q.n_services, 2);
        assert_string_equal(q.services[1], "display-manager.service");
        assert_string_equal(q.epp, "balance_power");
        assert_true(q.dry_run);
        assert_int_equal(q.n_devices, 3);
        assert_true(q.devices[0].has_id && q.devices[0].has_subsystem);
        assert_int_equal(q.devices[0].id.vendor, 0x10de);
        assert_int_equal(q.devices[0].id.device, 0x2206);
        assert_int_equal(q.devices[0].subsystem.vendor, 0x1458);
        assert_int_equal(q.devices[0].subsystem.device, 0x4037);
        assert_string_equal(q.devices[0].driver, "nvgrace_gpu_vfio_pci");
        assert_int_equal(q.devices[1].address.domain, 0x10000);
        assert_int_equal(q.devices[1].address.bus, 0xe0);
        assert_false(q.devices[1].has_id || q.devices[1].has_subsystem);
        assert_string_equal(q.devices[1].driver, "");
        assert_int_equal(q.devices[2].address.bus, 2);
        assert_string_equal(q.devices[2].reset_method, "flr bus");
        assert_string_equal(q.devices[2].d3cold, "0");
        assert_string_equal(q.devices[2].runtime_pm, "on");
        assert_true(q.devices[2].has_id);
        assert_false(q.devices[2].has_subsystem);

        assert_int_equal(profile_apply(tree_root(t), &q, NULL, &e), 0);
        assert_int_equal(q.n_devices, 3);
}

static void test_memory_and_cpus(void **state) {
        static const struct {
                const char *value;
                uint64_t kib, page_kib, nodes;
        } cases[] = { { "8G", 8 << 20, 0, 0 },
                      { "512M 2M", 512 << 10, 2048, 0 },
                      { "1T  1G 0-1,^0", 1 << 30, 1 << 20, 2 },
                      { "4096K", 4096, 0, 0 } };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct request q = request("win10");
                struct err e = {};

                q.n_memory = 2; /* of its XML */
                tree_filef(t, CONF, "[domain]\ncpus=2-3\nhugepages=%s\n", cases[i].value);
                assert_int_equal(profile_apply(tree_root(t), &q, NULL, &e), 0);
                assert_int_equal(q.n_memory, 1);
                assert_int_equal(q.memory[0].kib, cases[i].kib);
                assert_int_equal(q.memory[0].page_kib, cases[i].page_kib);
                assert_int_equal(q.memory[0].nodes.bits[0], cases[i].nodes);
                assert_int_equal(q.cpus.bits[0], 12);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { "[domain]\ngroup=lax\n", CONF ":2: group: wanted expand or strict, found “lax”" },
                { "[domain]\nboot-vga=maybe\n", CONF ":2: boot-vga: wanted yes or no, found “maybe”" },
                { "[domain]\nhugepages-keep=yes\n",
                  CONF ":2: hugepages-keep: wanted always or never, found “yes”" },
                { "[domain]\ngovernor=\n", "governor: wanted one word" },
                { "[domain]\ngovernor=../x\n", "governor: wanted one word" },
                { "[domain]\nepp=a b\n", "epp: wanted one word" },
                { "[domain]\ncpufreq-scope=some\n", "cpufreq-scope: wanted domain or all, found “some”" },
                { "[domain]\nstop-services=gdm\n", "stop-services: wanted services as display-manager.service" },
                { "[domain]\nstop-services=libvirtd.service\n",
                  "none that lending itself needs, found “libvirtd.service”" },
                { "[domain]\nhugepages=\n", "hugepages: wanted AMOUNT" },
                { "[domain]\nhugepages=8\n", "hugepages: wanted AMOUNT" },
                { "[domain]\nhugepages=0G\n", "hugepages: wanted AMOUNT" },
                { "[domain]\nhugepages=8G 2M 0 1\n", "hugepages: wanted AMOUNT" },
                { "[domain]\nhugepages=8G 2M x\n", "hugepages: wanted AMOUNT" },
                { "[domain]\nhugepages=9999999T\n", "hugepages: wanted AMOUNT" },
                { "[domain]\ncpus=\n", "cpus: wanted numbers" },
                { "[domain]\nisolate=perhaps\n", "isolate: wanted yes or no, found “perhaps”" },
                { "[domain]\nbootvga=yes\n", "unknown setting “bootvga”" },
                { "[domain]\nid=10de:2206\n", "unknown setting “id”" },
                { "[domains]\n", CONF ":1: wanted the section [domain] or [device ADDRESS], found [domains]" },
                { "group=strict\n", "found []" },
                { "[device]\n", "found [device]" },
                { "[device ]\n", "with a PCI address such as 0000:01:00.0, found “”" },
                { "[device  0000:01:00.0]\n", "with a PCI address" },
                { "[device 0000:01:00.8]\n", "found “0000:01:00.8”" },
                { "[device ../../x]\n", "found “../../x”" },
                { "[device 0000:01:00.0]\nid=10de\n", CONF ":2: id: wanted VVVV:DDDD" },
                { "[device 0000:01:00.0]\nid=0x10de:0x2206\n", "id: wanted VVVV:DDDD" },
                { "[device 0000:01:00.0]\nsubsystem=\n", "subsystem: wanted VVVV:DDDD" },
                { "[device 0000:01:00.0]\ndriver=nvidia\n", "driver: wanted vfio-pci or a variant of it" },
                { "[device 0000:01:00.0]\ndriver=../x-vfio-pci\n", "driver: wanted vfio-pci" },
                { "[device 0000:01:00.0]\ndriver=\n", "driver: wanted vfio-pci" },
                { "[device 0000:01:00.0]\nreset-method=/x\n", "reset-method: wanted words" },
                { "[device 0000:01:00.0]\nd3cold=2\n", "d3cold: wanted yes or no, found “2”" },
                { "[device 0000:01:00.0]\nruntime-pm=off\n", "runtime-pm: wanted on" },
                { "[device 0000:01:00.0]\ngroup=strict\n", "unknown setting “group”" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct request q = request("win10"), before = q;
                bool found = true;
                struct err e = {};

                tree_file(t, "/usr/lib/passthru/domains/win10.conf.d/00.conf", "[device 0000:05:00.0]\n");
                tree_file(t, CONF, cases[i].text);
                assert_int_equal(profile_apply(tree_root(t), &q, &found, &e), -EINVAL);
                if (!strstr(e.message, cases[i].message))
                        fail_msg("wanted “%s” in “%s”", cases[i].message, e.message);
                assert_string_equal(e.id, ERR_INVALID);
                assert_memory_equal(&q, &before, sizeof(q));
                assert_true(found);
        }
}

static void test_names(void **state) {
        static const char *const names[] = { "", "../win10", "a/b", ".", "my vm" };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct request q = request(names[i]);
                struct err e = {};

                assert_int_equal(profile_apply(tree_root(t), &q, NULL, &e), -EINVAL);
                assert_string_equal(e.subject, "domain");
        }
}

static void test_full(void **state) {
        for (unsigned n = REQUEST_DEVICES_MAX - 1; n <= REQUEST_DEVICES_MAX; n++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct request q = request("win10");
                char text[4096] = "";
                struct err e = {};

                (void) state;
                for (unsigned i = 0; i < n; i++)
                        sprintf(text + strlen(text), "[device 0000:%02x:00.0]\n", i + 2);
                tree_file(t, CONF, text);
                assert_int_equal(profile_apply(tree_root(t), &q, NULL, &e), n < REQUEST_DEVICES_MAX ? 0 : -EINVAL);
                assert_int_equal(q.n_devices, n < REQUEST_DEVICES_MAX ? REQUEST_DEVICES_MAX : 1);
                assert_int_equal(strstr(e.message, "wanted at most 64 devices") != NULL, n == REQUEST_DEVICES_MAX);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_none),  cmocka_unit_test(test_all),
                cmocka_unit_test(test_bad),   cmocka_unit_test(test_memory_and_cpus),
                cmocka_unit_test(test_names), cmocka_unit_test(test_full),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
