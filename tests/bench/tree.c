/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tree [PROCESSES]: makes the host that nothing happens on, and prints its folder: 24 CPUs, 59 PCI functions, 150
 * processes with 12 open files each. The GPU is 0a:00.0 to .3, the disk 04:00.0. */

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "fake/tree.h"
#include "model/bdf.h"

#define CPUS 24
#define FILES 12
#define PORTS 28

static void function(struct tree *t, const struct tree_pci *f) {
        char path[128];

        tree_pci(t, f);
        (void) str_format(path, sizeof(path), "%s/native", tree_pci_path(t, f->address));
        tree_filef(t, path, "%s\n", f->driver);
}

static const struct tree_pci ends[] = {
        { .vendor = 0x10de, .device = 0x2206, .class_code = 0x030000, .driver = "nouveau" },
        { .vendor = 0x10de, .device = 0x1aef, .class_code = 0x040300, .driver = "snd_hda_intel" },
        { .vendor = 0x10de, .device = 0x1ad8, .class_code = 0x0c0330, .driver = "xhci_hcd" },
        { .vendor = 0x10de, .device = 0x1ad9, .class_code = 0x0c8000, .driver = "i2c-nvidia-gpu" },
        { .vendor = 0x144d, .device = 0xa808, .class_code = 0x010802, .driver = "nvme" },
        { .vendor = 0x8086, .device = 0x1539, .class_code = 0x020000, .driver = "igb" },
};

/* Port n is 0000:00:nn.0 and has bus n behind it. */
static void slot(struct tree *t, unsigned n) {
        struct tree_pci port = { .vendor = 0x1022, .device = 0x1483, .class_code = 0x060400, .driver = "pcieport",
                                 .group = (int) n };
        char parent[BDF_TEXT_MAX], address[BDF_TEXT_MAX];
        bool gpu = n == 0x0a;

        (void) str_format(parent, sizeof(parent), "0000:00:%02x.0", n);
        port.address = parent;
        function(t, &port);
        for (unsigned i = 0; i < (gpu ? 4 : 1); i++) {
                struct tree_pci f = ends[gpu ? i : n == 4 ? 4 : 5];

                (void) str_format(address, sizeof(address), "0000:%02x:00.%u", n, i);
                f.address = address;
                f.parent = parent;
                f.group = (int) n + PORTS;
                function(t, &f);
        }
}

/* Nodes to look for among the open files, as the drivers of the disk and the display make them. */
static void nodes(struct tree *t) {
        static const struct {
                const char *address, *folder, *uevent;
        } made[] = {
                { "0000:04:00.0", "nvme/nvme0", "MAJOR=240\nMINOR=0\nDEVNAME=nvme0\n" },
                { "0000:04:00.0", "nvme/nvme0/nvme0n1",
                  "MAJOR=259\nMINOR=0\nDEVNAME=nvme0n1\nDEVTYPE=disk\n" },
                { "0000:0a:00.0", "drm/card1", "MAJOR=226\nMINOR=1\nDEVNAME=dri/card1\n" },
                { "0000:0a:00.0", "drm/renderD129", "MAJOR=226\nMINOR=129\nDEVNAME=dri/renderD129\n" },
        };
        char path[256];

        for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
                (void) str_format(path, sizeof(path), "%s/%s/uevent", tree_pci_path(t, made[i].address),
                                  made[i].folder);
                tree_file(t, path, made[i].uevent);
        }
}

static void processes(struct tree *t, int n) {
        static const char *const open[] = { "/dev/null",          "socket:[4242]",  "anon_inode:[eventpoll]",
                                            "/var/log/journal/x", "/dev/dri/card0", "pipe:[4243]" };

        for (int pid = 1; pid <= n; pid++) {
                tree_process(t, pid, "daemon");
                for (int fd = 0; fd < FILES; fd++)
                        tree_process_fd(t, pid, fd, open[(size_t) fd % ARRAY_SIZE(open)]);
        }
}

int main(int argc, char **argv) {
        struct tree *t = tree_new();
        char path[128];
        char *dir;

        for (unsigned n = 1; n <= PORTS; n++)
                slot(t, n);
        nodes(t);
        tree_pci_driver(t, "vfio-pci");
        tree_file(t, "/sys/module/vfio_pci/refcnt", "0\n");
        for (unsigned cpu = 0; cpu < CPUS; cpu++) {
                (void) str_format(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu);
                tree_file(t, path, "ondemand\n");
        }
        tree_file(t, "/proc/sys/vm/nr_hugepages", "0\n");
        tree_file(t, "/proc/meminfo", "MemTotal: 33554432 kB\nHugepagesize:       2048 kB\n");
        processes(t, argc > 1 ? atoi(argv[1]) : 150);
        tree_dir(t, "/run");
        dir = root_join(tree_root(t), "");
        puts(dir);
        free(dir);
        /* The folder stays: who called removes it. */
        return EXIT_SUCCESS;
}
