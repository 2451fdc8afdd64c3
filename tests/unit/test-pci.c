/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "fake/tree.h"
#include "sys/pci.h"

static const struct tree_pci functions[] = {
        { "0000:00:00.0", NULL, 0x8086, 0x3e30, 0x1043, 0x8694, 0x060000, 0x0a, 0, NULL, NULL, false },
        { "0000:00:01.0", NULL, 0x8086, 0x1901, 0, 0, 0x060400, 0x0a, 1, "pcieport", NULL, false },
        { "0000:01:00.0", "0000:00:01.0", 0x10de, 0x2206, 0x1462, 0x3892, 0x030000, 0xa1, 1, "nvidia", NULL,
          true },
        { "0000:01:00.1", "0000:00:01.0", 0x10de, 0x1aef, 0x1462, 0x3892, 0x040300, 0xa1, 1, NULL, "vfio-pci",
          false },
        { "0000:00:02.0", NULL, 0x8086, 0x3e98, 0x1043, 0x8694, 0x030000, 0, 2, "i915", NULL, false },
        { "10000:e0:06.0", NULL, 0x8086, 0xa77f, 0, 0, 0x010802, 0, -1, "nvme", NULL, false },
};

static struct tree *fixture(void) {
        struct tree *t = tree_new();

        for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
                tree_pci(t, &functions[i]);
        return t;
}

static struct bdf bdf(const char *s) {
        struct bdf a;

        assert_int_equal(bdf_parse(s, &a), 0);
        return a;
}

static void assert_is(const struct pci_device *d, const struct tree_pci *f) {
        char text[BDF_TEXT_MAX];

        assert_string_equal(bdf_format(&d->address, text), f->address);
        assert_int_equal(d->id.vendor, f->vendor);
        assert_int_equal(d->id.device, f->device);
        assert_int_equal(d->subsystem.vendor, f->subsystem_vendor);
        assert_int_equal(d->subsystem.device, f->subsystem_device);
        assert_int_equal(d->class_code, f->class_code);
        assert_int_equal(d->revision, f->revision);
        assert_int_equal(d->group, f->group);
        assert_int_equal(d->boot_vga, f->boot_vga);
        assert_int_equal(d->bridge, f->class_code >> 16 == 6);
        assert_string_equal(d->driver, f->driver ? f->driver : "");
        assert_int_equal(d->has_parent, f->parent != NULL);
        if (f->parent)
                assert_string_equal(bdf_format(&d->parent, text), f->parent);
}

static void test_list(void **state) {
        _cleanup_tree_ struct tree *t = fixture();
        _cleanup_pci_devices_ struct pci_devices devices = {};
        struct err e = {};

        (void) state;
        assert_int_equal(host_pci_devices(tree_root(t), &devices, &e), 0);
        assert_int_equal(devices.n, ARRAY_SIZE(functions));
        for (size_t i = 0; i < devices.n; i++) {
                struct bdf a = bdf(functions[i].address);
                const struct pci_device *d = pci_devices_find(&devices, &a);

                assert_non_null(d);
                assert_is(d, &functions[i]);
                assert_true(i == 0 || bdf_compare(&devices.list[i - 1].address, &devices.list[i].address) < 0);
        }
}

/* Both ways of reading must say the same. */
static void test_one(void **state) {
        _cleanup_tree_ struct tree *t = fixture();

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
                struct bdf a = bdf(functions[i].address);
                struct pci_id id, subsystem;
                struct pci_device d;
                struct err e = {};

                assert_int_equal(host_pci_device(tree_root(t), &a, &d, &e), 0);
                assert_is(&d, &functions[i]);
                assert_int_equal(host_pci_ids(tree_root(t), &a, &id, &subsystem, &e), 0);
                assert_true(pci_id_equal(&id, &d.id));
                assert_true(pci_id_equal(&subsystem, &d.subsystem));
        }
}

static void test_one_missing(void **state) {
        _cleanup_tree_ struct tree *t = fixture();
        struct bdf a = bdf("0000:02:00.0");
        struct pci_device d = { .group = 77 };
        struct pci_id id = { 7, 7 }, subsystem = { 7, 7 };
        struct err e = {};

        (void) state;
        assert_int_equal(host_pci_ids(tree_root(t), &a, &id, &subsystem, NULL), -ENODEV);
        assert_int_equal(id.vendor, 7);
        assert_int_equal(subsystem.vendor, 7);
        assert_int_equal(host_pci_device(tree_root(t), &a, &d, &e), -ENODEV);
        assert_int_equal(e.code, -ENODEV);
        assert_string_equal(e.id, ERR_NOT_FOUND);
        assert_string_equal(e.subject, "0000:02:00.0");
        assert_int_equal(d.group, 77);
}

static void test_unreadable(void **state) {
        static const char *const attributes[] = { "vendor", "device", "class" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
                _cleanup_tree_ struct tree *t = fixture();
                struct pci_devices devices = { .n = 77 };
                struct err e = {};
                char path[256];

                assert_int_equal(str_format(path, sizeof(path), "%s/%s", tree_pci_path(t, "0000:01:00.0"),
                                            attributes[i]), 0);
                tree_remove(t, path);
                assert_int_equal(host_pci_devices(tree_root(t), &devices, &e), -EIO);
                assert_string_equal(e.subject, "0000:01:00.0");
                assert_non_null(strstr(e.message, attributes[i]));
                assert_int_equal(devices.n, 77);
        }
}

static void test_bad_modalias(void **state) {
        static const char *const bad[] = {
                "", "pci:", "usb:v1D6Bp0002d0510dc09dsc00dp01ic09isc00ip00in00",
                "pci:v000010DEd00002206sv00001462sd00003892bc03sc00",
                "pci:v000010DEd00002206sv00001462sd00003892bc03sc00i00x",
                "pci:v000110DEd00002206sv00001462sd00003892bc03sc00i00",
                "pci:v000010DEd00002206sv00001462sdFFFFFFFFbc03sc00i00",
        };
        _cleanup_tree_ struct tree *t = fixture();
        struct bdf a = bdf("0000:01:00.0");
        char path[256];

        (void) state;
        assert_int_equal(str_format(path, sizeof(path), "%s/modalias", tree_pci_path(t, "0000:01:00.0")), 0);
        for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
                struct pci_device d = { .group = 77 };
                struct pci_id id = { 7, 7 };
                struct err e = {};

                if (i < ARRAY_SIZE(bad))
                        tree_file(t, path, bad[i]);
                else
                        tree_remove(t, path);
                assert_int_equal(host_pci_device(tree_root(t), &a, &d, &e), -EIO);
                assert_string_equal(e.subject, "0000:01:00.0");
                assert_non_null(strstr(e.message, "modalias"));
                assert_int_equal(d.group, 77);
                assert_int_equal(host_pci_ids(tree_root(t), &a, &id, &id, NULL), -EIO);
                assert_int_equal(id.vendor, 7);
        }
}

/* Captured machines may lack what old kernels or small captures do not have. */
static void test_sparse(void **state) {
        static const char *const attributes[] = { "subsystem_vendor", "subsystem_device", "revision", "boot_vga",
                                                  "driver_override", "driver", "iommu_group" };
        _cleanup_tree_ struct tree *t = fixture();
        _cleanup_pci_devices_ struct pci_devices devices = {};
        struct bdf a = bdf("0000:01:00.0");
        const struct pci_device *d;
        struct err e = {};
        char path[256];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
                assert_int_equal(str_format(path, sizeof(path), "%s/%s", tree_pci_path(t, "0000:01:00.0"),
                                            attributes[i]), 0);
                tree_remove(t, path);
        }
        assert_int_equal(host_pci_devices(tree_root(t), &devices, &e), 0);
        d = pci_devices_find(&devices, &a);
        assert_non_null(d);
        assert_int_equal(d->id.device, 0x2206);
        assert_int_equal(d->group, -1);
        assert_false(d->boot_vga);
        assert_string_equal(d->driver, "");
        assert_true(d->has_parent);
}

static void test_no_pci(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct pci_devices devices = { .n = 77 };
        struct err e = {};

        (void) state;
        assert_int_equal(host_pci_devices(tree_root(t), &devices, &e), 0);
        assert_int_equal(devices.n, 0);
        assert_null(devices.list);
}

/* A read of config wakes a suspended GPU. Here it would wait for ever, and the alarm ends the test. */
static void test_config_is_not_read(void **state) {
        _cleanup_tree_ struct tree *t = fixture();
        _cleanup_pci_devices_ struct pci_devices devices = {};
        struct bdf a = bdf("0000:01:00.0");
        struct pci_device d;
        struct err e = {};

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
                _cleanup_free_ char *path = NULL;
                char config[256];

                assert_int_equal(str_format(config, sizeof(config), "%s/config",
                                            tree_pci_path(t, functions[i].address)), 0);
                tree_remove(t, config);
                path = root_join(tree_root(t), config);
                assert_int_equal(mkfifo(path, 0600), 0);
        }
        alarm(10);
        assert_int_equal(host_pci_devices(tree_root(t), &devices, &e), 0);
        assert_int_equal(host_pci_device(tree_root(t), &a, &d, &e), 0);
        alarm(0);
}

static void test_names(void **state) {
        static const struct {
                uint32_t class_code;
                struct pci_id id;
                const char *class_name, *class_number, *device_name, *device_number;
        } cases[] = {
                { 0x030000, { 0x8086, 0x1237 }, "VGA compatible controller", "Class 0300",
                  "Intel Corporation 440FX", "Device 8086:1237" },
                { 0xfe1200, { 0xfff7, 0xfff7 }, "Class fe12", "Class fe12", "Device fff7:fff7",
                  "Device fff7:fff7" },
        };
        _cleanup_pci_names_ struct pci_names *names = NULL;

        (void) state;
        assert_int_equal(pci_names_new(&names), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pci_device d = { .class_code = cases[i].class_code, .id = cases[i].id };
                char buf[128];

                /* Machines without pci.ids get numbers. */
                assert_ptr_equal(pci_names_class(names, &d, buf, sizeof(buf)), buf);
                assert_true(str_eq(buf, cases[i].class_name) || str_eq(buf, cases[i].class_number));
                assert_ptr_equal(pci_names_device(names, &d, buf, sizeof(buf)), buf);
                assert_true(str_starts(buf, cases[i].device_name) || str_eq(buf, cases[i].device_number));
        }
}

static void test_names_small_buffer(void **state) {
        _cleanup_pci_names_ struct pci_names *names = NULL;
        struct pci_device d = { .class_code = 0x030000 };
        char buf[9];

        (void) state;
        assert_int_equal(pci_names_new(&names), 0);
        for (size_t size = 1; size <= sizeof(buf); size++) {
                memset(buf, 'x', sizeof(buf));
                assert_ptr_equal(pci_names_class(names, &d, buf, size), buf);
                assert_true(strnlen(buf, size) < size);
                assert_true(size == sizeof(buf) || buf[size] == 'x');
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_one_missing),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_bad_modalias),
                cmocka_unit_test(test_sparse),
                cmocka_unit_test(test_no_pci),
                cmocka_unit_test(test_config_is_not_read),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_names_small_buffer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
