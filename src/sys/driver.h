/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/pci-device.h"

/* Which driver has a PCI function, and which one alone may take it. */
struct binding {
        char driver[DRIVER_NAME_MAX];   /* "" none */
        char override[DRIVER_NAME_MAX]; /* driver_override; "" any driver that matches */
};

/* Errors: -ENODEV (with the address in *e), what reading sysfs answered (-ENAMETOOLONG: an override that no
 * driver can match). */
int binding_read(const struct root *root, const struct bdf *address, struct binding *ret, struct err *e);

/* Makes the binding so, in the order that leaves no window for another driver: override, unbind, probe, final
 * override; every write is read back. When the wanted driver is already bound only the override is written.
 * A wanted driver of "" unbinds. On an error the device is wherever the error says; the caller reconciles.
 * Can hang in the driver: call it in a child (base/child.h).
 *
 * Errors: -EINVAL a name that no driver can have; -ENODEV the function is gone; -EBUSY another driver had it
 * again right after the unbind; -EIO somebody else wrote the override; -ENXIO the kernel probed, but the wanted
 * driver did not take the device (the message says whether it is loaded): its override then still aims at that
 * driver, so that no other one gets it; what the driver's own write answered. */
int binding_write(const struct root *root, const struct bdf *address, const struct binding *want, struct err *e);

/* Only says which driver may take the function from now on; what is bound stays. Does not wait for a driver: the kernel
 * takes the lock of the device, which nobody holds before the first driver was loaded. Errors as binding_write. */
int binding_reserve(const struct root *root, const struct bdf *address, const char *driver, struct err *e);

/* Lets the kernel choose: clears the override and probes if there is no driver. For when the driver of the
 * baseline no longer exists. *ret is what it chose. */
int binding_auto(const struct root *root, const struct bdf *address, struct binding *ret, struct err *e);
