/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pci-device.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int pci_id_parse(const char *s, struct pci_id *ret) {
        char vendor[5] = "";
        uint64_t v, d;

        if (strlen(s) != 9 || s[4] != ':')
                return -EINVAL;
        memcpy(vendor, s, 4);
        /* str_to_u64 would take "0x": four digits exactly are asked for here. */
        for (size_t i = 0; i < 9; i++)
                if (i != 4 && !isxdigit((unsigned char) s[i]))
                        return -EINVAL;
        if (str_to_u64(vendor, 16, 0xffff, &v) < 0 || str_to_u64(s + 5, 16, 0xffff, &d) < 0)
                return -EINVAL;

        *ret = (struct pci_id) { (uint16_t) v, (uint16_t) d };
        return 0;
}

const char *pci_id_format(const struct pci_id *id, char *buf) {
        (void) snprintf(buf, PCI_ID_TEXT_MAX, "%04x:%04x", id->vendor, id->device);
        return buf;
}

void pci_devices_done(struct pci_devices *devices) {
        free(devices->list);
        *devices = (struct pci_devices) {};
}

const struct pci_device *pci_devices_find(const struct pci_devices *devices, const struct bdf *address) {
        size_t low = 0, high = devices->n;

        while (low < high) {
                size_t middle = (low + high) / 2;
                int c = bdf_compare(address, &devices->list[middle].address);

                if (c == 0)
                        return &devices->list[middle];
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

bool pci_device_is_display(const struct pci_device *d) {
        return d->class_code >> 16 == 0x03;
}

bool pci_device_is_storage(const struct pci_device *d) {
        return d->class_code >> 16 == 0x01;
}

bool pci_device_is_network(const struct pci_device *d) {
        return d->class_code >> 16 == 0x02;
}

int pci_path_format(const struct pci_devices *devices, const struct pci_device *d, char *buf) {
        char path[PCI_PATH_MAX] = "", longer[PCI_PATH_MAX], root[BDF_TEXT_MAX];
        int r;

        /* Each step is at least five characters, so that a loop among the bridges ends as well. */
        while (d->has_parent) {
                r = str_format(longer, sizeof(longer), "/%02x.%x%s", d->address.slot, d->address.function, path);
                if (r < 0)
                        return r;
                strcpy(path, longer);
                d = pci_devices_find(devices, &d->parent);
                if (!d)
                        return -ENODEV;
        }
        r = str_format(longer, sizeof(longer), "%s%s", bdf_format(&d->address, root), path);
        if (r < 0)
                return r;

        strcpy(buf, longer);
        return 0;
}

bool pci_path_is_valid(const char *path) {
        size_t n = strcspn(path, "/");
        char root[BDF_TEXT_MAX] = "";
        struct bdf address;

        if (strlen(path) >= PCI_PATH_MAX || n >= sizeof(root))
                return false;
        memcpy(root, path, n);
        if (bdf_parse(root, &address) < 0)
                return false;
        for (path += n; *path; path += 5)
                if (*path != '/' || !isxdigit((unsigned char) path[1]) || !isxdigit((unsigned char) path[2]) ||
                    path[3] != '.' || path[4] < '0' || path[4] > '7')
                        return false;
        return true;
}

bool driver_is_vfio(const char *name) {
        size_t n = strlen(name);

        return n >= 8 && str_starts(name + n - 8, "vfio") && (name[n - 4] == '-' || name[n - 4] == '_') &&
               str_eq(name + n - 3, "pci") && (n == 8 || name[n - 9] == '_' || name[n - 9] == '-');
}

bool driver_name_is_valid(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n >= DRIVER_NAME_MAX || str_eq(name, ".") || str_eq(name, "..") || *name == ' ' ||
            name[n - 1] == ' ')
                return false;
        for (; *name; name++)
                if (!isascii((unsigned char) *name) ||
                    !(isalnum((unsigned char) *name) || strchr("_.+- ", *name)))
                        return false;
        return true;
}
