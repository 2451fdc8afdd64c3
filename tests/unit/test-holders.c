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
#include <unistd.h>

#include "base/str.h"
#include "fake/tree.h"
#include "sys/holders.h"
#include "sys/pci.h"

#define GPU "0000:01:00.0"
#define NVME "0000:02:00.0"
#define NIC "0000:03:00.0"
#define USB "0000:04:00.0"
#define BRIDGE "0000:00:01.0"

static struct tree *t;

static int setup(void **state) {
        (void) state;
        t = tree_new();
        tree_pci(t, &(struct tree_pci) { BRIDGE, .class_code = 0x060400, .group = 1, .driver = "pcieport" });
        tree_pci(t, &(struct tree_pci) { GPU, BRIDGE, .class_code = 0x030000, .group = 11, .driver = "nvidia" });
        tree_pci(t, &(struct tree_pci) { NVME, .class_code = 0x010802, .group = 12, .driver = "nvme" });
        tree_pci(t, &(struct tree_pci) { NIC, .class_code = 0x020000, .group = 13, .driver = "e1000e" });
        tree_pci(t, &(struct tree_pci) { USB, .class_code = 0x0c0330, .group = 14, .driver = "xhci_hcd" });
        return 0;
}

static int teardown(void **state) {
        (void) state;
        tree_free(t);
        return 0;
}

/* A folder of the device model below another one, with a node in /dev. */
static void add_char(const char *address, const char *below, unsigned int major, unsigned int minor,
                     const char *name) {
        char path[512];

        assert_int_equal(str_format(path, sizeof(path), "%s/%s/uevent", tree_pci_path(t, address), below), 0);
        tree_filef(t, path, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", major, minor, name);
}

static void add_block_at(const char *dir, unsigned int major, unsigned int minor, const char *name,
                         const char *type) {
        char path[512];
        const char *base = strrchr(dir, '/') + 1;

        assert_int_equal(str_format(path, sizeof(path), "%s/uevent", dir), 0);
        tree_filef(t, path, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n", major, minor, name, type);
        assert_int_equal(str_format(path, sizeof(path), "%s/holders", dir), 0);
        tree_dir(t, path);
        assert_int_equal(str_format(path, sizeof(path), "/sys/class/block/%s", base), 0);
        tree_link(t, path, dir);
}

static void add_block(const char *address, const char *below, unsigned int major, unsigned int minor,
                      const char *name, const char *type) {
        char dir[512];

        assert_int_equal(str_format(dir, sizeof(dir), "%s/%s", tree_pci_path(t, address), below), 0);
        add_block_at(dir, major, minor, name, type);
}

/* lower is what upper is built on. */
static void add_upper(const char *lower, const char *upper) {
        char path[512], target[512];

        assert_int_equal(str_format(path, sizeof(path), "/sys/class/block/%s/holders/%s", lower, upper), 0);
        assert_int_equal(str_format(target, sizeof(target), "/sys/devices/virtual/block/%s", upper), 0);
        tree_link(t, path, target);
}

static void add_nvme(void) {
        add_char(NVME, "nvme/nvme0", 240, 0, "nvme0");
        add_block(NVME, "nvme/nvme0/nvme0n1", 259, 0, "nvme0n1", "disk");
        add_block(NVME, "nvme/nvme0/nvme0n1/nvme0n1p1", 259, 1, "nvme0n1p1", "partition");
        add_block(NVME, "nvme/nvme0/nvme0n1/nvme0n1p2", 259, 2, "nvme0n1p2", "partition");
}

static void add_interface(const char *address, const char *name) {
        char path[512], dir[512];

        assert_int_equal(str_format(dir, sizeof(dir), "%s/net/%s", tree_pci_path(t, address), name), 0);
        assert_int_equal(str_format(path, sizeof(path), "%s/uevent", dir), 0);
        tree_filef(t, path, "INTERFACE=%s\nIFINDEX=2\n", name);
        assert_int_equal(str_format(path, sizeof(path), "/sys/class/net/%s", name), 0);
        tree_link(t, path, dir);
}

static const char *users_of(const char *address) {
        static char text[2048];
        const struct pci_device *devices[1];
        _cleanup_holders_ struct holders holders = {};
        struct pci_device d;
        struct bdf a;
        struct err e = {};

        assert_int_equal(bdf_parse(address, &a), 0);
        assert_int_equal(host_pci_device(tree_root(t), &a, &d, &e), 0);
        devices[0] = &d;
        assert_int_equal(holders_find(tree_root(t), devices, 1, &holders, &e), 0);
        return holders_describe(&holders, text, sizeof(text));
}

static void test_nothing(void **state) {
        (void) state;
        assert_string_equal(users_of(GPU), "");
        add_nvme();
        add_interface(NIC, "eth0");
        assert_string_equal(users_of(GPU), "");
        assert_string_equal(users_of(NVME), "");
        assert_string_equal(users_of(NIC), "");
        assert_string_equal(users_of(BRIDGE), "");
}

static void test_process(void **state) {
        static const struct {
                const char *below;
                unsigned int major, minor;
                const char *name, *target;
                bool used;
        } cases[] = {
                { "drm/card1", 226, 1, "dri/card1", "/dev/dri/card1", true },
                { "drm/renderD129", 226, 129, "dri/renderD129", "/dev/dri/renderD129", true },
                { "sound/card0/pcmC0D3p", 116, 4, "snd/pcmC0D3p", "/dev/snd/pcmC0D3p", true },
                { "sound/card0/controlC0", 116, 5, "snd/controlC0", "/dev/snd/controlC0", false },
                { "usb1/1-1/1-1:1.0/hidraw/hidraw0", 240, 0, "hidraw0", "/dev/hidraw0", false },
                { "usb1", 189, 0, "bus/usb/001/001", "/dev/bus/usb/001/001", false },
                { "i2c-3/i2c-dev/i2c-3", 89, 3, "i2c-3", "/dev/i2c-3", true },
                { "drm/card1", 226, 1, "dri/card1", "/dev/dri/card10", false },
                { "drm/card1", 226, 1, "dri/card1", "/dev/dri/card", false },
                { "drm/card1", 226, 1, "dri/card1", "/home/dri/card1", false },
                { "drm/card1", 226, 1, "dri/card1", "/home/dev/dri/card1", false },
                { "drm/card1", 226, 1, "dri/card1", "socket:[4711]", false },
                { "power/card1", 226, 1, "dri/card1", "/dev/dri/card1", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char expected[128] = "";

                if (i > 0) {
                        teardown(state);
                        setup(state);
                }
                add_char(GPU, cases[i].below, cases[i].major, cases[i].minor, cases[i].name);
                tree_process(t, 812, "Xorg");
                tree_process_fd(t, 812, 3, "/dev/null");
                tree_process_fd(t, 812, 17, cases[i].target);
                if (cases[i].used)
                        assert_int_equal(str_format(expected, sizeof(expected), "used by Xorg (pid 812, %s)",
                                                    cases[i].target), 0);
                assert_string_equal(users_of(GPU), expected);
                assert_string_equal(users_of(NVME), "");
                assert_string_equal(users_of(BRIDGE), "");
        }
}

static void test_process_once(void **state) {
        (void) state;
        add_char(GPU, "drm/card1", 226, 1, "dri/card1");
        tree_process(t, 812, "Xorg");
        for (int fd = 0; fd < 5; fd++)
                tree_process_fd(t, 812, fd, "/dev/dri/card1");
        tree_process(t, 99, "kwin_wayland");
        tree_process_fd(t, 99, 4, "/dev/dri/card1");
        tree_dir(t, "/proc/self/fd");
        tree_dir(t, "/proc/driver");
        assert_string_equal(users_of(GPU), "used by kwin_wayland (pid 99, /dev/dri/card1), "
                                           "used by Xorg (pid 812, /dev/dri/card1)");
}

static void test_process_with_two_nodes(void **state) {
        const char *text;

        (void) state;
        add_char(GPU, "drm/card1", 226, 1, "dri/card1");
        add_char(GPU, "drm/renderD129", 226, 129, "dri/renderD129");
        tree_process(t, 812, "Xorg");
        tree_process_fd(t, 812, 3, "/dev/dri/card1");
        tree_process_fd(t, 812, 4, "/dev/dri/renderD129");
        text = users_of(GPU);
        assert_true(str_eq(text, "used by Xorg (pid 812, /dev/dri/card1)") ||
                    str_eq(text, "used by Xorg (pid 812, /dev/dri/renderD129)"));
}

static void test_process_hostile(void **state) {
        (void) state;
        add_char(GPU, "drm/card1", 226, 1, "dri/card1");
        tree_process(t, 5, "a\x1b[2Jb\nc");
        tree_process_fd(t, 5, 3, "/dev/dri/card1");
        assert_string_equal(users_of(GPU), "used by a?[2Jb?c (pid 5, /dev/dri/card1)");
        /* Gone between the two looks. */
        tree_remove(t, "/proc/5/comm");
        assert_string_equal(users_of(GPU), "used by a process (pid 5, /dev/dri/card1)");
}

static void test_process_is_us(void **state) {
        (void) state;
        add_char(GPU, "drm/card1", 226, 1, "dri/card1");
        tree_process(t, getpid(), "passthru-helper");
        tree_process_fd(t, getpid(), 3, "/dev/dri/card1");
        assert_string_equal(users_of(GPU), "");
}

#define INFORMATION "/proc/driver/nvidia/gpus/" GPU "/information"

static void test_nvidia(void **state) {
        (void) state;
        tree_process(t, 77, "nvidia-persiste");
        tree_process_fd(t, 77, 3, "/dev/nvidia1");
        assert_string_equal(users_of(GPU), "");
        tree_file(t, INFORMATION, "Model: \t\t RTX\nDevice Minor: \t 0\nIRQ: 5\n");
        assert_string_equal(users_of(GPU), "");
        tree_file(t, INFORMATION, "Model: \t\t RTX\nDevice Minor: \t 1\nIRQ: 5\n");
        assert_string_equal(users_of(GPU), "used by nvidia-persiste (pid 77, /dev/nvidia1)");
        assert_string_equal(users_of(NVME), "");
        tree_file(t, INFORMATION, "Device Minor: x\n");
        assert_string_equal(users_of(GPU), "");
}

static void test_vfio(void **state) {
        (void) state;
        tree_process(t, 900, "qemu-system-x86");
        tree_process_fd(t, 900, 3, "/dev/vfio/vfio");
        tree_process_fd(t, 900, 30, "/dev/vfio/11");
        /* No function of the group is on vfio: that node cannot be the group's. */
        assert_string_equal(users_of(GPU), "");
        tree_vfio_group(t, "11");
        assert_string_equal(users_of(GPU), "lent to qemu-system-x86 (pid 900, /dev/vfio/11)");
        assert_string_equal(users_of(NVME), "");

        add_char(NVME, "vfio-dev/vfio4", 511, 4, "vfio/devices/vfio4");
        assert_string_equal(users_of(NVME), "");
        tree_process_fd(t, 900, 31, "/dev/vfio/devices/vfio4");
        assert_string_equal(users_of(NVME), "lent to qemu-system-x86 (pid 900, /dev/vfio/devices/vfio4)");
}

static void test_mount(void **state) {
        static const struct {
                const char *line, *expected;
        } cases[] = {
                { "36 35 259:1 / /home rw,noatime shared:1 - ext4 /dev/nvme0n1p1 rw\n",
                  "mounted at /home (/dev/nvme0n1p1)" },
                { "36 35 259:0 /sub /srv rw - xfs /dev/root rw\n", "mounted at /srv (/dev/nvme0n1)" },
                { "36 35 259:2 / /a\\040b\\134c rw a:1 b:2 c:3 - ext4 x rw\n",
                  "mounted at /a b\\c (/dev/nvme0n1p2)" },
                { "36 35 259:1 / /x\\012y rw - ext4 x rw\n", "mounted at /x?y (/dev/nvme0n1p1)" },
                { "36 35 0:42 /@ / rw - btrfs /dev/nvme0n1p2 rw\n", "mounted at / (/dev/nvme0n1p2)" },
                { "36 35 0:42 / /b rw - bcachefs /dev/sda1:/dev/nvme0n1p2 rw\n",
                  "mounted at /b (/dev/nvme0n1p2)" },
                { "36 35 259:1 / /a rw - ext4 x rw\n37 35 259:1 / /a rw - ext4 x rw\n"
                  "38 35 259:1 / /b rw - ext4 x rw\n",
                  "mounted at /a (/dev/nvme0n1p1), mounted at /b (/dev/nvme0n1p1)" },
                /* others */
                { "36 35 8:1 / /home rw - ext4 /dev/sda1 rw\n", "" },
                { "36 35 259:3 / /home rw - ext4 /dev/nvme0n1p3 rw\n", "" },
                { "36 35 240:0 / /home rw - ext4 x rw\n", "" }, /* the number of a character device */
                { "36 35 0:42 / /b rw - btrfs /dev/nvme0n1p20 rw\n", "" },
                { "36 35 0:43 / /n rw - nfs host:/dev/nvme0n1p2 rw\n", "" },
                { "36 35 0:43 / /n rw - tmpfs nvme0n1p2 rw\n", "" },
                /* damaged */
                { "36 35 259:1 / /home rw", "" },
                { "36 35 259:1\n\n \n36 35 x:y / /home rw - ext4 x rw\n", "" },
        };

        (void) state;
        add_nvme();
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                tree_file(t, "/proc/1/mountinfo", cases[i].line);
                assert_string_equal(users_of(NVME), cases[i].expected);
                assert_string_equal(users_of(GPU), "");
        }
}

static void test_btrfs_member(void **state) {
        (void) state;
        add_nvme();
        tree_file(t, "/proc/1/mountinfo", "36 35 0:42 /@ /pool rw - btrfs /dev/sda1 rw\n");
        tree_dir(t, "/sys/fs/btrfs/features");
        tree_dir(t, "/sys/fs/btrfs/1111/devices/sda1");
        tree_dir(t, "/sys/fs/btrfs/2222/devices/nvme0n1p2");
        assert_string_equal(users_of(NVME), "");
        tree_dir(t, "/sys/fs/btrfs/1111/devices/nvme0n1p1");
        assert_string_equal(users_of(NVME), "mounted at /pool (/dev/nvme0n1p1)");
}

static void test_swap(void **state) {
        (void) state;
        add_nvme();
        tree_file(t, "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/swap\\040file file 1 0 -2\n"
                                    "/dev/zram0 partition 1 0 5\n/dev/nvme0n1p20 partition 1 0 5\n");
        assert_string_equal(users_of(NVME), "");
        tree_file(t, "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
                                    "/dev/nvme0n1p2   partition\t1\t0\t-2\n");
        assert_string_equal(users_of(NVME), "swap on /dev/nvme0n1p2");
        assert_string_equal(users_of(GPU), "");
}

static void test_stack(void **state) {
        (void) state;
        add_nvme();
        add_block_at("/sys/devices/virtual/block/dm-0", 254, 0, "dm-0", "disk");
        add_block_at("/sys/devices/virtual/block/dm-1", 254, 1, "dm-1", "disk");
        add_block_at("/sys/devices/virtual/block/md127", 9, 127, "md127", "disk");
        add_block_at("/sys/devices/virtual/block/md127/md127p1", 259, 9, "md127p1", "partition");
        tree_file(t, "/sys/devices/virtual/block/dm-0/dm/name", "luks-home\n");
        tree_link(t, "/dev/mapper/vg-home", "../dm-1");
        tree_file(t, "/proc/1/mountinfo", "36 35 254:1 / /home rw - ext4 /dev/mapper/vg-home rw\n"
                                          "36 35 259:9 / /raid rw - ext4 /dev/md127p1 rw\n");
        assert_string_equal(users_of(NVME), "");

        add_upper("nvme0n1p1", "dm-0");
        assert_string_equal(users_of(NVME), "part of dm-0 (luks-home) through /dev/nvme0n1p1");
        add_upper("dm-0", "dm-1");
        assert_string_equal(users_of(NVME), "mounted at /home (/dev/dm-1), part of dm-0 (luks-home) through "
                                            "/dev/nvme0n1p1, part of dm-1 through /dev/dm-0");
        tree_remove(t, "/sys/class/block/nvme0n1p1/holders/dm-0");
        add_upper("nvme0n1p2", "md127");
        assert_string_equal(users_of(NVME), "mounted at /raid (/dev/md127p1), "
                                            "part of md127 through /dev/nvme0n1p2");
        tree_file(t, "/proc/swaps", "x\n/dev/mapper/vg-home partition 1 0 1\n");
        add_upper("md127p1", "dm-1");
        assert_string_equal(users_of(NVME),
                            "mounted at /home (/dev/dm-1), mounted at /raid (/dev/md127p1), swap on /dev/dm-1, "
                            "part of dm-1 through /dev/md127p1, part of md127 through /dev/nvme0n1p2");
        /* A circle, as no kernel makes it, ends. */
        add_upper("dm-1", "md127");
        assert_non_null(strstr(users_of(NVME), "mounted at /home"));
}

static void test_nvme_multipath(void **state) {
        (void) state;
        add_char(NVME, "nvme/nvme3", 240, 3, "nvme3");
        add_char(NVME, "nvme/nvme3/nvme5c3n1/x", 0, 0, "");
        add_block_at("/sys/devices/virtual/nvme-subsystem/nvme-subsys5/nvme5n1", 259, 4, "nvme5n1", "disk");
        add_block_at("/sys/devices/virtual/nvme-subsystem/nvme-subsys5/nvme5n2", 259, 5, "nvme5n2", "disk");
        tree_file(t, "/proc/1/mountinfo", "36 35 259:5 / /other rw - ext4 x rw\n");
        assert_string_equal(users_of(NVME), "");
        tree_file(t, "/proc/1/mountinfo", "36 35 259:4 / /data rw - ext4 x rw\n");
        assert_string_equal(users_of(NVME), "mounted at /data (/dev/nvme5n1)");
}

static void test_usb(void **state) {
        (void) state;
        add_block(USB, "usb1/1-1/1-1:1.0/host0/target0:0:0/0:0:0:0/block/sdb", 8, 16, "sdb", "disk");
        add_char(USB, "usb1/1-2/1-2:1.0/0003:046D:C31C.0001/input/input5/event5", 13, 69, "input/event5");
        tree_file(t, "/proc/1/mountinfo", "36 35 8:16 / /media/stick rw - vfat /dev/sdb rw\n");
        tree_process(t, 40, "systemd-logind");
        tree_process_fd(t, 40, 9, "/dev/input/event5");
        /* A keyboard may go at any time; the disk may not. */
        assert_string_equal(users_of(USB), "mounted at /media/stick (/dev/sdb)");
}

static void test_odd_block_names(void **state) {
        (void) state;
        add_block(NVME, "block/cciss!c0d0", 104, 0, "cciss/c0d0", "disk");
        add_block_at("/sys/devices/virtual/block/dm-0", 254, 0, "dm-0", "disk");
        add_upper("cciss!c0d0", "dm-0");
        assert_string_equal(users_of(NVME), "part of dm-0 through /dev/cciss/c0d0");
        /* A process that has a disk open. */
        tree_process(t, 41, "dd");
        tree_process_fd(t, 41, 0, "/dev/cciss/c0d0");
        assert_string_equal(users_of(NVME), "used by dd (pid 41, /dev/cciss/c0d0), "
                                            "part of dm-0 through /dev/cciss/c0d0");
}

#define ROUTE_HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ZERO "00000000000000000000000000000000"

static void test_route(void **state) {
        static const struct {
                const char *route4, *route6;
                bool used;
        } cases[] = {
                { ROUTE_HEAD "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "", true },
                { ROUTE_HEAD, ZERO " 00 " ZERO " 00 fe80000000000000000000000000001 00000400 00000001 00000000 "
                  "00000003     eth0\n", true },
                { ROUTE_HEAD "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", "", false },
                { ROUTE_HEAD "eth1\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "", false },
                { ROUTE_HEAD "eth0\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n", "", false },
                { ROUTE_HEAD "eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", "", false },
                { ROUTE_HEAD "eth0\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n", "", false },
                { ROUTE_HEAD "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n", "", false },
                { "", ZERO " 00 " ZERO " 00 " ZERO " ffffffff 00000001 00000000 00200200     eth0\n", false },
                { "", ZERO " 40 " ZERO " 00 " ZERO " 00000100 00000001 00000000 00000001     eth0\n", false },
                { "eth0", "x", false },
        };

        (void) state;
        add_interface(NIC, "eth0");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                tree_file(t, "/proc/1/net/route", cases[i].route4);
                tree_file(t, "/proc/1/net/ipv6_route", cases[i].route6);
                assert_string_equal(users_of(NIC), cases[i].used ? "default route through eth0" : "");
                assert_string_equal(users_of(GPU), "");
        }
}

static void test_route_above(void **state) {
        (void) state;
        add_interface(NIC, "eth0");
        tree_dir(t, "/sys/class/net/bond0");
        tree_dir(t, "/sys/class/net/br0");
        tree_file(t, "/proc/1/net/route",
                  ROUTE_HEAD "br0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
        assert_string_equal(users_of(NIC), "");
        tree_link(t, "/sys/class/net/eth0/master", "/sys/class/net/bond0");
        assert_string_equal(users_of(NIC), "");
        tree_link(t, "/sys/class/net/bond0/upper_br0", "/sys/class/net/br0");
        assert_string_equal(users_of(NIC), "default route through br0 over eth0");
        tree_link(t, "/sys/class/net/br0/upper_eth0", "/sys/class/net/eth0");
        assert_string_equal(users_of(NIC), "default route through br0 over eth0");
}

/* What hangs on several devices is said of each; lists that have something already are added to. */
static void test_many(void **state) {
        struct pci_device d[3];
        const struct pci_device *devices[3] = { &d[0], &d[1], &d[2] };
        static const char *const addresses[3] = { GPU, NVME, USB };
        static const char *const expected[3] = {
                "used by one (pid 10, /dev/dri/card1)",
                "used by one (pid 10, /dev/nvme0), mounted at /raid (/dev/md0), "
                "part of md0 through /dev/nvme0n1p1",
                "mounted at /raid (/dev/md0), mounted at /x (/dev/sdb), part of md0 through /dev/sdb",
        };
        struct holders holders[3] = {};
        struct err e = {};

        (void) state;
        add_nvme();
        add_char(GPU, "drm/card1", 226, 1, "dri/card1");
        add_block(USB, "usb1/block/sdb", 8, 16, "sdb", "disk");
        add_block_at("/sys/devices/virtual/block/md0", 9, 0, "md0", "disk");
        add_upper("nvme0n1p1", "md0");
        add_upper("sdb", "md0");
        tree_process(t, 10, "one");
        tree_process_fd(t, 10, 1, "/dev/dri/card1");
        tree_process_fd(t, 10, 2, "/dev/nvme0");
        tree_file(t, "/proc/1/mountinfo", "36 35 8:16 / /x rw - ext4 x rw\n36 35 9:0 / /raid rw - ext4 x rw\n");
        for (size_t i = 0; i < 3; i++) {
                struct bdf a;

                assert_int_equal(bdf_parse(addresses[i], &a), 0);
                assert_int_equal(host_pci_device(tree_root(t), &a, &d[i], &e), 0);
        }
        assert_int_equal(holders_find(tree_root(t), devices, 3, holders, &e), 0);
        for (size_t i = 0; i < 3; i++) {
                char text[512];

                assert_string_equal(holders_describe(&holders[i], text, sizeof(text)), expected[i]);
        }
        assert_int_equal(holders_find(tree_root(t), devices, 3, holders, &e), 0);
        assert_int_equal(holders[0].n, 2);
        for (size_t i = 0; i < 3; i++)
                holders_done(&holders[i]);
}

static void test_bounded(void **state) {
        const struct pci_device gpu = { .address = { .bus = 1 }, .group = 11 };
        const struct pci_device *devices[] = { &gpu };
        _cleanup_holders_ struct holders holders = {};
        struct err e = {};

        (void) state;
        add_char(GPU, "drm/card1", 226, 1, "dri/card1");
        for (int pid = 1000; pid < 1300; pid++)
                tree_process_fd(t, pid, 0, "/dev/dri/card1");
        assert_int_equal(holders_find(tree_root(t), devices, 1, &holders, &e), 0);
        assert_int_equal(holders.n, 256);
}

static void test_describe(void **state) {
        static const struct holder list[] = {
                { HOLDER_PROCESS, 812, "Xorg", "/dev/dri/card1" },
                { HOLDER_MOUNT, 0, "/home", "/dev/nvme0n1p1" },
                { HOLDER_CLAIM, 0, "opened exclusively", "/dev/sda" },
        };
        static const struct {
                size_t n, size;
                const char *expected;
        } cases[] = {
                { 0, 10, "" },
                { 1, 100, "used by Xorg (pid 812, /dev/dri/card1)" },
                { 1, 39, "used by Xorg (pid 812, /dev/dri/card1)" },
                { 1, 38, "1 users" },
                { 3, 200, "used by Xorg (pid 812, /dev/dri/card1), mounted at /home (/dev/nvme0n1p1), "
                          "opened exclusively (/dev/sda)" },
                { 3, 100, "used by Xorg (pid 812, /dev/dri/card1), mounted at /home (/dev/nvme0n1p1) and 1 more" },
                { 3, 60, "used by Xorg (pid 812, /dev/dri/card1) and 2 more" },
                { 3, 20, "3 users" },
                { 3, 4, "3 u" },
                { 3, 1, "" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct holders holders = { (struct holder *) list, cases[i].n };
                char text[200];

                assert_ptr_equal(holders_describe(&holders, text, cases[i].size), text);
                assert_string_equal(text, cases[i].expected);
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_nothing),
                TEST(test_process),
                TEST(test_process_once),
                TEST(test_process_with_two_nodes),
                TEST(test_process_hostile),
                TEST(test_process_is_us),
                TEST(test_nvidia),
                TEST(test_vfio),
                TEST(test_mount),
                TEST(test_btrfs_member),
                TEST(test_swap),
                TEST(test_stack),
                TEST(test_nvme_multipath),
                TEST(test_usb),
                TEST(test_odd_block_names),
                TEST(test_route),
                TEST(test_route_above),
                TEST(test_many),
                TEST(test_bounded),
                cmocka_unit_test(test_describe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
