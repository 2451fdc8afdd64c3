/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/pci-config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "model/acs.h"
#include "sys/iommu.h"
#include "sys/libpci.h"

#define FUNCTIONS_MAX 4096
#define CONFIG_SIZE 4096

/* A register that libpci has no name for: an Intel LPC bridge's RCBA (drivers/pci/quirks.c, INTEL_LPC_RCBA_REG) */
#define CLASS_ISA_BRIDGE 0x0601
#define LPC_RCBA 0xf0
#define LPC_RCBA_ENABLE 1

struct reading {
        struct pci_dev *dev;
        struct pci_function f;
        bool cut;      /* nothing behind the first 64 bytes, where all capabilities are */
        bool silent;   /* all ones */
        bool extended; /* more than the 256 bytes of conventional PCI */
};

static void read_acs(struct pci_dev *dev, struct pci_function *f) {
        struct pci_cap *cap = pci_find_cap(dev, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);

        if (!cap)
                return;
        f->has_acs = true;
        f->acs_capability = pci_read_word(dev, (int) cap->addr + PCI_ACS_CAP);
        f->acs_control = pci_read_word(dev, (int) (cap->addr + acs_control_offset(&f->id, f->type)));
}

static void read_sriov(struct pci_dev *dev, struct pci_function *f) {
        struct pci_cap *cap = pci_find_cap(dev, PCI_EXT_CAP_ID_SRIOV, PCI_CAP_EXTENDED);

        if (!cap || !(pci_read_word(dev, (int) cap->addr + PCI_IOV_CTRL) & PCI_IOV_CTRL_VFE))
                return;
        f->vf_count = pci_read_word(dev, (int) cap->addr + PCI_IOV_NUMVF);
        f->vf_offset = pci_read_word(dev, (int) cap->addr + PCI_IOV_OFFSET);
        f->vf_stride = pci_read_word(dev, (int) cap->addr + PCI_IOV_STRIDE);
        f->vf_device = pci_read_word(dev, (int) cap->addr + PCI_IOV_DID);
}

static void call_read(void *arg) {
        struct reading *r = arg;
        struct pci_dev *dev = r->dev;
        struct pci_function *f = &r->f;
        uint8_t header = pci_read_byte(dev, PCI_HEADER_TYPE), probe[4];
        struct pci_cap *cap;

        f->address = (struct bdf) { (uint32_t) dev->domain, dev->bus, dev->dev, dev->func };
        r->silent = pci_read_long(dev, PCI_VENDOR_ID) == UINT32_MAX && header == UINT8_MAX;
        r->cut = !pci_read_block(dev, 64, probe, sizeof(probe));
        r->extended = pci_read_block(dev, 256, probe, sizeof(probe));
        pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT | PCI_FILL_SUBSYS | PCI_FILL_CAPS |
                                   PCI_FILL_EXT_CAPS);
        f->id = (struct pci_id) { dev->vendor_id, dev->device_id };
        f->subsystem = (struct pci_id) { dev->subsys_vendor_id, dev->subsys_id };
        f->class_code = (uint32_t) dev->device_class << 8 | dev->prog_if;
        f->multifunction = header & 0x80;
        if ((header & 0x7f) == PCI_HEADER_TYPE_BRIDGE || (header & 0x7f) == PCI_HEADER_TYPE_CARDBUS)
                f->secondary = pci_read_byte(dev, PCI_SECONDARY_BUS);
        cap = pci_find_cap(dev, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);
        f->type = PCIE_NONE;
        if (cap) {
                f->type = (pci_read_word(dev, (int) cap->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
                read_acs(dev, f);
                read_sriov(dev, f);
        }
        f->rcba = dev->device_class == CLASS_ISA_BRIDGE && (pci_read_long(dev, LPC_RCBA) & LPC_RCBA_ENABLE);
}

static int err_reading(const struct reading *r, struct err *e) {
        char text[BDF_TEXT_MAX];

        bdf_format(&r->f.address, text);
        if (r->dev->dev > 0x1f || r->dev->func > 7)
                return err_set(e, -EBADMSG, ERR_INVALID, "", "%02x:%02x.%x is no address of a PCI function",
                               r->dev->bus, r->dev->dev, r->dev->func);
        if (r->cut)
                return err_set(
                        e, -EACCES, ERR_PERMISSION, text,
                        "%s: only the first 64 bytes of its configuration space are there, and groups follow "
                        "from what is behind them: this needs root, as does lspci -xxxx",
                        text);
        if (r->silent)
                return err_set(
                        e, -ENODATA, ERR_FAILED, text,
                        "%s: its configuration space is all ones, it was asleep or gone when it was read; wake "
                        "it (echo on >/sys/bus/pci/devices/%s/power/control) and read it again",
                        text, text);
        return 0;
}

/* Whatever order libpci has them in. */
static int read_all(struct pci_access *access, struct pci_topology *ret, struct err *e) {
        _cleanup_pci_topology_ struct pci_topology t = {};
        size_t n = 0, n_pcie = 0, n_extended = 0;
        int r;

        for (struct pci_dev *dev = access->devices; dev; dev = dev->next)
                n++;
        if (n > FUNCTIONS_MAX)
                return err_set(e, -EFBIG, ERR_INVALID, "", "%zu PCI functions are more than this can judge (%d)",
                               n, FUNCTIONS_MAX);
        t.list = calloc(n + 1, sizeof(*t.list));
        if (!t.list)
                return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory");
        for (struct pci_dev *dev = access->devices; dev; dev = dev->next) {
                struct reading reading = { .dev = dev };

                r = libpci_call(call_read, &reading);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, "", "configuration space can't be read: %s",
                                       libpci_message());
                r = err_reading(&reading, e);
                if (r < 0)
                        return r;
                n_pcie += pci_function_is_pcie(&reading.f);
                n_extended += reading.extended;
                t.list[t.n++] = reading.f;
        }
        if (n_pcie > 0 && n_extended == 0)
                return err_set(
                        e, -EBADMSG, ERR_INVALID, "",
                        "there are only 256 bytes of each function; what tells how they are isolated is behind "
                        "those: wanted what lspci -xxxx prints, with four x, as root");
        r = pci_topology_link(&t, e);
        if (r < 0)
                return r;

        *ret = TAKE(t, (struct pci_topology) {});
        return 0;
}

int host_pci_topology(const struct root *root, const struct pci_devices *devices, struct pci_topology *ret,
                      struct err *e) {
        _cleanup_(pci_cleanupp) struct pci_access *access = NULL;
        struct pci_topology t;
        int r;

        r = libpci_scan_host(root, &access, e);
        if (r < 0)
                return r;
        r = read_all(access, &t, e);
        if (r < 0)
                return r;
        t.ivrs |= root_exists(root, "/sys/firmware/acpi/tables/IVRS") == 1;
        t.iommu_on = iommu_group_count(root) > 0;
        for (size_t i = 0; t.iommu_on && i < t.n; i++) {
                const struct pci_device *d = pci_devices_find(devices, &t.list[i].address);

                t.list[i].translated = d && d->group >= 0;
        }

        *ret = t;
        return 0;
}

/* "00f0: 1f …", of which at most 4096 bytes: libpci 3.9 writes wherever a larger number leads it. */
static int check_row(const char *line, size_t length, size_t number, bool *ret_is_row, struct err *e) {
        size_t digits = 0;
        unsigned long offset;

        while (digits < length && isxdigit((unsigned char) line[digits]))
                digits++;
        *ret_is_row = digits >= 2 && digits <= 8 && digits + 1 < length && line[digits] == ':' &&
                      line[digits + 1] == ' ';
        if (!*ret_is_row)
                return 0;
        offset = strtoul(line, NULL, 16);
        if (offset >= CONFIG_SIZE || length > 200)
                return err_set(
                        e, -EBADMSG, ERR_INVALID, "",
                        "line %zu: wanted up to %d bytes of configuration space in rows of 16, as lspci -xxxx "
                        "prints them",
                        number, CONFIG_SIZE);
        return 0;
}

/* Keeps what libpci looks at, and lets it see nothing that it can't cope with: it gives up at long lines. */
static int copy_dump(const char *text, size_t size, int fd, struct err *e) {
        const char *end = text + size;
        size_t number = 0;

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t length = (size_t) ((newline ? newline : end) - text);
                bool row;
                int r;

                r = check_row(text, length, ++number, &row, e);
                if (r < 0)
                        return r;
                if (length == 0 || isxdigit((unsigned char) *text)) {
                        if (dprintf(fd, "%.*s\n", (int) (length > 200 ? 200 : length), text) < 0)
                                return err_set(e, -errno, ERR_FAILED, "", "cannot copy the dump: %s",
                                               strerror(errno));
                }
                text = newline ? newline + 1 : end;
        }
        return 0;
}

/* A kernel with an IOMMU has switched on whatever a capability offers, unless its command line said otherwise for
 * some. */
static bool looks_switched_on(const struct pci_topology *t) {
        bool any_off = false;

        for (size_t i = 0; i < t->n; i++) {
                uint16_t wanted = t->list[i].acs_capability & ACS_WANTED;

                if (wanted && (t->list[i].acs_control & wanted) == wanted)
                        return true;
                any_off |= wanted != 0;
        }
        return !any_off;
}

int dump_pci_topology(const char *text, size_t size, struct pci_topology *ret, struct err *e) {
        _cleanup_(pci_cleanupp) struct pci_access *access = NULL;
        _cleanup_close_ int fd = memfd_create("dump", MFD_CLOEXEC);
        struct pci_topology t;
        char path[64];
        int r;

        if (fd < 0)
                return err_set(e, -errno, ERR_FAILED, "", "memfd_create: %s", strerror(errno));
        r = copy_dump(text, size, fd, e);
        if (r < 0)
                return r;
        (void) str_format(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = libpci_scan_dump(path, &access, e);
        if (r < 0)
                return err_prefix(e, "this is not what lspci -xxxx prints");
        if (!access->devices)
                return err_set(e, -EBADMSG, ERR_INVALID, "",
                               "there is no PCI function in it: wanted what lspci -xxxx prints, as root");
        r = read_all(access, &t, e);
        if (r < 0)
                return r;
        t.iommu_on = looks_switched_on(&t);

        *ret = t;
        return 0;
}
