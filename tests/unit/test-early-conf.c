/* SPDX-License-Identifier: GPL-2.0-or-later */

/* early.conf: what it may say, and that what is packed is read as the same. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "config/early-conf.h"
#include "config/early-result.h"
#include "fake/tree.h"

static int parse(const char *text, struct early *ret, struct err *e) {
        return early_conf_parse("/etc/passthru/early.conf", text, strlen(text), ret, e);
}

#define DEVICE "[device 0000:01:00.0]\nid=10de:2206\n"

static void takes(void **state) {
        struct early early = {};
        struct err e = {};

        (void) state;
        assert_int_equal(parse("# nothing\n", &early, &e), 0);
        assert_true(early_is_empty(&early));
        assert_int_equal(parse(DEVICE
                               "subsystem=1458:4037\nforce=yes\nidle=host\n"
                               "[device 02:00.1]\nid=1b36:0010\ndriver=mlx5_vfio_pci\npath=0000:00:1c.4/00.1\n"
                               "[hugepages]\n1G=0:2,1:3\n2M=512\n"
                               "[image]\nkeep=0000:00:1d.0/00.0 /\nkeep=0000:00:1f.2 swap\n",
                               &early, &e),
                         0);
        assert_int_equal(early.n_devices, 2);
        assert_int_equal(early.devices[0].device.id.device, 0x2206);
        assert_true(early.devices[0].device.has_subsystem && early.devices[0].force && early.devices[0].idle_host);
        assert_string_equal(early_driver(&early.devices[0]), "vfio-pci");
        assert_string_equal(early_driver(&early.devices[1]), "mlx5_vfio_pci");
        assert_string_equal(early.devices[1].path, "0000:00:1c.4/00.1");
        assert_false(early.devices[1].force || early.devices[1].idle_host ||
                     early.devices[1].device.has_subsystem);
        assert_int_equal(early.n_pools, 3);
        assert_int_equal(early.pools[1].page_kib, 1 << 20);
        assert_int_equal(early.pools[1].node, 1);
        assert_int_equal(early.pools[1].pages, 3);
        assert_int_equal(early.pools[2].page_kib, 2048);
        assert_int_equal(early.pools[2].node, EARLY_NODE_ANY);
        assert_int_equal(early.n_keep, 2);
        assert_string_equal(early.keep[1].path, "0000:00:1f.2");
        assert_string_equal(early.keep[1].what, "swap");
}

static void later_pools_replace(void **state) {
        struct early early = {};

        (void) state;
        assert_int_equal(parse("[hugepages]\n1G=0:2,1:2\n2M=4\n1G=8\n", &early, NULL), 0);
        assert_int_equal(early.n_pools, 2);
        assert_int_equal(early.pools[0].pages, 4);
        assert_int_equal(early.pools[1].node, EARLY_NODE_ANY);
        assert_int_equal(early.pools[1].pages, 8);
}

static void refuses(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { "[device 01:00]\n", "wanted [device ADDRESS]" },
                { "[device 0000:01:00.0]\n", "wanted id=" },
                { "[device 0000:01:00.0]\nsubsystem=1458:4037\n", "wanted id=" },
                { "[device 0000:01:00.0]\nid=10de:22", "wanted VVVV:DDDD" }, /* cut off */
                { "[device 0000:01:00.0]\nid", "wanted key=value" },
                { "[device 0000:0", "wanted [section]" },
                { DEVICE "force=maybe\n", "wanted yes or no" },
                { DEVICE "idle=native\n", "wanted vfio or host" },
                { DEVICE "driver=nvidia\n", "wanted vfio-pci" },
                { DEVICE "path=1c.4\n", "wanted a path" },
                { DEVICE "path=0000:00:1c.4/00.8\n", "wanted a path" },
                { DEVICE "ids=10de:2206\n", "unknown setting" },
                { "[hugepages]\n1T=1\n", "size of a page" },
                { "[hugepages]\n3M=1\n", "size of a page" },
                { "[hugepages]\nM=1\n", "size of a page" },
                { "[hugepages]\n2M=\n", "number of pages" },
                { "[hugepages]\n2M=0\n", "number of pages" },
                { "[hugepages]\n2M=4,4\n", "number of pages" },
                { "[hugepages]\n2M=0:4,\n", "number of pages" },
                { "[hugepages]\n2M=:4\n", "number of pages" },
                { "[hugepages]\n2M=1024:4\n", "number of pages" },
                { "[hugepages]\n2M=-1:4\n", "number of pages" },
                { "[image]\nkeep=/\n", "wanted PATH WHAT" },
                { "[image]\nkeep=0000:00:1d.0 \n", "wanted PATH WHAT" },
                { "[image]\nkeep=sda /\n", "wanted PATH WHAT" },
                { "[image]\nroot=/\n", "unknown setting" },
                { "[devices]\n", "wanted the section" },
                { "id=10de:2206\n", "wanted the section" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct early early = { .n_devices = 77 };
                struct err e = {};

                if (parse(cases[i].text, &early, &e) != -EINVAL || !strstr(e.message, cases[i].message))
                        fail_msg("'%s': %s", cases[i].text, e.message);
                assert_int_equal(early.n_devices, 77);
        }
}

static void limits(void **state) {
        char text[EARLY_DEVICES_MAX * 48 + 96] = "";
        struct early early;
        struct err e = {};

        (void) state;
        for (int i = 0; i < EARLY_DEVICES_MAX; i++)
                sprintf(text + strlen(text), "[device 0000:%02x:00.0]\nid=10de:2206\n", i);
        assert_int_equal(parse(text, &early, &e), 0);
        assert_int_equal(early.n_devices, EARLY_DEVICES_MAX);
        strcat(text, "[device 0000:ff:00.0]\nid=10de:2206\n");
        assert_int_equal(parse(text, &early, &e), -EINVAL);
        assert_non_null(strstr(e.message, "at most"));
}

static void is_packed_as_the_same(void **state) {
        static const char text[] =
                "[device 0000:01:00.0]\nid=10de:2206\nsubsystem=1458:4037\ndriver=vfio-pci\nforce=yes\n"
                "idle=host\npath=0000:00:1c.4/00.0\n[hugepages]\n1G=0:2,1:3\n2M=512\n64K=1:1\n"
                "[image]\nkeep=0000:00:1d.0/00.0 /boot/efi\n";
        _cleanup_free_ char *packed = NULL;
        struct early early;

        (void) state;
        assert_int_equal(parse(text, &early, NULL), 0);
        packed = early_conf_format(&early);
        assert_string_equal(packed, text);
}

static void drop_ins(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct early early = {};

        (void) state;
        assert_int_equal(early_conf_load(tree_root(t), &early, NULL), 0);
        assert_true(early_is_empty(&early));
        tree_file(t, "/usr/lib/passthru/early.conf", "[device 0000:02:00.0]\nid=8086:1533\n");
        tree_file(t, "/etc/passthru/early.conf.d/10-more.conf", DEVICE);
        assert_int_equal(early_conf_load(tree_root(t), &early, NULL), 0);
        assert_int_equal(early.n_devices, 2);
        tree_file(t, "/etc/passthru/early.conf", "");
        assert_int_equal(early_conf_load(tree_root(t), &early, NULL), 0);
        assert_int_equal(early.n_devices, 1);
        tree_file(t, "/etc/passthru/early.conf.d/20-broken.conf", "[device");
        assert_int_equal(early_conf_load(tree_root(t), &early, NULL), -EINVAL);
        assert_int_equal(early.n_devices, 1);
}

static void result_is_read_back(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct early_result result = { .state = EARLY_DONE, .msec = 12 }, back = { .n_items = 77 };
        struct early_item *item;
        struct err e = {};

        (void) state;
        tree_dir(t, "/run");
        assert_int_equal(early_result_load(tree_root(t), &back, &e), 0);
        assert_int_equal(back.n_items, 77);
        assert_non_null(early_result_add(&result, "device 0000:01:00.0", EARLY_DONE));
        item = early_result_add(&result, "hugepages 1G 0", EARLY_FAILED);
        strcpy(item->message, "1 of 2 pages ; look\nthere");
        assert_int_equal(early_result_save(tree_root(t), EARLY_RESULT_DIRECTORY, &result), 0);
        assert_int_equal(early_result_load(tree_root(t), &back, &e), 1);
        assert_int_equal(back.n_items, 2);
        assert_int_equal(back.msec, 12);
        assert_int_equal(back.state, EARLY_DONE);
        assert_string_equal(back.items[0].name, "device 0000:01:00.0");
        assert_int_equal(back.items[0].state, EARLY_DONE);
        assert_string_equal(back.items[0].message, "");
        assert_int_equal(back.items[1].state, EARLY_FAILED);
        assert_string_equal(back.items[1].message, "1 of 2 pages , look?there");

        result = (struct early_result){ .state = EARLY_OFF };
        assert_int_equal(early_result_save(tree_root(t), EARLY_RESULT_DIRECTORY, &result), 0);
        assert_int_equal(early_result_load(tree_root(t), &back, &e), 1);
        assert_int_equal(back.state, EARLY_OFF);
        assert_int_equal(back.n_items, 0);
}

static void result_that_is_damaged(void **state) {
        static const char *const texts[] = { "[early]\nstate=perhaps\n", "[early]\ntook-ms=-1\n",
                                             "[early]\nsince=1\n", "[ear" };
        _cleanup_tree_ struct tree *t = tree_new();
        struct early_result back = { .n_items = 77 };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct err e = {};

                tree_file(t, "/run/passthru/early", texts[i]);
                assert_int_equal(early_result_load(tree_root(t), &back, &e), -EINVAL);
                assert_non_null(strstr(e.message, "/run/passthru/early"));
                assert_int_equal(back.n_items, 77);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes),
                cmocka_unit_test(later_pools_replace),
                cmocka_unit_test(refuses),
                cmocka_unit_test(limits),
                cmocka_unit_test(drop_ins),
                cmocka_unit_test(is_packed_as_the_same),
                cmocka_unit_test(result_is_read_back),
                cmocka_unit_test(result_that_is_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
