/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan-devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sys/holders.h"
#include "sys/iommu.h"
#include "sys/module.h"
#include "sys/pci.h"

#define DEFAULT_DRIVER "vfio-pci"

/* A device on its way to a claim. */
struct candidate {
        struct pci_device device;
        const struct request_device *wanted; /* NULL: only a member of the same group */
};

struct candidates {
        struct candidate list[STATE_CLAIMS_MAX];
        size_t n;
        struct pci_devices groups[REQUEST_DEVICES_MAX]; /* all members of the IOMMU groups of the devices asked for */
        size_t n_groups;
};

static void candidates_free(struct candidates *c) {
        for (size_t i = 0; i < c->n_groups; i++)
                pci_devices_done(&c->groups[i]);
        free(c);
}
DEFINE_CLEANUP(struct candidates *, candidates_free)

static struct candidate *find(struct candidates *c, const struct bdf *address) {
        for (size_t i = 0; i < c->n; i++)
                if (bdf_compare(&c->list[i].device.address, address) == 0)
                        return &c->list[i];
        return NULL;
}

static int check_id(const char *what, bool expected, const struct pci_id *wanted, const struct pci_id *found,
                    const char *address, struct err *e) {
        char w[PCI_ID_TEXT_MAX], f[PCI_ID_TEXT_MAX];

        if (!expected || pci_id_equal(wanted, found))
                return 0;
        return err_set(e, -ENODEV, ERR_REFUSED, address,
                       "%s should have %s %s and has %s: addresses move when cards are added or moved; see 'passthru "
                       "groups' and correct the domain", address, what, pci_id_format(wanted, w),
                       pci_id_format(found, f));
}

static int check_device(const struct request *q, const struct candidate *c, struct err *e) {
        const struct pci_device *d = &c->device;
        char address[BDF_TEXT_MAX];
        int r;

        bdf_format(&d->address, address);
        if (c->wanted) {
                r = check_id("id", c->wanted->has_id, &c->wanted->id, &d->id, address, e);
                if (r < 0)
                        return r;
                r = check_id("subsystem id", c->wanted->has_subsystem, &c->wanted->subsystem, &d->subsystem, address, e);
                if (r < 0)
                        return r;
        }
        if (d->bridge)
                return err_set(e, -EINVAL, ERR_REFUSED, address,
                               "%s is a bridge: bridges stay with the host; name the devices behind it", address);
        if (d->group < 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, address,
                               "%s is in no IOMMU group: the IOMMU is off. Enable VT-d or AMD-Vi in the firmware, and on "
                               "Intel boot with intel_iommu=on; 'passthru check' tells more", address);
        if (d->boot_vga && !q->boot_vga)
                return err_set(e, -EPERM, ERR_REFUSED, address,
                               "%s is the display that the firmware booted with: lending it leaves the host without a "
                               "console. If that is meant, set boot-vga=yes in [domain] of "
                               "/etc/passthru/domains/%s.conf", address, q->domain);
        return 0;
}

static int check_driver_wanted(const struct request_device *w, struct err *e) {
        char address[BDF_TEXT_MAX];

        if (!*w->driver || driver_is_vfio(w->driver))
                return 0;
        return err_set(e, -EINVAL, ERR_INVALID, bdf_format(&w->address, address),
                       "'%s' is no vfio driver; wanted vfio-pci or a variant like mlx5_vfio_pci", w->driver);
}

/* Each group is read once: its members are most often asked for together. */
static int read_device(const struct root *root, struct candidates *c, const struct bdf *address, struct pci_device *ret,
                       struct err *e) {
        const struct pci_device *known = NULL;
        int group, r;

        for (size_t i = 0; i < c->n_groups && !known; i++)
                known = pci_devices_find(&c->groups[i], address);
        if (!known) {
                group = iommu_group_of(root, address);
                if (group < 0) /* which is said later, or the function is not there at all */
                        return host_pci_device(root, address, ret, e);
                r = iommu_group_devices(root, group, &c->groups[c->n_groups], e);
                if (r < 0)
                        return r;
                known = pci_devices_find(&c->groups[c->n_groups++], address);
        }
        if (!known) {
                char text[BDF_TEXT_MAX];

                return err_set(e, -ENODEV, ERR_NOT_FOUND, bdf_format(address, text),
                               "%s left its IOMMU group while that was read: it was unplugged", text);
        }
        *ret = *known;
        return 0;
}

/* The endpoints of the group that nobody asked for. A member without a driver does not disturb VFIO, but would when
 * the host finds one for it, so it comes along too. */
static int add_group(const struct request *q, struct candidates *c, const struct pci_devices *members, struct err *e) {
        char address[BDF_TEXT_MAX];

        for (size_t i = 0; i < members->n; i++) {
                const struct pci_device *d = &members->list[i];

                if (d->bridge || find(c, &d->address))
                        continue;
                if (q->group == GROUP_STRICT)
                        return err_set(e, -EPERM, ERR_REFUSED, bdf_format(&d->address, address),
                                       "%s (driver %s) is in the same IOMMU group %d and was not asked for: the group "
                                       "can only be lent as a whole. Add it to the domain, or set group=expand",
                                       address, *d->driver ? d->driver : "none", d->group);
                if (c->n == ARRAY_SIZE(c->list))
                        return err_set(e, -ENOSPC, ERR_REFUSED, bdf_format(&d->address, address),
                                       "IOMMU group %d has too many devices", d->group);
                c->list[c->n++] = (struct candidate) { .device = *d };
        }
        return 0;
}

static int collect(const struct root *root, const struct request *q, struct candidates *c, struct err *e) {
        size_t asked;
        int r;

        for (size_t i = 0; i < q->n_devices; i++) {
                struct candidate *next = &c->list[c->n];

                next->wanted = &q->devices[i];
                r = check_driver_wanted(next->wanted, e);
                if (r < 0)
                        return r;
                r = read_device(root, c, &q->devices[i].address, &next->device, e);
                if (r < 0)
                        return r;
                r = check_device(q, next, e);
                if (r < 0)
                        return r;
                c->n++;
        }
        asked = c->n;
        for (size_t i = 0; i < c->n_groups; i++) {
                r = add_group(q, c, &c->groups[i], e);
                if (r < 0)
                        return r;
        }
        for (size_t i = asked; i < c->n; i++) {
                r = check_device(q, &c->list[i], e);
                if (r < 0)
                        return err_prefix(e, "a device of the same IOMMU group cannot be lent along");
        }
        return 0;
}

static int check_not_lent(const struct state *s, const struct lease *lease, const char *address, struct err *e) {
        const struct lease *other = state_claimant(s, &knob_pci_driver, address);
        const struct knob *k = state_find_knob(s, &knob_pci_driver, address);

        /* Even to read some of its attributes would hang. */
        if (k && k->pending && str_eq(k->error, ERR_TIMEOUT))
                return err_set(e, -ETIMEDOUT, ERR_TIMEOUT, address, "%s", k->message);
        if (!other || str_eq(other->domain, lease->domain))
                return 0;
        return err_set(e, -EBUSY, ERR_IN_USE, address, "%s is lent to domain %s; shut that down first, or 'passthru "
                       "return %s'", address, other->domain, other->domain);
}

/* A device on vfio that the domain already has may well be open in its virtual machine: that is no obstacle. */
static bool is_checked(const struct candidate *c, bool has_lease) {
        return !has_lease || !driver_is_vfio(c->device.driver);
}

/* All devices at once: one walk over /proc. */
static int find_users(const struct root *root, const struct candidates *c, bool has_lease, struct err *e) {
        const struct pci_device *devices[STATE_CLAIMS_MAX] = {};
        struct holders holders[STATE_CLAIMS_MAX] = {};
        char address[BDF_TEXT_MAX], text[768];
        size_t n = 0;
        int r;

        for (size_t i = 0; i < c->n; i++)
                if (is_checked(&c->list[i], has_lease))
                        devices[n++] = &c->list[i].device;
        r = holders_find(root, devices, n, holders, e);
        for (size_t i = 0; i < n; i++) {
                if (r >= 0 && holders[i].n > 0)
                        r = err_set(e, -EBUSY, ERR_IN_USE, bdf_format(&devices[i]->address, address),
                                    "%s is in use: %s; nothing was lent", address,
                                    holders_describe(&holders[i], text, sizeof(text)));
                holders_done(&holders[i]);
        }
        return r;
}

/* udev looks into every disk that appears or was written to, for a moment: what is gone at the second look was no
 * reason to refuse. */
static int check_unused(const struct root *root, const struct candidates *c, bool has_lease, struct err *e) {
        int r = find_users(root, c, has_lease, e);

        for (unsigned tries = 0; r == -EBUSY && tries < 3; tries++) {
                (void) nanosleep(&(struct timespec) { .tv_nsec = 150000000 }, NULL);
                r = find_users(root, c, has_lease, e);
        }
        return r;
}

/* VFIO needs every function of a group on a vfio driver or on none; bridges of its own kind apart. What would still be in
 * the way after the candidates were lent (an ISA bridge with a driver, say) is found before anything is touched. */
static int check_viable(struct candidates *c, struct err *e) {
        char address[BDF_TEXT_MAX];

        for (size_t i = 0; i < c->n_groups; i++) {
                const struct pci_devices *members = &c->groups[i];
                const struct pci_device *blocker;
                int group = members->list[0].group;

                for (size_t k = 0; k < members->n; k++)
                        if (find(c, &members->list[k].address))
                                *members->list[k].driver = '\0';
                if (!iommu_group_is_viable(members, group, &blocker))
                        return err_set(e, -EPERM, ERR_REFUSED, bdf_format(&blocker->address, address),
                                       "IOMMU group %d cannot be lent: %s in it has driver %s and is not a device that "
                                       "can come along; see 'passthru groups'", group, address, blocker->driver);
        }
        return 0;
}

static int load_modules(const struct root *root, const struct lease *lease, struct err *e) {
        for (size_t i = 0; i < lease->n_claims; i++) {
                const struct claim *c = &lease->claims[i];
                int r;

                if (c->kind != &knob_pci_driver || (i > 0 && str_eq(c->value, lease->claims[i - 1].value)))
                        continue;
                r = module_ensure(root, c->value, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Within a slot the last function goes first: the sound function of a GPU must let go before the display does
 * (vga_switcheroo holds it otherwise). Giving back is in the reverse order. */
static int compare_candidates(const void *a, const void *b) {
        const struct bdf *x = &((const struct candidate *) a)->device.address,
                         *y = &((const struct candidate *) b)->device.address;

        return bdf_same_slot(x, y) ? y->function - x->function : bdf_compare(x, y);
}

int plan_devices(const struct root *root, const struct request *q, const struct state *s, struct lease *lease,
                 struct err *e) {
        _cleanup_(candidates_freep) struct candidates *c = NULL;
        int r;

        if (q->n_devices == 0)
                return 0;
        c = calloc(1, sizeof(*c));
        if (!c)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = collect(root, q, c, e);
        if (r < 0)
                return r;
        qsort(c->list, c->n, sizeof(*c->list), compare_candidates);

        for (size_t i = 0; i < c->n; i++) {
                const struct request_device *w = c->list[i].wanted;
                struct claim claim = { .kind = &knob_pci_driver };

                bdf_format(&c->list[i].device.address, claim.name);
                r = check_not_lent(s, lease, claim.name, e);
                if (r < 0)
                        return r;
                r = str_copy(claim.value, sizeof(claim.value), w && *w->driver ? w->driver : DEFAULT_DRIVER);
                if (r >= 0)
                        r = lease_add_claim(lease, &claim);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, claim.name, "%s: %s", claim.name, strerror(-r));
        }
        r = check_viable(c, e);
        if (r >= 0 && !q->dry_run)
                r = load_modules(root, lease, e);
        /* Last, so that as little time as possible passes before the first write. */
        return r < 0 ? r : check_unused(root, c, state_find_lease(s, lease->domain), e);
}

static int verify_group(const struct pci_devices *members, int group, struct err *e) {
        const struct pci_device *blocker;
        char address[BDF_TEXT_MAX];

        if (iommu_group_is_viable(members, group, &blocker))
                return 0;
        return err_set(e, -EBUSY, ERR_FAILED, bdf_format(&blocker->address, address),
                       "IOMMU group %d cannot be lent: %s in it is bound to %s again", group, address, blocker->driver);
}

int verify_groups(const struct root *root, const struct lease *lease, struct err *e) {
        _cleanup_pci_devices_ struct pci_devices members = {};

        for (size_t i = 0; i < lease->n_claims; i++) {
                struct bdf a;
                int group, r;

                if (lease->claims[i].kind != &knob_pci_driver)
                        continue; /* of another planner */
                if (bdf_parse(lease->claims[i].name, &a) < 0)
                        return err_set(e, -EINVAL, ERR_FAILED, lease->claims[i].name, "bad address");
                if (pci_devices_find(&members, &a))
                        continue; /* verified with the claim before */
                group = iommu_group_of(root, &a);
                if (group < 0)
                        return err_set(e, group, ERR_FAILED, lease->claims[i].name,
                                       "%s is in no IOMMU group any more: was it unplugged?",
                                       lease->claims[i].name);
                pci_devices_done(&members);
                r = iommu_group_devices(root, group, &members, e);
                if (r >= 0)
                        r = verify_group(&members, group, e);
                if (r < 0)
                        return r;
        }
        return 0;
}
