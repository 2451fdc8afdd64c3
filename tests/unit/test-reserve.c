/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which device is meant, and which the host must keep. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/reserve.h"

#define BUS(b)                                                                                                    \
        { .bus = b }
#define PORT(s)                                                                                                   \
        { .address = { .slot = s }, .class_code = 0x060400, .bridge = true }
#define BEHIND(s) .has_parent = true, .parent = { .slot = s }
#define NVME(b, s)                                                                                                \
        { .address = BUS(b), BEHIND(s), .id = { 0x1b36, 0x10 }, .class_code = 0x010802 }

/* Three root ports: two identical disks and a card of another vendor. */
static struct pci_device list[] = {
        PORT(0x1c),
        PORT(0x1d),
        PORT(0x1e),
        NVME(1, 0x1c),
        NVME(2, 0x1d),
        { .address = BUS(3),
          BEHIND(0x1e),
          .id = { 0x8086, 0x1533 },
          .subsystem = { 0x8086, 1 },
          .class_code = 0x020000 },
};
static const struct pci_devices host = { list, ARRAY_SIZE(list) };

static struct early wanting(uint8_t bus, uint16_t vendor, uint16_t device, const char *path) {
        struct early early = { .n_devices = 1 };

        early.devices[0].device =
                (struct request_device){ .address = BUS(bus), .has_id = true, .id = { vendor, device } };
        strcpy(early.devices[0].path, path);
        return early;
}

static void finds(void **state) {
        static const struct {
                uint8_t bus;
                uint16_t vendor, device;
                const char *path;
                enum early_match match;
                int at; /* bus; -1: nothing there */
        } cases[] = {
                { 1, 0x1b36, 0x10, "", EARLY_AT_ADDRESS, 1 },
                { 2, 0x1b36, 0x10, "", EARLY_AT_ADDRESS, 2 },
                { 3, 0x1b36, 0x10, "", EARLY_AMBIGUOUS, 3 },
                { 9, 0x1b36, 0x10, "", EARLY_AMBIGUOUS, -1 },
                { 1, 0x8086, 0x1533, "", EARLY_MOVED, 3 },
                { 9, 0x8086, 0x1533, "", EARLY_MOVED, 3 },
                { 1, 0x10de, 0x2206, "", EARLY_ABSENT, 1 },
                { 9, 0x10de, 0x2206, "", EARLY_ABSENT, -1 },
                /* Of two identical ones, buses moved: the path tells. */
                { 1, 0x1b36, 0x10, "0000:00:1c.0/00.0", EARLY_AT_ADDRESS, 1 },
                { 1, 0x1b36, 0x10, "0000:00:1d.0/00.0", EARLY_MOVED, 2 },
                { 9, 0x1b36, 0x10, "0000:00:1d.0/00.0", EARLY_MOVED, 2 },
                { 1, 0x1b36, 0x10, "0000:00:1f.0/00.0", EARLY_AMBIGUOUS, 1 },
                { 3, 0x8086, 0x1533, "0000:00:1f.0/00.0", EARLY_AT_ADDRESS, 3 },
                { 1, 0x8086, 0x1533, "0000:00:1c.0/00.0", EARLY_MOVED, 3 },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct early early = wanting(cases[i].bus, cases[i].vendor, cases[i].device, cases[i].path);
                const struct pci_device *d = &list[0];

                if (early_find(&early, &early.devices[0], &host, &d) != cases[i].match ||
                    (d ? d->address.bus : -1) != cases[i].at)
                        fail_msg("case %zu: bus %d", i, d ? d->address.bus : -1);
        }
}

static void subsystem_counts(void **state) {
        struct early early = wanting(3, 0x8086, 0x1533, "");
        const struct pci_device *d;

        (void) state;
        early.devices[0].device.has_subsystem = true;
        early.devices[0].device.subsystem = (struct pci_id){ 0x8086, 2 };
        assert_int_equal(early_find(&early, &early.devices[0], &host, &d), EARLY_ABSENT);
        early.devices[0].device.subsystem.device = 1;
        assert_int_equal(early_find(&early, &early.devices[0], &host, &d), EARLY_AT_ADDRESS);
}

/* Both of two are reserved, and one address is old: it is the one that no other entry names. */
static void others_are_not_taken(void **state) {
        struct early early = wanting(1, 0x1b36, 0x10, "");
        const struct pci_device *d;

        (void) state;
        early.devices[early.n_devices++].device =
                (struct request_device){ .address = BUS(9), .has_id = true, .id = { 0x1b36, 0x10 } };
        assert_int_equal(early_find(&early, &early.devices[1], &host, &d), EARLY_MOVED);
        assert_int_equal(d->address.bus, 2);
}

static void paths(void **state) {
        struct pci_device loop[] = { { .address = BUS(1), .has_parent = true, .parent = BUS(1) } };
        const struct pci_devices looping = { loop, 1 };
        char path[PCI_PATH_MAX] = "untouched";

        (void) state;
        assert_int_equal(pci_path_format(&looping, loop, path), -ENAMETOOLONG);
        loop[0].parent.bus = 7;
        assert_int_equal(pci_path_format(&looping, loop, path), -ENODEV);
        assert_string_equal(path, "untouched");
        assert_int_equal(pci_path_format(&host, &list[3], path), 0);
        assert_string_equal(path, "0000:00:1c.0/00.0");
        assert_true(pci_path_is_valid(path));
        assert_int_equal(pci_path_format(&host, &list[0], path), 0);
        assert_string_equal(path, "0000:00:1c.0");
        assert_true(pci_path_is_valid(path));
        assert_false(pci_path_is_valid(""));
        assert_false(pci_path_is_valid("/00.0"));
        assert_false(pci_path_is_valid("0000:00:1c.0/"));
        assert_false(pci_path_is_valid("0000:00:1c.0/0.0"));
        assert_false(pci_path_is_valid("0000:00:1c.0/00.0/"));
        assert_false(pci_path_is_valid("0000:00:1c.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0"));
}

static void network_roots(void **state) {
        static const struct {
                const char *line;
                bool network;
        } cases[] = {
                { "", false },
                { "root=/dev/nvme0n1p2 ro quiet", false },
                { "root=UUID=1234 ipv6.disable=1 ip_conntrack=1", false },
                { "ip=off", false },
                { "ip=none", false },
                { "ip=dhcp", true },
                { "\"ip=dhcp\"", true },
                { "root=/dev/nfs nfsroot=10.0.0.1:/srv", true },
                { "root=nfs4:10.0.0.1:/srv", true },
                { "root=/dev/nbd0", true },
                { "netroot=iscsi:@10.0.0.1::::iqn.x", true },
                { "BOOTIF=01-52-54-00-12-34-56", true },
                { "root=dhcp", true },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (cmdline_has_network_root(cases[i].line) != cases[i].network)
                        fail_msg("%s", cases[i].line);
}

static void off(void **state) {
        (void) state;
        assert_true(cmdline_is_off("quiet passthru=off splash"));
        assert_true(cmdline_is_off("passthru=0"));
        assert_true(cmdline_is_off("passthru=on passthru=off"));
        assert_false(cmdline_is_off("passthru=off passthru=on"));
        assert_false(cmdline_is_off("iommu.passthru=off"));
        assert_false(cmdline_is_off("passthru"));
        assert_false(cmdline_is_off("passthru=offline"));
        assert_false(cmdline_is_off(""));
}

#define FREE ""

static void keeps(void **state) {
        static const struct {
                struct pci_device d;
                const char *cmdline, *refused;
                bool forced; /* still refused when forced */
        } cases[] = {
                { { .class_code = 0x010802 }, "root=/dev/nvme0n1p2", FREE, false },
                { { .class_code = 0x060400, .bridge = true }, "", "is a bridge", true },
                { { .class_code = 0x030000 }, "", FREE, false },
                { { .class_code = 0x030000, .boot_vga = true }, "", "the firmware uses", false },
                { { .class_code = 0x020000 }, "root=/dev/sda1", FREE, false },
                { { .class_code = 0x020000 }, "ip=dhcp", "boots over the network", false },
                { { .class_code = 0x010802 }, "ip=dhcp", FREE, false },
                { { .class_code = 0x010802 },
                  "root=/dev/disk/by-path/pci-0000:04:00.0-nvme-1-part2",
                  "names its disk",
                  true },
                { { .class_code = 0x010802 },
                  "resume=/dev/disk/by-path/pci-0000:04:00.0-nvme-1-part3",
                  "names its disk",
                  true },
                { { .class_code = 0x010802 }, "root=/dev/disk/by-path/pci-0000:05:00.0-nvme-1", FREE, false },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pci_device two[2] = { { .class_code = 0x030000 }, cases[i].d };
                const struct pci_devices devices = { two, 2 };
                struct early early = {};
                struct err e = {};
                int r;

                two[1].address.bus = 4;
                r = reserve_check(&early, &devices, &two[1], false, cases[i].cmdline, &e);
                if (r != (*cases[i].refused ? -EPERM : 0) || !strstr(e.message, cases[i].refused))
                        fail_msg("case %zu: %d %s", i, r, e.message);
                r = reserve_check(&early, &devices, &two[1], true, cases[i].cmdline, &e);
                if (r != (cases[i].forced ? -EPERM : 0))
                        fail_msg("case %zu, forced: %d", i, r);
        }
}

static void keeps_the_only_display(void **state) {
        struct pci_device only[] = { { .class_code = 0x038000 } };
        const struct pci_devices devices = { only, 1 };
        struct early early = {};
        struct err e = {};

        (void) state;
        assert_int_equal(reserve_check(&early, &devices, only, false, "", &e), -EPERM);
        assert_non_null(strstr(e.message, "the only display"));
        assert_int_equal(reserve_check(&early, &devices, only, true, "", &e), 0);
}

/* The twin of the reserved disk has its address now. */
static void keeps_what_the_image_booted_from(void **state) {
        struct early early = { .n_keep = 1, .keep = { { "0000:00:1c.0/00.0", "/" } } };
        struct err e = {};

        (void) state;
        assert_int_equal(reserve_check(&early, &host, &list[3], true, "", &e), -EPERM);
        assert_non_null(strstr(e.message, "boots from: /"));
        assert_int_equal(reserve_check(&early, &host, &list[4], false, "", &e), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds),
                cmocka_unit_test(subsystem_counts),
                cmocka_unit_test(others_are_not_taken),
                cmocka_unit_test(paths),
                cmocka_unit_test(network_roots),
                cmocka_unit_test(off),
                cmocka_unit_test(keeps),
                cmocka_unit_test(keeps_the_only_display),
                cmocka_unit_test(keeps_what_the_image_booted_from),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
