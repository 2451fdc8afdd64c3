/* SPDX-License-Identifier: GPL-2.0-or-later */

/* passthru-early as a whole, in an initramfs that does not exist: what it writes, what it leaves alone, what it
 * says, and that it always comes to its end. */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "config/early-conf.h"
#include "config/early-result.h"
#include "early/pack.h"
#include "early/run.h"
#include "fake/kernel.h"

struct machine {
        struct tree *tree;
        struct early_result *result;
        char *log;
};

/* Before the first driver: a display, two identical disks, a network card, a USB controller with a driver that is
 * part of the kernel, memory on two nodes. vfio-pci is loaded when it is probed for. */
static int set_up(void **state) {
        static const struct tree_pci functions[] = {
                { "0000:00:02.0", NULL, 0x8086, 0x3e92, .class_code = 0x030000, .group = 1, .boot_vga = true },
                { "0000:00:1b.0", NULL, 0x8086, 0x0001, .class_code = 0x060400, .group = 2 },
                { "0000:00:1c.0", NULL, 0x8086, 0x0001, .class_code = 0x060400, .group = 3 },
                { "0000:00:1d.0", NULL, 0x8086, 0x0001, .class_code = 0x060400, .group = 4 },
                { "0000:00:1e.0", NULL, 0x8086, 0x0001, .class_code = 0x060400, .group = 5 },
                { "0000:01:00.0", "0000:00:1b.0", 0x1b36, 0x0010, .class_code = 0x010802, .group = 12 },
                { "0000:02:00.0", "0000:00:1c.0", 0x1b36, 0x0010, .class_code = 0x010802, .group = 13 },
                { "0000:03:00.0", "0000:00:1d.0", 0x8086, 0x1533, .class_code = 0x020000, .group = 14 },
                { "0000:04:00.0", "0000:00:1e.0", 0x1b36, 0x000d, .class_code = 0x0c0330, .group = 15,
                  .driver = "xhci_hcd" },
        };
        static const char *const pools[] = { "/sys/devices/system/node/node0", "/sys/devices/system/node/node1",
                                             "/sys/kernel/mm" };
        struct machine *m = calloc(1, sizeof(*m));

        m->tree = tree_new();
        m->result = calloc(1, sizeof(*m->result));
        for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
                tree_pci(m->tree, &functions[i]);
        tree_pci_driver(m->tree, "vfio-pci");
        tree_file(m->tree, "/proc/cmdline", "root=UUID=1234 ro quiet\n");
        tree_file(m->tree, "/dev/kmsg", "");
        tree_dir(m->tree, "/run");
        for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
                char path[128];

                (void) str_format(path, sizeof(path), "%s/hugepages/hugepages-1048576kB/nr_hugepages", pools[i]);
                tree_file(m->tree, path, "0\n");
        }
        fake_kernel_start(m->tree);
        *state = m;
        return 0;
}

static int tear_down(void **state) {
        struct machine *m = *state;

        fake_kernel_stop();
        tree_free(m->tree);
        free(m->result);
        free(m->log);
        free(m);
        return 0;
}

static void read_log(struct machine *m) {
        free(m->log);
        assert_int_equal(root_read(tree_root(m->tree), "/dev/kmsg", 1 << 20, &m->log, NULL), 0);
}

static void wait_for_end(struct machine *m) {
        for (int i = 0; i < 200 && !strstr(m->log, "never came to an end"); i++) {
                (void) poll(NULL, 0, 50);
                read_log(m);
        }
}

static void run(struct machine *m, const char *conf) {
        if (conf)
                tree_file(m->tree, "/etc/passthru/early.conf", conf);
        early_run(tree_root(m->tree));
        assert_int_equal(early_result_load(tree_root(m->tree), m->result, NULL), 1);
        read_log(m);
}

static void want_device(const struct machine *m, const char *address, const char *override, const char *driver) {
        char text[64] = "none";

        assert_int_equal(root_read_attr(tree_root(m->tree), text, sizeof(text),
                                        "/sys/bus/pci/devices/%s/driver_override", address),
                         0);
        assert_string_equal(text, override);
        strcpy(text, "none");
        (void) root_link_name(tree_root(m->tree), text, sizeof(text), "/sys/bus/pci/devices/%s/driver", address);
        assert_string_equal(text, driver);
}

static void want_item(const struct machine *m, size_t i, enum early_state state, const char *message) {
        assert_true(m->result->n_items > i);
        if (m->result->items[i].state != state || !strstr(m->result->items[i].message, message))
                fail_msg("item %zu: %s: %s", i, early_state_name(m->result->items[i].state),
                         m->result->items[i].message);
}

#define DISK "[device 0000:01:00.0]\nid=1b36:0010\n"
#define CARD "[device 0000:03:00.0]\nid=8086:1533\n"
#define USB "[device 0000:04:00.0]\nid=1b36:000d\n"

static void reserves_one_of_two_twins(void **state) {
        struct machine *m = *state;

        run(m, DISK CARD);
        want_device(m, "0000:01:00.0", "vfio-pci", "vfio-pci");
        want_device(m, "0000:02:00.0", "(null)", "none");
        want_device(m, "0000:03:00.0", "vfio-pci", "vfio-pci");
        assert_int_equal(m->result->state, EARLY_DONE);
        assert_int_equal(m->result->n_items, 2);
        want_item(m, 0, EARLY_DONE, "");
        assert_non_null(
                strstr(m->log, "<6>passthru-early: driver_override is written: 0000:01:00.0 0000:03:00.0\n"));
        assert_non_null(strstr(m->log, "2 done, 0 left alone, 0 failed, 0 never came to an end"));
}

static void without_the_module_the_override_stays(void **state) {
        struct machine *m = *state;

        tree_remove(m->tree, "/sys/bus/pci/drivers/vfio-pci");
        run(m, DISK);
        want_device(m, "0000:01:00.0", "vfio-pci", "none");
        want_item(m, 0, EARLY_FAILED, "vfio-pci");
}

static void another_device_is_left_alone(void **state) {
        struct machine *m = *state;

        run(m, "[device 0000:01:00.0]\nid=10de:2206\n" CARD "subsystem=1458:4037\n");
        want_device(m, "0000:01:00.0", "(null)", "none");
        want_device(m, "0000:03:00.0", "(null)", "none");
        want_item(m, 0, EARLY_LEFT, "wanted 10de:2206, found 1b36:0010");
        want_item(m, 1, EARLY_LEFT, "no such device elsewhere");
        assert_non_null(strstr(m->log, "<4>passthru-early: device 0000:01:00.0: left alone: wanted 10de:2206"));
}

static void a_moved_device_is_found(void **state) {
        struct machine *m = *state;

        run(m, "[device 0000:02:00.0]\nid=8086:1533\n");
        want_device(m, "0000:02:00.0", "(null)", "none");
        want_device(m, "0000:03:00.0", "vfio-pci", "vfio-pci");
        want_item(m, 0, EARLY_DONE, "moved to 0000:03:00.0");
        assert_non_null(strstr(m->log, "moved to 0000:03:00.0"));
}

static void of_twins_none_is_guessed(void **state) {
        struct machine *m = *state;

        run(m, "[device 0000:09:00.0]\nid=1b36:0010\n");
        want_device(m, "0000:01:00.0", "(null)", "none");
        want_device(m, "0000:02:00.0", "(null)", "none");
        want_item(m, 0, EARLY_LEFT, "found nothing at this address, and several");
}

static void refusals(void **state) {
        struct machine *m = *state;

        tree_file(m->tree, "/proc/cmdline", "root=/dev/nfs ip=dhcp\n");
        run(m, "[device 0000:00:02.0]\nid=8086:3e92\n" CARD "[device 0000:00:1b.0]\nid=8086:0001\n"
               "[device 0000:02:00.0]\nid=1b36:0010\nforce=yes\n[image]\nkeep=0000:00:1c.0/00.0 /\n");
        want_item(m, 0, EARLY_LEFT, "the display that the firmware uses");
        want_item(m, 1, EARLY_LEFT, "the host boots over the network");
        want_item(m, 2, EARLY_LEFT, "is a bridge");
        want_item(m, 3, EARLY_LEFT, "boots from: /");
        for (size_t i = 0; i < 4; i++)
                want_device(m, m->result->items[i].name + strlen("device "), "(null)", "none");
}

static void force(void **state) {
        struct machine *m = *state;

        tree_file(m->tree, "/proc/cmdline", "ip=dhcp\n");
        run(m, "[device 0000:00:02.0]\nid=8086:3e92\nforce=yes\n" CARD "force=yes\n");
        want_device(m, "0000:00:02.0", "vfio-pci", "vfio-pci");
        want_device(m, "0000:03:00.0", "vfio-pci", "vfio-pci");
}

/* The driver of a USB controller is part of many kernels. A disk's may already be the root's. */
static void drivers_that_were_faster(void **state) {
        struct machine *m = *state;

        tree_pci_bind(m->tree, "0000:01:00.0", "nvme");
        run(m, USB DISK);
        want_device(m, "0000:04:00.0", "vfio-pci", "vfio-pci");
        want_device(m, "0000:01:00.0", "(null)", "nvme");
        want_item(m, 1, EARLY_LEFT, "driver nvme");
}

static void a_driver_that_hangs_does_not_stop_the_boot(void **state) {
        struct machine *m = *state;

        fake_kernel_fail("0000:04:00.0/driver/unbind", FAULT_HANG, 0, 1);
        run(m, CARD USB "[hugepages]\n1G=0:2\n");
        want_device(m, "0000:03:00.0", "vfio-pci", "vfio-pci");
        want_item(m, 1, EARLY_PENDING, "");
        assert_non_null(strstr(m->log, "the boot goes on; the rest"));
        /* /run belongs to the root file system now. */
        tree_rename(m->tree, "/run", "/sysroot");
        fake_kernel_release();
        wait_for_end(m);
        tree_rename(m->tree, "/sysroot", "/run");
        assert_int_equal(early_result_load(tree_root(m->tree), m->result, NULL), 1);
        want_item(m, 0, EARLY_DONE, "");
        want_item(m, 1, EARLY_DONE, "");
        want_item(m, 2, EARLY_DONE, "2 of 2 pages");
        want_device(m, "0000:04:00.0", "vfio-pci", "vfio-pci");
}

/* What starts the system moves /sys and /run while we wait. */
static void the_root_file_system_comes_first(void **state) {
        struct machine *m = *state;

        fake_kernel_fail("node0/hugepages", FAULT_HANG, 0, 1);
        run(m, CARD "[hugepages]\n1G=0:2\n");
        want_item(m, 1, EARLY_PENDING, "");
        tree_rename(m->tree, "/sys", "/sysroot");
        fake_kernel_release();
        wait_for_end(m);
        tree_rename(m->tree, "/sysroot", "/sys");
        assert_int_equal(early_result_load(tree_root(m->tree), m->result, NULL), 1);
        want_item(m, 0, EARLY_DONE, "");
        want_item(m, 1, EARLY_DONE, "2 of 2 pages");
}

static void errors_of_the_kernel(void **state) {
        struct machine *m = *state;

        fake_kernel_fail("0000:01:00.0/driver_override", FAULT_ERROR, EACCES, 1);
        run(m, DISK CARD);
        want_item(m, 0, EARLY_FAILED, "driver_override: Permission denied");
        want_device(m, "0000:03:00.0", "vfio-pci", "vfio-pci");
}

static void pages(void **state) {
        struct machine *m = *state;

        tree_file(m->tree, "/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages", "3\n");
        run(m, "[hugepages]\n1G=0:2,1:1,7:1\n2M=512\n");
        want_item(m, 0, EARLY_DONE, "2 of 2 pages");
        want_item(m, 1, EARLY_DONE, "3 of 1 pages"); /* somebody's: never taken away */
        want_item(m, 2, EARLY_FAILED, "no such node");
        want_item(m, 3, EARLY_FAILED, "no pages of this size");
        assert_string_equal(m->result->items[0].name, "hugepages 1G 0");
        assert_string_equal(m->result->items[3].name, "hugepages 2M");
        assert_non_null(strstr(m->log, "hugepages 1G 0: done: 2 of 2 pages"));
}

static void too_few_pages(void **state) {
        struct machine *m = *state;

        fake_kernel_fail("node0/hugepages", FAULT_IGNORE, 0, 1);
        run(m, "[hugepages]\n1G=0:2\n");
        want_item(m, 0, EARLY_FAILED, "0 of 2 pages");
}

static void off(void **state) {
        struct machine *m = *state;

        tree_file(m->tree, "/proc/cmdline", "root=UUID=1234 passthru=off\n");
        run(m, DISK USB "[hugepages]\n1G=0:2\n");
        assert_int_equal(m->result->state, EARLY_OFF);
        assert_int_equal(m->result->n_items, 0);
        want_device(m, "0000:01:00.0", "(null)", "none");
        want_device(m, "0000:04:00.0", "(null)", "xhci_hcd");
        assert_int_equal(fake_kernel_steps() > 0, 1); /* the result was written, so off is no accident */
}

static void broken_configuration(void **state) {
        struct machine *m = *state;

        run(m, DISK "[device 0000:03:00.0]\nid=80");
        assert_int_equal(m->result->state, EARLY_FAILED);
        assert_non_null(strstr(m->result->message, "/etc/passthru/early.conf:4: "));
        want_device(m, "0000:01:00.0", "(null)", "none");
        assert_non_null(strstr(m->log, "<4>passthru-early: nothing is done: "));
}

/* No /proc, /dev, /run or /sys: nowhere to say so, and no reason to stop. */
static void nothing_there(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct early_result *result = ((struct machine *) *state)->result;

        tree_file(t, "/etc/passthru/early.conf", DISK);
        early_run(tree_root(t));
        assert_int_equal(early_result_load(tree_root(t), result, NULL), 0);
}

/* At the cut after any byte the program ends, and what it reserves is what was listed. */
static void cut_anywhere(void **state) {
        static const char whole[] = DISK "[hugepages]\n1G=0:1\n" CARD;
        struct machine *m = *state;

        for (size_t n = 0; n <= strlen(whole); n++) {
                char cut[sizeof(whole)];

                (void) str_format(cut, sizeof(cut), "%.*s", (int) n, whole);
                run(m, cut);
                want_device(m, "0000:02:00.0", "(null)", "none");
                want_device(m, "0000:04:00.0", "(null)", "xhci_hcd");
        }
        want_device(m, "0000:03:00.0", "vfio-pci", "vfio-pci");
}

static void packs(void **state) {
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        struct machine *m = *state;
        struct err e = {};

        assert_int_equal(pack_prepare(tree_root(m->tree), early, &e), 0);
        tree_file(m->tree, "/etc/passthru/early.conf", "[device");
        assert_int_equal(pack_prepare(tree_root(m->tree), early, &e), -EINVAL);

        tree_file(m->tree, "/etc/passthru/early.conf",
                  DISK "[device 0000:09:00.0]\nid=8086:1533\n"
                       "[device 0000:0a:00.0]\nid=15b3:101e\ndriver=mlx5_vfio_pci\n");
        tree_file(m->tree, "/proc/1/mountinfo",
                  "21 1 259:2 / / rw - ext4 /dev/nvme1n1p2 rw\n"
                  "22 1 259:9 / /data rw - ext4 /dev/nvme0n1 rw\n");
        tree_file(m->tree, "/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/nvme/nvme1/nvme1n1/nvme1n1p2/uevent",
                  "MAJOR=259\nMINOR=2\nDEVNAME=nvme1n1p2\nDEVTYPE=partition\n");
        tree_file(m->tree, "/sys/devices/pci0000:00/0000:00:1b.0/0000:01:00.0/nvme/nvme0/nvme0n1/uevent",
                  "MAJOR=259\nMINOR=9\nDEVNAME=nvme0n1\nDEVTYPE=disk\n");
        assert_int_equal(pack_prepare(tree_root(m->tree), early, &e), 1);
        assert_string_equal(early->devices[0].path, "0000:00:1b.0/00.0");
        assert_string_equal(early->devices[1].path, "0000:00:1d.0/00.0");
        assert_string_equal(early->devices[2].path, "");
        assert_int_equal(early->n_keep, 1);
        assert_string_equal(early->keep[0].path, "0000:00:1c.0/00.0");
        assert_string_equal(early->keep[0].what, "/");
        tree_file(m->tree, "/sys/power/resume", "259:9\n");
        assert_int_equal(pack_prepare(tree_root(m->tree), early, &e), 1);
        assert_int_equal(early->n_keep, 2);
        assert_string_equal(early->keep[0].what, "resume");
        assert_string_equal(pack_module(early, 0), "vfio-pci");
        assert_string_equal(pack_module(early, 1), "mlx5_vfio_pci");
        assert_null(pack_module(early, 2));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(reserves_one_of_two_twins),
                TEST(without_the_module_the_override_stays),
                TEST(another_device_is_left_alone),
                TEST(a_moved_device_is_found),
                TEST(of_twins_none_is_guessed),
                TEST(refusals),
                TEST(force),
                TEST(drivers_that_were_faster),
                TEST(a_driver_that_hangs_does_not_stop_the_boot),
                TEST(the_root_file_system_comes_first),
                TEST(errors_of_the_kernel),
                TEST(pages),
                TEST(too_few_pages),
                TEST(off),
                TEST(broken_configuration),
                TEST(nothing_there),
                TEST(cut_anywhere),
                TEST(packs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
