/* SPDX-License-Identifier: GPL-2.0-or-later */

/* From sysfs alone: a file of its own, so that programs that need no names of devices do not load libpci. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/pci-internal.h"

#define DEVICE "/sys/bus/pci/devices/%s"

/* include/linux/pci_ids.h */
#define BASE_CLASS_BRIDGE 0x06
#define CLASS_DISPLAY_VGA 0x0300

/* The folder of a function below /sys/devices. */
static int open_folder(const struct root *root, const char *address) {
        char path[64];

        (void) str_format(path, sizeof(path), DEVICE, address);
        return root_open(root, path, O_PATH | O_DIRECTORY, 0);
}

static bool hexadecimal_field(int dir, const char *name, uint64_t max, uint64_t *ret) {
        char text[32];

        return dir_read_attr(dir, name, text, sizeof(text)) >= 0 && str_to_u64(text, 16, max, ret) >= 0;
}

static int read_more(const struct root *root, int dir, const char *address, struct pci_device *d) {
        char target[PATH_MAX], text[16];
        char *slash;
        uint64_t v;
        int r;

        /* "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0": the folder above is the bridge. */
        r = root_read_link(root, target, sizeof(target), DEVICE, address);
        if (r < 0)
                return r;
        slash = strrchr(target, '/');
        if (slash) {
                *slash = '\0';
                slash = strrchr(target, '/');
        }
        d->has_parent = slash && bdf_parse(slash + 1, &d->parent) == 0;

        d->group = -1;
        if (dir_link_name(dir, "iommu_group", text, sizeof(text)) == 0 && str_to_u64(text, 10, INT_MAX, &v) == 0)
                d->group = (int) v;

        r = dir_link_name(dir, "driver", d->driver, sizeof(d->driver));
        if (r < 0)
                *d->driver = '\0';

        /* driver_override is not read: its reader waits for the device's lock, which a driver that hangs in its unbind
         * holds (drivers/pci/pci-sysfs.c, driver_override_show). Nothing that is read here can hang. */

        d->bridge = d->class_code >> 16 == BASE_CLASS_BRIDGE;
        d->boot_vga = d->class_code >> 8 == CLASS_DISPLAY_VGA && hexadecimal_field(dir, "boot_vga", 1, &v) && v == 1;
        return 0;
}

int pci_device_read_more(const struct root *root, const char *address, struct pci_device *d) {
        _cleanup_close_ int dir = open_folder(root, address);

        return dir < 0 ? dir : read_more(root, dir, address, d);
}

/* All numbers in one attribute, which takes no lock, like each of them alone (drivers/pci/pci-sysfs.c,
 * modalias_show). */
static int parse_modalias(const char *text, struct pci_device *d) {
        unsigned vendor, device, subsystem_vendor, subsystem_device, base, sub, interface;
        int n = 0;

        if (sscanf(text, "pci:v%8xd%8xsv%8xsd%8xbc%2xsc%2xi%2x%n", &vendor, &device, &subsystem_vendor,
                   &subsystem_device, &base, &sub, &interface, &n) != 7 || text[n] != '\0' ||
            (vendor | device | subsystem_vendor | subsystem_device) > UINT16_MAX)
                return -EINVAL;
        d->id = (struct pci_id) { (uint16_t) vendor, (uint16_t) device };
        d->subsystem = (struct pci_id) { (uint16_t) subsystem_vendor, (uint16_t) subsystem_device };
        d->class_code = base << 16 | sub << 8 | interface;
        return 0;
}

/* The numbers of the function whose folder is dir, as open_folder returned it. */
static int read_numbers(int dir, const char *name, struct pci_device *d, struct err *e) {
        char text[96];
        int r = dir;

        if (dir == -ENOENT || dir == -ENOTDIR)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, name,
                               "%s: no such PCI function on this host: see lspci -D", name);
        if (r >= 0)
                r = dir_read_attr(dir, "modalias", text, sizeof(text));
        if (r >= 0)
                r = parse_modalias(text, d);
        return r < 0 ? err_set(e, -EIO, ERR_FAILED, name, "%s: modalias cannot be read from sysfs: %s", name,
                               strerror(-r)) : 0;
}

int host_pci_ids(const struct root *root, const struct bdf *address, struct pci_id *ret_id,
                 struct pci_id *ret_subsystem, struct err *e) {
        struct pci_device d = {};
        char name[BDF_TEXT_MAX];
        _cleanup_close_ int dir = open_folder(root, bdf_format(address, name));
        int r;

        r = read_numbers(dir, name, &d, e);
        if (r < 0)
                return r;
        *ret_id = d.id;
        *ret_subsystem = d.subsystem;
        return 0;
}

int host_pci_device(const struct root *root, const struct bdf *address, struct pci_device *ret, struct err *e) {
        struct pci_device d = { .address = *address };
        char name[BDF_TEXT_MAX];
        _cleanup_close_ int dir = open_folder(root, bdf_format(address, name));
        uint64_t v;
        int r;

        r = read_numbers(dir, name, &d, e);
        if (r < 0)
                return r;
        if (hexadecimal_field(dir, "revision", UINT8_MAX, &v))
                d.revision = (uint8_t) v;
        r = read_more(root, dir, name, &d);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, name, "%s: cannot be read from sysfs: %s", name, strerror(-r));

        *ret = d;
        return 0;
}

static int compare_addresses(const void *a, const void *b) {
        return bdf_compare(&((const struct pci_device *) a)->address, &((const struct pci_device *) b)->address);
}

int host_pci_functions(const struct root *root, struct pci_devices *ret, struct err *e) {
        _cleanup_pci_devices_ struct pci_devices devices = {};
        _cleanup_strv_ char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, &names, "/sys/bus/pci/devices");
        if (r == -ENOENT || r == -ENOTDIR) {
                *ret = (struct pci_devices) {};
                return 0;
        }
        if (r < 0)
                return err_set(e, r, ERR_FAILED, NULL, "/sys/bus/pci/devices cannot be read: %s", strerror(-r));
        while (names[n])
                n++;
        devices.list = calloc(n + 1, sizeof(*devices.list));
        if (!devices.list)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        for (size_t i = 0; i < n; i++) {
                struct bdf address;

                if (bdf_parse(names[i], &address) >= 0 &&
                    host_pci_device(root, &address, &devices.list[devices.n], NULL) >= 0)
                        devices.n++;
        }
        qsort(devices.list, devices.n, sizeof(*devices.list), compare_addresses);

        *ret = devices;
        devices = (struct pci_devices) {};
        return 0;
}
