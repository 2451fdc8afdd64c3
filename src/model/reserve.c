/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/reserve.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

/* What follows NAME= in the token, without quotes around the whole of it; false: another parameter. */
static bool value_of(const struct token *t, const char *name, char *buf, size_t size) {
        const char *s = t->start;
        size_t n = t->length, k = strlen(name);

        if (n > 0 && *s == '"') {
                s++;
                n -= n > 1 && s[n - 2] == '"' ? 2 : 1;
        }
        if (n <= k || memcmp(s, name, k) != 0 || s[k] != '=')
                return false;
        (void) str_format(buf, size, "%.*s", (int) (n - k - 1), s + k + 1);
        return true;
}

bool cmdline_is_off(const char *cmdline) {
        struct token t;
        char value[16];
        bool on = true;

        while (cmdline_next(&cmdline, &t))
                if (value_of(&t, "passthru", value, sizeof(value)))
                        (void) str_to_bool(value, &on);
        return !on;
}

/* initramfs-tools, dracut and mkinitcpio; of dracut also those that take the interface from ip=. */
static bool is_network_root(const struct token *t) {
        static const char *const names[] = { "nfsroot",          "netroot",
                                             "nbdroot",          "BOOTIF",
                                             "iscsi_initiator",  "rd.iscsi.initiator",
                                             "rd.nvmf.discover", "fcoe" };
        static const char *const roots[] = { "/dev/nfs", "/dev/nbd", "nfs",       "nbd",      "iscsi",
                                             "cifs",     "dhcp",     "live:http", "live:nfs", "live:ftp" };
        static const char *const none[] = { "off", "none" };
        char value[256];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (value_of(t, names[i], value, sizeof(value)))
                        return true;
        if (value_of(t, "root", value, sizeof(value)))
                for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
                        if (str_starts(value, roots[i]))
                                return true;
        if (!value_of(t, "ip", value, sizeof(value)))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                if (str_eq(value, none[i]))
                        return false;
        return true;
}

bool cmdline_has_network_root(const char *cmdline) {
        struct token t;

        while (cmdline_next(&cmdline, &t))
                if (is_network_root(&t))
                        return true;
        return false;
}

/* "/dev/disk/by-path/pci-0000:01:00.0-nvme-1-part2" */
static bool names_disk(const char *cmdline, const struct bdf *address) {
        static const char *const names[] = { "root", "resume", "mount.usr" };
        char needle[sizeof("/by-path/pci--") + BDF_TEXT_MAX], text[BDF_TEXT_MAX], value[256];
        struct token t;

        (void) str_format(needle, sizeof(needle), "/by-path/pci-%s-", bdf_format(address, text));
        while (cmdline_next(&cmdline, &t))
                for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                        if (value_of(&t, names[i], value, sizeof(value)) && strstr(value, needle))
                                return true;
        return false;
}

static size_t count_displays(const struct pci_devices *devices) {
        size_t n = 0;

        for (size_t i = 0; i < devices->n; i++)
                n += pci_device_is_display(&devices->list[i]);
        return n;
}

int reserve_check(const struct early *early, const struct pci_devices *devices, const struct pci_device *d,
                  bool force, const char *cmdline, struct err *e) {
        char text[BDF_TEXT_MAX], path[PCI_PATH_MAX];
        const char *name = bdf_format(&d->address, text);

        if (d->bridge)
                return err_set(e, -EPERM, ERR_REFUSED, name, "%s is a bridge: what is behind it would be lost",
                               name);
        for (size_t i = 0; i < early->n_keep; i++)
                if (pci_path_format(devices, d, path) >= 0 && str_eq(path, early->keep[i].path))
                        return err_set(e, -EPERM, ERR_REFUSED, name, "%s holds what the host boots from: %s", name,
                                       early->keep[i].what);
        if (names_disk(cmdline, &d->address))
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "%s holds what the host boots from: the kernel command line names its disk", name);
        if (force)
                return 0;
        if (d->boot_vga || (pci_device_is_display(d) && count_displays(devices) == 1))
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "%s is %s: the host's screen would stay black; force=yes takes it all the same",
                               name, d->boot_vga ? "the display that the firmware uses" : "the only display");
        if (pci_device_is_network(d) && cmdline_has_network_root(cmdline))
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "%s is a network card, and the host boots over the network: it may be the one; "
                               "force=yes takes it all the same",
                               name);
        return 0;
}
