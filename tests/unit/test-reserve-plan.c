/* SPDX-License-Identifier: GPL-2.0-or-later */

/* early.conf as "passthru device" edits it: what is not about the devices stays, byte for byte. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/reserve.h"
#include "config/early-conf.h"
#include "fake/tree.h"

/* A card of two functions behind a port without ACS, a disk of which the root file system is on, the display. */
static int set_up(void **state) {
        static const struct tree_pci functions[] = {
                { "0000:00:01.0", NULL, 0x8086, 0x1901, .class_code = 0x060400, .group = 1, .driver = "pcieport" },
                { "0000:00:02.0", NULL, 0x8086, 0x3e92, .class_code = 0x030000, .group = 2, .boot_vga = true },
                { "0000:00:1d.0", NULL, 0x8086, 0x1902, .class_code = 0x060400, .group = 3, .driver = "pcieport" },
                { "0000:01:00.0", "0000:00:01.0", 0x10de, 0x2206, 0x1458, 0x4037, .class_code = 0x030000,
                  .group = 1 },
                { "0000:01:00.1", "0000:00:01.0", 0x10de, 0x1aef, 0x1458, 0x4037, .class_code = 0x040300,
                  .group = 1 },
                { "0000:02:00.0", "0000:00:1d.0", 0x144d, 0xa808, .class_code = 0x010802, .group = 4,
                  .driver = "nvme" },
                { "0000:00:1f.6", NULL, 0x8086, 0x15bb, .class_code = 0x020000, .group = -1 },
        };
        struct tree *t = tree_new();

        for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
                tree_pci(t, &functions[i]);
        tree_file(t, "/proc/cmdline", "root=UUID=1234\n");
        tree_file(t, "/proc/1/mountinfo", "21 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n");
        tree_file(t, "/sys/devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0/nvme0n1/nvme0n1p2/uevent",
                  "MAJOR=259\nMINOR=2\nDEVNAME=nvme0n1p2\nDEVTYPE=partition\n");
        tree_dir(t, "/etc");
        *state = t;
        return 0;
}

static int tear_down(void **state) {
        tree_free(*state);
        return 0;
}

static const struct early_device plain;

static struct bdf at(const char *address) {
        struct bdf bdf;

        assert_int_equal(bdf_parse(address, &bdf), 0);
        return bdf;
}

/* Carries it out; text: what the file has then, NULL: it does not exist. */
static void reserve(struct tree *t, const char *address, const struct early_device *settings, const char *text) {
        _cleanup_plan_ struct plan plan = {};
        _cleanup_free_ char *now = NULL;
        struct bdf bdf = at(address);
        struct err e = {};

        if (reserve_plan(tree_root(t), &bdf, 1, true, settings, &plan, &e) < 0)
                fail_msg("%s", e.message);
        assert_int_equal(reserve_apply(tree_root(t), &plan, &e), 0);
        assert_int_equal(root_read(tree_root(t), EARLY_CONF_PATH, 65536, &now, NULL), 0);
        assert_string_equal(now, text);
}

static void release(struct tree *t, const char *address, const char *text) {
        _cleanup_plan_ struct plan plan = {};
        _cleanup_free_ char *now = NULL;
        struct bdf bdf = at(address);
        struct err e = {};

        if (release_plan(tree_root(t), &bdf, 1, &plan, &e) < 0)
                fail_msg("%s", e.message);
        assert_int_equal(reserve_apply(tree_root(t), &plan, &e), 0);
        assert_int_equal(root_read(tree_root(t), EARLY_CONF_PATH, 65536, &now, NULL), text ? 0 : -ENOENT);
        if (text)
                assert_string_equal(now, text);
}

static void refuse(struct tree *t, const char *address, bool expand, bool force, int error, const char *message) {
        const struct early_device settings = { .force = force };
        _cleanup_plan_ struct plan plan = {};
        struct bdf bdf = at(address);
        struct err e = {};
        int r = reserve_plan(tree_root(t), &bdf, 1, expand, &settings, &plan, &e);

        if (r != error || !strstr(e.message, message))
                fail_msg("%s: %d %s", address, r, e.message);
        assert_true(plan_is_empty(&plan) == (error < 0));
}

#define CARD "[device 0000:01:00.0]\nid=10de:2206\nsubsystem=1458:4037\n"
#define SOUND "[device 0000:01:00.1]\nid=10de:1aef\nsubsystem=1458:4037\n"
#define NIC "[device 0000:00:1f.6]\nid=8086:15bb\n"

static void the_whole_group(void **state) {
        reserve(*state, "01:00.1", &plain, SOUND "\n" CARD);
        release(*state, "01:00.0", NULL);
}

static void the_rest_of_the_file_stays(void **state) {
        static const char before[] = "# mine\n\n[hugepages]\n2M=512\n# last";
        struct tree *t = *state;

        tree_file(t, EARLY_CONF_PATH, before);
        reserve(t, "0000:00:1f.6", &plain, "# mine\n\n[hugepages]\n2M=512\n# last\n\n" NIC);
        reserve(t, "0000:01:00.0", &plain, "# mine\n\n[hugepages]\n2M=512\n# last\n\n" NIC "\n" CARD "\n" SOUND);
        release(t, "0000:00:1f.6", "# mine\n\n[hugepages]\n2M=512\n# last\n\n" CARD "\n" SOUND);
        release(t, "0000:01:00.0", "# mine\n\n[hugepages]\n2M=512\n# last\n");
}

static void what_was_written_by_hand(void **state) {
        struct tree *t = *state;

        tree_file(t, EARLY_CONF_PATH,
                  "[device 00:1f.6]\n# the old one\nid=8086:15bb\n\n# pages for all\n[hugepages]\n2M=1\n");
        release(t, "0000:00:1f.6", "\n# pages for all\n[hugepages]\n2M=1\n");
        tree_file(t, EARLY_CONF_PATH,
                  "[device 00:1f.6]\nid=8086:9999\n[hugepages]\n2M=1\n[device 0000:00:1f.6]\nforce=yes\n");
        reserve(t, "0000:00:1f.6", &plain, "[hugepages]\n2M=1\n\n" NIC);
}

static void the_same_again_is_no_change(void **state) {
        const struct early_device idle = { .idle_host = true, .device.driver = "e1000_vfio_pci" };
        struct tree *t = *state;

        reserve(t, "0000:00:1f.6", &plain, NIC);
        reserve(t, "0000:00:1f.6", &plain, NIC);
        reserve(t, "0000:00:1f.6", &idle,
                "[device 0000:00:1f.6]\nid=8086:15bb\ndriver=e1000_vfio_pci\nidle=host\n");
        release(t, "0000:00:1f.6", NULL);
}

static void refusals(void **state) {
        struct tree *t = *state;

        refuse(t, "0000:09:00.0", true, false, -ENODEV, "no such PCI function");
        refuse(t, "0000:01:00.0", false, false, -EPERM, "in IOMMU group 1 with 0000:01:00.1");
        refuse(t, "0000:00:02.0", true, false, -EPERM, "the firmware uses");
        refuse(t, "0000:00:02.0", true, true, 0, "");
        refuse(t, "0000:00:1d.0", true, true, -EPERM, "is a bridge");
        refuse(t, "0000:02:00.0", true, true, -EPERM, "boots from: /");
        tree_file(t, "/proc/cmdline", "ip=dhcp\n");
        refuse(t, "0000:00:1f.6", true, false, -EPERM, "boots over the network");
}

static void releases_only_what_is_listed(void **state) {
        _cleanup_plan_ struct plan plan = {};
        struct bdf bdf = at("0000:00:1f.6");
        struct tree *t = *state;
        struct err e = {};

        assert_int_equal(release_plan(tree_root(t), &bdf, 1, &plan, &e), -ENOENT);
        tree_file(t, "/etc/passthru/early.conf.d/10-nic.conf", NIC);
        assert_int_equal(release_plan(tree_root(t), &bdf, 1, &plan, &e), -EPERM);
        assert_non_null(strstr(e.message, "another file"));
        assert_true(plan_is_empty(&plan));
}

static void a_device_that_has_gone_is_released(void **state) {
        struct tree *t = *state;

        tree_file(t, EARLY_CONF_PATH, NIC "\n[device 0000:0a:00.0]\nid=8086:1533\n");
        release(t, "0000:0a:00.0", NIC);
}

static void nothing_is_built_on_a_broken_file(void **state) {
        _cleanup_plan_ struct plan plan = {};
        struct bdf bdf = at("0000:00:1f.6");
        struct tree *t = *state;
        struct err e = {};

        tree_file(t, EARLY_CONF_PATH, "[device");
        assert_int_equal(reserve_plan(tree_root(t), &bdf, 1, true, &plain, &plan, &e), -EINVAL);
        assert_non_null(strstr(e.message, "early.conf:1"));
        assert_int_equal(release_plan(tree_root(t), &bdf, 1, &plan, &e), -EINVAL);
}

static void somebody_else_was_faster(void **state) {
        _cleanup_plan_ struct plan plan = {};
        struct bdf bdf = at("0000:00:1f.6");
        _cleanup_free_ char *now = NULL;
        struct tree *t = *state;
        struct err e = {};

        assert_int_equal(reserve_plan(tree_root(t), &bdf, 1, true, &plain, &plan, &e), 0);
        tree_file(t, EARLY_CONF_PATH, "# new\n");
        assert_int_equal(reserve_apply(tree_root(t), &plan, &e), -ESTALE);
        assert_int_equal(root_read(tree_root(t), EARLY_CONF_PATH, 65536, &now, NULL), 0);
        assert_string_equal(now, "# new\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_whole_group),
                TEST(the_rest_of_the_file_stays),
                TEST(what_was_written_by_hand),
                TEST(the_same_again_is_no_change),
                TEST(refusals),
                TEST(releases_only_what_is_listed),
                TEST(a_device_that_has_gone_is_released),
                TEST(nothing_is_built_on_a_broken_file),
                TEST(somebody_else_was_faster),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
