/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "model/pci-device.h"

static void test_driver_is_vfio(void **state) {
        static const char *const yes[] = { "vfio-pci", "vfio_pci", "mlx5_vfio_pci", "mlx5-vfio-pci",
                                           "nvgrace_gpu_vfio_pci" };
        static const char *const no[] = { "",          "vfio",        "vfio-",     "vfio-pc",       "pci",
                                          "vfio-pci2", "vfio-pci ",   "xvfio-pci", "mlx5vfio_pci",  "vfio pci",
                                          "vfio/pci",  "vfio-pci-ok", "VFIO-PCI",  "vfio_platform", "nvidia",
                                          "pci-stub",  "vfiopci" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
                assert_true(driver_is_vfio(yes[i]));
        for (size_t i = 0; i < ARRAY_SIZE(no); i++)
                assert_false(driver_is_vfio(no[i]));
}

static void test_driver_name(void **state) {
        static const char *const good[] = { "nvme", "vfio-pci", "snd_hda_intel", "a", "8139too", "x.y+z", "..." };
        static const char *const bad[] = { "", ".", "..", "../../etc", "a/b", " a", "a ", "a\n", "caf\xc3\xa9", "a:b", "(null)" };
        char longest[DRIVER_NAME_MAX + 1];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(driver_name_is_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(driver_name_is_valid(bad[i]));

        memset(longest, 'a', sizeof(longest));
        longest[DRIVER_NAME_MAX - 1] = '\0';
        assert_true(driver_name_is_valid(longest));
        longest[DRIVER_NAME_MAX - 1] = 'a';
        longest[DRIVER_NAME_MAX] = '\0';
        assert_false(driver_name_is_valid(longest));
}

static void test_id(void **state) {
        static const struct {
                const char *text;
                struct pci_id id;
                const char *formatted;
        } good[] = {
                { "10de:2206", { 0x10de, 0x2206 }, "10de:2206" },
                { "10DE:22fF", { 0x10de, 0x22ff }, "10de:22ff" },
                { "0000:ffff", { 0, 0xffff }, "0000:ffff" },
        };
        static const char *const bad[] = { "",          "10de",      "10de:",     "10de:220",    "10de:22066", "10de-2206",
                                           "0x10:2206", "10de:0x22", " 0de:2206", "10de:2206\n", "10dg:2206",  ":10de2206",
                                           "10de2206:", "-0de:2206" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                struct pci_id id = {};
                char text[PCI_ID_TEXT_MAX];

                assert_int_equal(pci_id_parse(good[i].text, &id), 0);
                assert_true(pci_id_equal(&id, &good[i].id));
                assert_string_equal(pci_id_format(&id, text), good[i].formatted);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct pci_id id = { 1, 2 };

                assert_int_equal(pci_id_parse(bad[i], &id), -EINVAL);
                assert_true(pci_id_equal(&id, &(struct pci_id) { 1, 2 }));
        }
        assert_false(pci_id_equal(&(struct pci_id) { 1, 2 }, &(struct pci_id) { 1, 3 }));
        assert_false(pci_id_equal(&(struct pci_id) { 1, 2 }, &(struct pci_id) { 3, 2 }));
}

/* Every device of lists of every length, and the addresses between them. */
static void test_find(void **state) {
        struct pci_devices devices = {};

        (void) state;
        assert_null(pci_devices_find(&devices, &(struct bdf) {}));
        for (size_t n = 1; n <= 9; n++) {
                devices = (struct pci_devices) { calloc(n, sizeof(*devices.list)), n };
                assert_non_null(devices.list);
                for (size_t i = 0; i < n; i++)
                        devices.list[i].address.bus = (uint8_t) (2 * i + 1);
                for (unsigned bus = 0; bus <= 2 * n; bus++)
                        assert_ptr_equal(pci_devices_find(&devices, &(struct bdf) { .bus = (uint8_t) bus }),
                                         bus % 2 ? &devices.list[bus / 2] : NULL);
                assert_null(pci_devices_find(&devices, &(struct bdf) { .bus = 1, .function = 1 }));
                pci_devices_done(&devices);
                assert_null(devices.list);
                assert_int_equal(devices.n, 0);
        }
}

static void test_display(void **state) {
        static const struct {
                uint32_t class_code;
                bool display;
        } cases[] = { { 0x030000, true },  { 0x030200, true },  { 0x038000, true }, { 0x040300, false },
                      { 0x020000, false }, { 0x000003, false }, { 0x010300, false } };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pci_device d = { .class_code = cases[i].class_code };

                assert_int_equal(pci_device_is_display(&d), cases[i].display);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_driver_is_vfio), cmocka_unit_test(test_driver_name), cmocka_unit_test(test_id),
                cmocka_unit_test(test_find),           cmocka_unit_test(test_display),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
