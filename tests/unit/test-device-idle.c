/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Devices with idle=host go to the host's drivers, and no others do. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/device-idle.h"
#include "fake/kernel.h"

/* What the command line prints of an error. */
static struct err last;

int cli_fail(const struct err *e) {
        last = *e;
        return EXIT_FAILURE;
}

#define A "0000:01:00.0"
#define B "0000:02:00.0"

/* Two disks, as the initramfs leaves them: on vfio-pci, and nothing else may take them. */
static int set_up(void **state) {
        struct tree *t = tree_new();

        tree_pci(t, &(struct tree_pci){ A, NULL, 0x144d, 0xa808, .class_code = 0x010802, .group = 1,
                                        .driver = "vfio-pci", .override = "vfio-pci" });
        tree_pci(t, &(struct tree_pci){ B, NULL, 0x8086, 0xf1a8, .class_code = 0x010802, .group = 2,
                                        .driver = "vfio-pci", .override = "vfio-pci" });
        tree_dir(t, "/proc");
        fake_kernel_start(t);
        fake_kernel_native(A, "nvme");
        fake_kernel_native(B, "nvme");
        last = (struct err){};
        *state = t;
        return 0;
}

static int tear_down(void **state) {
        fake_kernel_stop();
        tree_free(*state);
        return 0;
}

static int idle(struct tree *t, const char *conf) {
        struct cli cli = { .root = (struct root *) tree_root(t) };

        tree_file(t, "/etc/passthru/early.conf", conf);
        return device_idle(&cli);
}

static void want(struct tree *t, const char *address, const char *override, const char *driver) {
        char text[64] = "none";

        assert_int_equal(root_read_attr(tree_root(t), text, sizeof(text),
                                        "/sys/bus/pci/devices/%s/driver_override", address),
                         0);
        assert_string_equal(text, override);
        strcpy(text, "none");
        (void) root_link_name(tree_root(t), text, sizeof(text), "/sys/bus/pci/devices/%s/driver", address);
        assert_string_equal(text, driver);
}

#define IDLE_A "[device " A "]\nid=144d:a808\nidle=host\n"
#define IDLE_B "[device " B "]\nid=8086:f1a8\nidle=host\n"
#define VFIO_B "[device " B "]\nid=8086:f1a8\n"

static void only_those_that_say_so(void **state) {
        assert_int_equal(idle(*state, IDLE_A VFIO_B), EXIT_SUCCESS);
        want(*state, A, "(null)", "nvme");
        want(*state, B, "vfio-pci", "vfio-pci");
        assert_int_equal(idle(*state, IDLE_A VFIO_B), EXIT_SUCCESS); /* again: nothing is left to do */
        want(*state, A, "(null)", "nvme");
}

static void not_another_device(void **state) {
        assert_int_equal(idle(*state, "[device " A "]\nid=10de:2206\nidle=host\n"), EXIT_SUCCESS);
        want(*state, A, "vfio-pci", "vfio-pci");
}

static void not_what_is_lent(void **state) {
        tree_file(*state, "/run/passthru/state.json",
                  "{\"version\":1,\"leases\":[{\"domain\":\"win10\",\"uuid\":\"\",\"state\":\"lent\","
                  "\"since\":1700000000000000,\"until\":null,\"claims\":[{\"kind\":\"pci-driver\",\"name\":\"" A
                  "\",\"value\":"
                  "\"vfio-pci\"}]}],\"knobs\":[{\"kind\":\"pci-driver\",\"name\":\"" A
                  "\",\"baseline\":\"vfio-pci override=vfio-pci\","
                  "\"applied\":\"vfio-pci override=vfio-pci\",\"state\":\"settled\",\"message\":null}]}");
        assert_int_equal(idle(*state, IDLE_A IDLE_B), EXIT_SUCCESS);
        want(*state, A, "vfio-pci", "vfio-pci");
        want(*state, B, "(null)", "nvme");
}

static void not_what_is_in_use(void **state) {
        tree_link(*state, "/sys/devices/pci0000:00/" A "/iommu_group", "/sys/kernel/iommu_groups/1");
        tree_process(*state, 812, "qemu");
        tree_process_fd(*state, 812, 7, "/dev/vfio/1");
        assert_int_equal(idle(*state, IDLE_A IDLE_B), EXIT_FAILURE);
        want(*state, A, "vfio-pci", "vfio-pci");
        assert_non_null(strstr(last.message, A " stays with vfio-pci: lent to qemu (pid 812"));
        want(*state, B, "(null)", "nvme");
}

static void without_a_driver(void **state) {
        fake_kernel_stop();
        fake_kernel_start(*state);
        assert_int_equal(idle(*state, IDLE_A), EXIT_SUCCESS);
        want(*state, A, "(null)", "none");
}

static void a_driver_that_hangs(void **state) {
        tree_file(*state, "/etc/passthru/passthru.conf", "[lease]\ndeadline=1s\n");
        fake_kernel_fail(A "/driver/unbind", FAULT_HANG, 0, 1);
        assert_int_equal(idle(*state, IDLE_A IDLE_B), EXIT_FAILURE);
        assert_non_null(strstr(last.message, "does not answer"));
        want(*state, B, "(null)", "nvme");
        fake_kernel_release();
}

static void a_broken_file(void **state) {
        assert_int_equal(idle(*state, IDLE_A "[device"), EXIT_FAILURE);
        assert_non_null(strstr(last.message, "early.conf:4"));
        want(*state, A, "vfio-pci", "vfio-pci");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(only_those_that_say_so), TEST(not_another_device), TEST(not_what_is_lent),
                TEST(not_what_is_in_use),     TEST(without_a_driver),   TEST(a_driver_that_hangs),
                TEST(a_broken_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
