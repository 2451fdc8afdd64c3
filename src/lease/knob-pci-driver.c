/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The driver of a PCI function. A value is "DRIVER" or "DRIVER override=NAME", with "none" for no driver; a claim
 * is the name of a vfio driver. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "lease/knob-pci.h"
#include "sys/driver.h"
#include "sys/holders.h"
#include "sys/pci.h"

#define NO_DRIVER "none"
#define OVERRIDE " override="

static int value_format(const struct binding *b, char ret[static KNOB_VALUE_MAX]) {
        return str_format(ret, KNOB_VALUE_MAX, "%s%s%s", *b->driver ? b->driver : NO_DRIVER,
                          *b->override ? OVERRIDE : "", b->override);
}

static int value_parse(const char *value, struct binding *ret) {
        const char *override = strstr(value, OVERRIDE);
        size_t n = override ? (size_t) (override - value) : strlen(value);
        struct binding b = {};

        if (n >= sizeof(b.driver))
                return -EINVAL;
        memcpy(b.driver, value, n);
        if (!driver_name_is_valid(b.driver))
                return -EINVAL;
        if (str_eq(b.driver, NO_DRIVER))
                *b.driver = '\0';
        if (override) {
                override += strlen(OVERRIDE);
                if (!driver_name_is_valid(override))
                        return -EINVAL;
                strcpy(b.override, override);
        }
        *ret = b;
        return 0;
}

static bool value_is_valid(const char *value) {
        struct binding b;

        return value_parse(value, &b) >= 0;
}

bool pci_name_is_valid(const char *name) {
        struct bdf address;
        char text[BDF_TEXT_MAX];

        return bdf_parse(name, &address) >= 0 && str_eq(bdf_format(&address, text), name);
}

static int read_binding(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        struct bdf address;
        struct binding b;
        int r;

        r = bdf_parse(name, &address);
        if (r < 0)
                return err_set(e, r, ERR_INVALID, name, "'%s' is no PCI address like 0000:01:00.0", name);
        r = binding_read(root, &address, &b, e);
        if (r < 0)
                return r;
        r = value_format(&b, ret);
        return r < 0 ? err_set(e, r, ERR_FAILED, name, "driver names of %s are too long", name) : 0;
}

/* The kernel lets vfio-pci be unbound while a virtual machine has the device open, and then sleeps in the unbind
 * until the machine ends. */
static int refuse_if_open(const struct root *root, const struct bdf *address, const char *name, struct err *e) {
        _cleanup_holders_ struct holders holders = {};
        struct pci_device d;
        char driver[DRIVER_NAME_MAX], text[512];
        uint64_t open_devices;
        int r;

        r = root_link_name(root, driver, sizeof(driver), "/sys/bus/pci/devices/%s/driver", name);
        if (r == -ENOENT || (r >= 0 && !driver_is_vfio(driver)))
                return 0; /* also without the function itself: who wants to bind it sees that */
        /* The module counts the devices that are open, and says so faster than all of /proc. */
        if (root_read_u64(root, 10, UINT64_MAX, &open_devices, "/sys/bus/pci/devices/%s/driver/module/refcnt", name) >= 0 &&
            open_devices == 0)
                return 0;
        r = host_pci_device(root, address, &d, e);
        if (r < 0)
                return r;
        r = holders_find(root, (const struct pci_device *[]) { &d }, 1, &holders, e);
        if (r < 0)
                return r;
        if (holders.n == 0)
                return 0;
        return err_set(e, -EBUSY, ERR_IN_USE, name, "%s cannot be given back while it is in use: %s; it is given back "
                       "when that ends", name, holders_describe(&holders, text, sizeof(text)));
}

static int write_binding(const struct knob_write *w, struct err *e) {
        const struct root *root = w->root;
        const char *name = w->name;
        struct binding want, chosen;
        struct bdf address;
        int r;

        if (bdf_parse(name, &address) < 0 || value_parse(w->value, &want) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, name, "'%s' is no driver for %s", w->value, name);

        if (!driver_is_vfio(want.driver)) {
                r = refuse_if_open(root, &address, name, e);
                if (r < 0)
                        return r;
        }
        r = binding_write(root, &address, &want, e);
        if (r != -ENXIO || driver_is_vfio(want.driver))
                return r;

        /* The driver of the baseline does not take the device any more: any driver that the host chooses is better than a
         * device that nothing can bind. Where there is no such driver now, none is what the host would choose. */
        if (binding_auto(root, &address, &chosen, NULL) < 0 ||
            (!*chosen.driver && root_exists(root, "/sys/bus/pci/drivers/%s", want.driver) != 0))
                return r;
        *e = (struct err) {};
        return 1;
}

static int target_binding(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        if (view->n_claims == 0)
                return str_copy(ret, KNOB_VALUE_MAX, view->baseline);
        return str_format(ret, KNOB_VALUE_MAX, "%s" OVERRIDE "%s", view->claims[0], view->claims[0]);
}

/* libvirt ≥ 10 may put a variant driver in the place of vfio-pci. */
static bool is_vfio_too(const char *current, const char *target) {
        struct binding c, t;

        if (value_parse(current, &c) < 0 || value_parse(target, &t) < 0)
                return false;
        return str_eq(current, target) || (driver_is_vfio(c.driver) && driver_is_vfio(t.driver));
}

/* With managed='yes' libvirt itself puts the device back before the release hook runs, and a kill can stop us
 * between two writes: these are not somebody else's doing. */
static bool is_foreign(const struct knob_view *view) {
        struct binding current, applied, baseline;
        bool driver_known, override_known;

        if (value_parse(view->current, &current) < 0 || value_parse(view->applied, &applied) < 0 ||
            value_parse(view->baseline, &baseline) < 0)
                return true;
        override_known = str_eq(current.override, applied.override) ||
                         str_eq(current.override, baseline.override) || driver_is_vfio(current.override);
        driver_known = driver_is_vfio(current.driver) || str_eq(current.driver, baseline.driver) ||
                       (!*current.driver && driver_is_vfio(current.override));
        return !driver_known || !override_known;
}

/* A bus reset hits all functions behind the same port, so they must not be in work at once. Functions on a root bus are
 * in one lane too: whether there is a port above cannot be asked any more once a function is gone. */
void pci_lane(const char *name, char ret[static KNOB_LANE_MAX]) {
        struct bdf address = {};

        (void) bdf_parse(name, &address);
        (void) str_format(ret, KNOB_LANE_MAX, "pci-%04x:%02x", address.domain, address.bus);
}

/* Another card in the same slot must not get the driver of the one before. */
int pci_identify(const struct root *root, const char *name, char ret[static KNOB_IDENTITY_MAX], struct err *e) {
        char id_text[PCI_ID_TEXT_MAX], subsystem_text[PCI_ID_TEXT_MAX];
        struct pci_id id, subsystem;
        struct bdf address;
        int r;

        if (bdf_parse(name, &address) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, name, "'%s' is no PCI address like 0000:01:00.0", name);
        r = host_pci_ids(root, &address, &id, &subsystem, e);
        if (r < 0)
                return r;
        return str_format(ret, KNOB_IDENTITY_MAX, "%s/%s", pci_id_format(&id, id_text),
                          pci_id_format(&subsystem, subsystem_text));
}

const struct knob_kind knob_pci_driver = {
        .name = "pci-driver",
        .phase = 50,
        .exclusive = true,
        .name_is_valid = pci_name_is_valid,
        .value_is_valid = value_is_valid,
        .read = read_binding,
        .write = write_binding,
        .target = target_binding,
        .satisfies = is_vfio_too,
        .is_foreign = is_foreign,
        .lane = pci_lane,
        .identify = pci_identify,
};
