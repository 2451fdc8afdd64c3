/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/pci.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/libpci.h"
#include "sys/pci-internal.h"

#define DEVICE "/sys/bus/pci/devices/%s"

/* libpci has all of these from sysfs. It reads configuration space for capabilities only, which nobody here
 * asks for, and where sysfs lacks an attribute that every kernel since 4.10 has. */
static void call_fill(void *dev) {
        pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT | PCI_FILL_SUBSYS);
}

/* 1: filled; 0: the function has gone since the scan. */
static int fill(const struct root *root, struct pci_dev *dev, struct pci_device *ret, struct err *e) {
        struct pci_device d = { .address = { (uint32_t) dev->domain, dev->bus, dev->dev, dev->func } };
        const char *why = libpci_message();
        char name[BDF_TEXT_MAX];
        int r;

        bdf_format(&d.address, name);
        r = libpci_call(call_fill, dev);
        if (r < 0)
                goto fail;
        d.id = (struct pci_id) { dev->vendor_id, dev->device_id };
        d.subsystem = (struct pci_id) { dev->subsys_vendor_id, dev->subsys_id };
        d.class_code = (uint32_t) dev->device_class << 8 | dev->prog_if;
        d.revision = dev->rev_id;
        r = pci_device_read_more(root, name, &d);
        if (r < 0) {
                why = strerror(-r);
                goto fail;
        }

        *ret = d;
        return 1;
fail:
        if (root_exists(root, DEVICE, name) == 0)
                return 0;
        return err_set(e, -EIO, ERR_FAILED, name, "%s: cannot be read from sysfs: %s", name, why);
}

static int compare_devices(const void *a, const void *b) {
        return bdf_compare(&((const struct pci_device *) a)->address, &((const struct pci_device *) b)->address);
}

int host_pci_devices(const struct root *root, struct pci_devices *ret, struct err *e) {
        _cleanup_(pci_cleanupp) struct pci_access *access = NULL;
        _cleanup_pci_devices_ struct pci_devices devices = {};
        size_t n = 0;
        int r;

        if (root_exists(root, "/sys/bus/pci/devices") == 0) {
                *ret = devices;
                return 0;
        }
        r = libpci_scan_host(root, &access, e);
        if (r < 0)
                return r;

        for (struct pci_dev *dev = access->devices; dev; dev = dev->next)
                n++;
        devices.list = calloc(n + 1, sizeof(*devices.list));
        if (!devices.list)
                return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory");
        for (struct pci_dev *dev = access->devices; dev; dev = dev->next) {
                r = fill(root, dev, &devices.list[devices.n], e);
                if (r < 0)
                        return r;
                devices.n += (size_t) r;
        }
        qsort(devices.list, devices.n, sizeof(*devices.list), compare_devices);

        *ret = TAKE(devices, (struct pci_devices) {});
        return 0;
}

struct pci_names {
        struct pci_access *access;
        int flags;
};

int pci_names_new(struct pci_names **ret) {
        struct pci_names *names = calloc(1, sizeof(*names));

        if (!names)
                return -ENOMEM;
        names->access = libpci_new();
        /* It reads some ten thousand names, each into a piece of the heap: let that grow in few steps. */
        (void) mallopt(M_TOP_PAD, 4 << 20);
        /* The file pci.ids alone: no DNS, no cache in a home directory, no udev database. */
        names->access->id_lookup_mode = 0;
        names->flags = PCI_LOOKUP_NO_HWDB;

        *ret = names;
        return 0;
}

void pci_names_free(struct pci_names *names) {
        pci_cleanup(names->access);
        free(names);
}

struct lookup {
        struct pci_names *names;
        const struct pci_device *device;
        int what;
        char *buf;
        size_t size;
};

static void call_lookup(void *arg) {
        struct lookup *l = arg;
        int first = l->what == PCI_LOOKUP_CLASS ? (int) (l->device->class_code >> 8) : l->device->id.vendor;
        const char *text;

        text = pci_lookup_name(l->names->access, l->buf, (int) l->size, l->what | l->names->flags, first,
                               l->device->id.device);
        if (text != l->buf)
                (void) str_copy(l->buf, l->size, text);
}

static const char *lookup(struct pci_names *names, const struct pci_device *d, int what, char *buf, size_t size) {
        struct lookup l = { names, d, what, buf, size };

        if (libpci_call(call_lookup, &l) < 0) {
                /* pci.ids is damaged: from now on only numbers, for which it is not read. */
                names->flags |= PCI_LOOKUP_NUMERIC;
                if (libpci_call(call_lookup, &l) < 0)
                        *buf = '\0';
        }
        str_printable(buf);
        return buf;
}

const char *pci_names_class(struct pci_names *names, const struct pci_device *d, char *buf, size_t size) {
        return lookup(names, d, PCI_LOOKUP_CLASS, buf, size);
}

const char *pci_names_device(struct pci_names *names, const struct pci_device *d, char *buf, size_t size) {
        return lookup(names, d, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, buf, size);
}
