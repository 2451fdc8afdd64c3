/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define DEVICE "/sys/bus/pci/devices/%s"

static int err_gone(const char *address, struct err *e) {
        return err_set(e, -ENODEV, ERR_NOT_FOUND, address,
                       "%s: no such PCI function; it may have been unplugged or switched off: see lspci -D",
                       address);
}

/* What a failed read or write means once the function itself may have gone. */
static int err_io(const struct root *root, const char *address, int r, const char *what, struct err *e) {
        if (root_exists(root, DEVICE, address) == 0)
                return err_gone(address, e);
        return err_set(e, r, r == -EACCES || r == -EPERM ? ERR_PERMISSION : ERR_FAILED, address,
                       "%s: cannot %s: %s", address, what, strerror(-r));
}

static int read_binding(const struct root *root, const char *address, struct binding *ret, struct err *e) {
        struct binding b = {};
        int r;

        /* No link, or no function: without one the override cannot be read either. */
        r = root_link_name(root, b.driver, sizeof(b.driver), DEVICE "/driver", address);
        if (r < 0 && r != -ENOENT)
                return err_io(root, address, r, "read which driver it has", e);
        r = root_read_attr(root, b.override, sizeof(b.override), DEVICE "/driver_override", address);
        if (r < 0)
                return err_io(root, address, r, "read driver_override", e);
        /* How the kernel prints a pointer that is NULL; no driver is called so. */
        if (str_eq(b.override, "(null)"))
                *b.override = '\0';

        *ret = b;
        return 0;
}

int binding_read(const struct root *root, const struct bdf *address, struct binding *ret, struct err *e) {
        char text[BDF_TEXT_MAX];

        return read_binding(root, bdf_format(address, text), ret, e);
}

/* *now is what the function has, before and after. */
static int set_override(const struct root *root, const char *address, const char *value, struct binding *now,
                        struct err *e) {
        int r;

        if (str_eq(now->override, value))
                return 0;
        r = root_write_attr(root, *value ? value : "\n", DEVICE "/driver_override", address);
        if (r < 0)
                return err_io(root, address, r, "write driver_override", e);
        r = read_binding(root, address, now, e);
        if (r < 0)
                return r;
        if (!str_eq(now->override, value))
                return err_set(e, -EIO, ERR_FAILED, address,
                               "%s: wrote '%s' to driver_override, but it reads '%s': another program (driverctl, "
                               "a udev rule) writes it as well",
                               address, value, now->override);
        return 0;
}

/* Afterwards *now is what the function has: no driver, or the wanted one when somebody was faster. */
static int unbind(const struct root *root, const char *address, const char *wanted, struct binding *now,
                  struct err *e) {
        int r;

        r = root_write_attr(root, address, DEVICE "/driver/unbind", address);
        /* ENOENT and ENODEV: the driver let go between our look and the write. What counts is read below. */
        if (r < 0 && r != -ENOENT && r != -ENODEV)
                return err_io(root, address, r, "unbind its driver", e);
        r = read_binding(root, address, now, e);
        if (r < 0)
                return r;
        if (*now->driver && !str_eq(now->driver, wanted))
                return err_set(e, -EBUSY, ERR_IN_USE, address,
                               "%s: unbound, but driver %s has it again: something binds it at once; look for "
                               "udev rules and services that do",
                               address, now->driver);
        return 0;
}

static int probe(const struct root *root, const char *address, struct binding *now, struct err *e) {
        int r;

        r = root_write_attr(root, address, "/sys/bus/pci/drivers_probe");
        if (r < 0)
                return err_io(root, address, r, "have the kernel look for a driver", e);
        return read_binding(root, address, now, e);
}

static int err_not_taken(const struct root *root, const char *address, const char *wanted,
                         const struct binding *now, struct err *e) {
        char hint[256];

        if (root_exists(root, "/sys/bus/pci/drivers/%s", wanted) == 1)
                (void) str_format(hint, sizeof(hint),
                                  "%s is loaded and did not take it; the kernel's log says why: "
                                  "journalctl -k | grep %s",
                                  wanted, address);
        else
                (void) str_format(hint, sizeof(hint), "there is no such driver now; load it: modprobe %s", wanted);
        return err_set(e, -ENXIO, ERR_FAILED, address, "%s: wanted driver %s, found %s: %s", address, wanted,
                       *now->driver ? now->driver : "none", hint);
}

int binding_write(const struct root *root, const struct bdf *address, const struct binding *want, struct err *e) {
        char text[BDF_TEXT_MAX];
        const char *name = bdf_format(address, text);
        struct binding now;
        int r;

        if ((*want->driver && !driver_name_is_valid(want->driver)) ||
            (*want->override && !driver_name_is_valid(want->override)))
                return err_set(e, -EINVAL, ERR_INVALID, name,
                               "%s: driver '%s', override '%s': names of drivers have letters, digits, _ . + -",
                               name, want->driver, want->override);

        r = read_binding(root, name, &now, e);
        if (r < 0)
                return r;
        if (str_eq(now.driver, want->driver))
                return set_override(root, name, want->override, &now, e);

        /* Before the unbind: else whoever probes in between gives it to the driver that just lost it. */
        r = set_override(root, name, *want->driver ? want->driver : want->override, &now, e);
        if (r < 0)
                return r;
        if (*now.driver) {
                r = unbind(root, name, want->driver, &now, e);
                if (r < 0)
                        return r;
        }
        /* drivers_probe answers 0 even when no driver took the device. */
        if (!str_eq(now.driver, want->driver)) {
                r = probe(root, name, &now, e);
                if (r < 0)
                        return r;
        }
        if (!str_eq(now.driver, want->driver))
                return err_not_taken(root, name, want->driver, &now, e);
        return set_override(root, name, want->override, &now, e);
}

int binding_reserve(const struct root *root, const struct bdf *address, const char *driver, struct err *e) {
        char text[BDF_TEXT_MAX];
        struct binding now;
        int r;

        bdf_format(address, text);
        if (!driver_name_is_valid(driver))
                return err_set(e, -EINVAL, ERR_INVALID, text, "%s: '%s' cannot be the name of a driver", text, driver);
        r = read_binding(root, text, &now, e);
        return r < 0 ? r : set_override(root, text, driver, &now, e);
}

int binding_auto(const struct root *root, const struct bdf *address, struct binding *ret, struct err *e) {
        char text[BDF_TEXT_MAX];
        const char *name = bdf_format(address, text);
        struct binding now;
        int r;

        r = read_binding(root, name, &now, e);
        if (r >= 0)
                r = set_override(root, name, "", &now, e);
        if (r < 0)
                return r;
        if (!*now.driver) {
                r = probe(root, name, &now, e);
                if (r < 0)
                        return r;
        }

        *ret = now;
        return 0;
}
