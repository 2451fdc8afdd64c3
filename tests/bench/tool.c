/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Stands in for virsh and modprobe: "virsh nodedev-detach pci_0000_0a_00_0" makes the writes of a rebind and
 * nothing else: the least that the scripts can cost. With BENCH_REAL in the environment the real program starts
 * afterwards, and gets nothing to do: virsh asks libvirt's test driver, modprobe makes a dry run. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "bench/kernel.h"
#include "model/bdf.h"

static int rebind(const char *device, const char *override) {
        _cleanup_root_ struct root *root = bench_root();
        char address[BDF_TEXT_MAX], path[128];
        unsigned domain, bus, slot, function;
        int r;

        if (sscanf(device, "pci_%4x_%2x_%2x_%1x", &domain, &bus, &slot, &function) != 4)
                return -1;
        (void) str_format(address, sizeof(address), "%04x:%02x:%02x.%x", domain, bus, slot, function);
        (void) str_format(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", address);
        r = bench_write(root, path, override);
        if (r < 0)
                return r;
        (void) str_format(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", address);
        r = bench_write(root, path, address);
        return r < 0 ? r : bench_write(root, "/sys/bus/pci/drivers_probe", address);
}

int main(int argc, char **argv) {
        const char *name = strrchr(argv[0], '/');
        bool modprobe = str_eq(name ? name + 1 : argv[0], "modprobe");
        int r = -1;

        if (modprobe && getenv("BENCH_REAL"))
                (void) execl("/usr/sbin/modprobe", "modprobe", "-n", "-q", argv[argc - 1], NULL);
        if (modprobe)
                return EXIT_SUCCESS;
        if (argc == 3 && str_eq(argv[1], "nodedev-detach"))
                r = rebind(argv[2], "vfio-pci");
        else if (argc == 3 && str_eq(argv[1], "nodedev-reattach"))
                r = rebind(argv[2], "\n");
        if (r < 0)
                fprintf(stderr, "virsh: %s %s failed\n", argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "");
        else if (getenv("BENCH_REAL")) {
                (void) dup2(STDOUT_FILENO, STDERR_FILENO); /* it knows no such device */
                (void) execl("/usr/bin/virsh", "virsh", "-c", "test:///default", argv[1], argv[2], NULL);
        }
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
