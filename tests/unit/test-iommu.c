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
#include "sys/iommu.h"

static void test_count(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        assert_int_equal(iommu_group_count(tree_root(t)), 0);
        tree_dir(t, "/sys/kernel/iommu_groups");
        assert_int_equal(iommu_group_count(tree_root(t)), 0);
        tree_dir(t, "/sys/kernel/iommu_groups/0");
        tree_dir(t, "/sys/kernel/iommu_groups/17");
        assert_int_equal(iommu_group_count(tree_root(t)), 2);
}

static void test_devices(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_pci_devices_ struct pci_devices devices = {};
        struct pci_devices untouched = { .n = 77 };
        struct err e = {};

        (void) state;
        tree_pci(t, &(struct tree_pci) { "0000:0a:00.0", .class_code = 0x030000, .group = 5 });
        tree_pci(t, &(struct tree_pci) { "0000:02:00.0", .class_code = 0x010802, .group = 5, .driver = "nvme" });
        tree_pci(t, &(struct tree_pci) { "0000:03:00.0", .class_code = 0x010802, .group = 6 });
        tree_dir(t, "/sys/kernel/iommu_groups/5/devices/INT0800:00");

        assert_int_equal(iommu_group_devices(tree_root(t), 5, &devices, &e), 0);
        assert_int_equal(devices.n, 2);
        assert_int_equal(devices.list[0].address.bus, 0x02);
        assert_string_equal(devices.list[0].driver, "nvme");
        assert_int_equal(devices.list[1].address.bus, 0x0a);

        assert_int_equal(iommu_group_devices(tree_root(t), 7, &untouched, &e), -ENOENT);
        assert_string_equal(e.id, ERR_NOT_FOUND);
        assert_int_equal(iommu_group_devices(tree_root(t), -1, &untouched, &e), -ENOENT);
        tree_remove(t, "/sys/bus/pci/devices/0000:03:00.0");
        assert_int_equal(iommu_group_devices(tree_root(t), 6, &untouched, &e), -ENODEV);
        assert_int_equal(untouched.n, 77);
}

static void test_viable(void **state) {
        static const struct {
                uint32_t class_code;
                int group;
                const char *driver;
                bool viable;
        } cases[] = {
                { 0x030000, 3, "vfio-pci", true },
                { 0x020000, 3, "mlx5_vfio_pci", true },
                { 0x030000, 3, "pci-stub", true },
                { 0x030000, 3, "", true },
                { 0x030000, 3, "nvidia", false },
                { 0x030000, 4, "nvidia", true },       /* another group */
                { 0x060400, 3, "pcieport", true },     /* PCI-to-PCI bridge */
                { 0x060700, 3, "yenta_cardbus", true },
                { 0x060100, 3, "lpc_ich", false },     /* ISA bridge: an endpoint for the kernel */
                { 0x060100, 3, "", true },
                { 0x060000, 3, "agpgart-intel", false },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pci_device list[] = {
                        { .group = 3, .driver = "vfio-pci", .class_code = 0x040300 },
                        { .group = cases[i].group, .class_code = cases[i].class_code,
                          .bridge = cases[i].class_code >> 16 == 6 },
                };
                struct pci_devices devices = { list, ARRAY_SIZE(list) };
                const struct pci_device *blocker = NULL;

                assert_int_equal(str_copy(list[1].driver, sizeof(list[1].driver), cases[i].driver), 0);
                assert_int_equal(iommu_group_is_viable(&devices, 3, &blocker), cases[i].viable);
                assert_ptr_equal(blocker, cases[i].viable ? NULL : &list[1]);
                assert_int_equal(iommu_group_is_viable(&devices, 3, NULL), cases[i].viable);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_count),
                cmocka_unit_test(test_devices),
                cmocka_unit_test(test_viable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
