/* SPDX-License-Identifier: GPL-2.0-or-later */

/* One function, from sysfs alone: a file of its own, so that programs that never list all functions do not load libpci. */

#include <errno.h>
#include <limits.h>
#include <string.h>


#include "base/str.h"
#include "sys/pci-internal.h"

#define DEVICE "/sys/bus/pci/devices/%s"

/* include/linux/pci_ids.h */
#define BASE_CLASS_BRIDGE 0x06
#define CLASS_DISPLAY_VGA 0x0300

static bool hexadecimal_field(const struct root *root, const char *address, const char *name, uint64_t max,
                              uint64_t *ret) {
        return root_read_u64(root, 16, max, ret, DEVICE "/%s", address, name) == 0;
}

/* What libpci does not know, or finds only by resolving a whole path. */
int pci_device_read_more(const struct root *root, const char *address, struct pci_device *d) {
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
        if (root_link_name(root, text, sizeof(text), DEVICE "/iommu_group", address) == 0 &&
            str_to_u64(text, 10, INT_MAX, &v) == 0)
                d->group = (int) v;

        r = root_link_name(root, d->driver, sizeof(d->driver), DEVICE "/driver", address);
        if (r < 0)
                *d->driver = '\0';

        /* driver_override is not read: its reader waits for the device's lock, which a driver that hangs in its unbind
         * holds (drivers/pci/pci-sysfs.c, driver_override_show). Nothing that is read here can hang. */

        d->bridge = d->class_code >> 16 == BASE_CLASS_BRIDGE;
        d->boot_vga = d->class_code >> 8 == CLASS_DISPLAY_VGA &&
                      hexadecimal_field(root, address, "boot_vga", 1, &v) && v == 1;
        return 0;
}

int host_pci_device(const struct root *root, const struct bdf *address, struct pci_device *ret, struct err *e) {
        struct pci_device d = { .address = *address };
        uint64_t vendor, device, class_code, v;
        char name[BDF_TEXT_MAX];
        int r;

        bdf_format(address, name);
        r = root_exists(root, DEVICE, name);
        if (r == 0)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, name,
                               "%s: no such PCI function on this host: see lspci -D", name);
        if (r < 0 || !hexadecimal_field(root, name, "vendor", UINT16_MAX, &vendor) ||
            !hexadecimal_field(root, name, "device", UINT16_MAX, &device) ||
            !hexadecimal_field(root, name, "class", 0xffffff, &class_code))
                return err_set(e, -EIO, ERR_FAILED, name, "%s: vendor, device and class cannot be read from sysfs",
                               name);
        d.id = (struct pci_id) { (uint16_t) vendor, (uint16_t) device };
        d.class_code = (uint32_t) class_code;
        if (hexadecimal_field(root, name, "subsystem_vendor", UINT16_MAX, &v))
                d.subsystem.vendor = (uint16_t) v;
        if (hexadecimal_field(root, name, "subsystem_device", UINT16_MAX, &v))
                d.subsystem.device = (uint16_t) v;
        if (hexadecimal_field(root, name, "revision", UINT8_MAX, &v))
                d.revision = (uint8_t) v;
        r = pci_device_read_more(root, name, &d);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, name, "%s: cannot be read from sysfs: %s", name, strerror(-r));

        *ret = d;
        return 0;
}
