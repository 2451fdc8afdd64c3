/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Lending and giving back on a fake kernel: what reaches the host, what is refused, what is undone. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "fake/host.h"
#include "lease/survey.h"

static struct host h;

static int set_up(void **s) {
        (void) s;
        host_start(&h);
        return 0;
}

static int tear_down(void **s) {
        (void) s;
        host_stop(&h);
        return 0;
}

/* Lending must fail with this error, name this subject, say this, and leave the host as it was. */
static void assert_refused(const struct request *q, int code, const char *id, const char *subject, const char *text) {
        struct err e = {};
        char before[512], after[512];

        host_snapshot(&h, before);
        assert_int_equal(lease_lend(&h.rec, q, &e), code);
        assert_string_equal(e.id, id);
        assert_string_equal(e.subject, subject);
        if (!strstr(e.message, text))
                fail_msg("'%s' is not in '%s'", text, e.message);
        assert_string_equal(host_snapshot(&h, after), before);
}

static void lends_and_returns(void **state) {
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        assert_string_equal(host_binding(&h, "0000:01:00.0"), "vfio-pci vfio-pci");
        assert_string_equal(host_binding(&h, "0000:01:00.1"), "vfio-pci vfio-pci");
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci vfio-pci");
        assert_string_equal(host_binding(&h, "0000:03:00.0"), "nvme -");
        assert_int_equal(h.n_steps, 3);

        assert_int_equal(lease_return(&h.rec, "win10", &e), 0);
        host_assert_nothing_lent(&h);
        assert_int_equal(fake_kernel_overlaps(), 0);
}

static void sound_goes_first_and_comes_back_last(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:01:00.0", "0000:01:00.1", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_string_equal(h.steps[0].name, "0000:01:00.1");
        assert_string_equal(h.steps[1].name, "0000:01:00.0");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(h.steps[2].name, "0000:01:00.0");
        assert_string_equal(h.steps[3].name, "0000:01:00.1");
}

static void lending_twice_changes_nothing(void **state) {
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        assert_int_equal(h.n_steps, 1);
        assert_int_equal(lease_return(&h.rec, "win10", &e), 0);
        assert_int_equal(lease_return(&h.rec, "win10", &e), 0);
        assert_int_equal(lease_return(&h.rec, "never-lent", &e), 0);
        host_assert_nothing_lent(&h);
}

static void other_devices_need_a_return_first(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        request_make(&q, "win10", "0000:03:00.0", NULL);
        assert_refused(&q, -EEXIST, ERR_REFUSED, "win10", "passthru return win10");
}

static void uuid_names_the_lease_too(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.uuid, "5a2e5c1e-9f3b-4a6c-8d1f-0123456789ab");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "5A2E5C1E-9F3B-4A6C-8D1F-0123456789AB", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void rest_of_the_group_comes_along(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:04:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_string_equal(host_binding(&h, "0000:04:00.1"), "vfio-pci vfio-pci");
        assert_string_equal(host_binding(&h, "0000:00:13.0"), "pcieport -");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void strict_refuses_the_rest_of_the_group(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:04:00.0", NULL);
        q.group = GROUP_STRICT;
        assert_refused(&q, -EPERM, ERR_REFUSED, "0000:04:00.1", "group 15");
        host_assert_nothing_lent(&h);
        request_make(&q, "win10", "0000:04:00.0", "0000:04:00.1", NULL);
        q.group = GROUP_STRICT;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
}

static void refuses_what_is_not_there(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:07:00.0", NULL);
        assert_refused(&q, -ENODEV, ERR_NOT_FOUND, "0000:07:00.0", "0000:07:00.0");
        host_assert_nothing_lent(&h);
}

static void refuses_another_id(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        q.devices[0].has_id = true;
        q.devices[0].id = (struct pci_id) { 0x10de, 0x2206 };
        assert_refused(&q, -ENODEV, ERR_REFUSED, "0000:02:00.0", "should have id 10de:2206 and has 144d:a808");
        q.devices[0].id = (struct pci_id) { 0x144d, 0xa808 };
        q.devices[0].has_subsystem = true;
        q.devices[0].subsystem = (struct pci_id) { 0x1458, 0x4037 };
        assert_refused(&q, -ENODEV, ERR_REFUSED, "0000:02:00.0", "subsystem id 1458:4037");
        host_assert_nothing_lent(&h);
        q.devices[0].subsystem = (struct pci_id) { 0x144d, 0xa801 };
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
}

static void refuses_a_bridge(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:00:13.0", NULL);
        assert_refused(&q, -EINVAL, ERR_REFUSED, "0000:00:13.0", "bridge");
}

static void refuses_the_boot_vga_unless_allowed(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:00:02.0", NULL);
        assert_refused(&q, -EPERM, ERR_REFUSED, "0000:00:02.0", "boot-vga=yes");
        q.boot_vga = true;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_string_equal(host_binding(&h, "0000:00:02.0"), "vfio-pci vfio-pci");
}

static void refuses_without_an_iommu(void **state) {
        struct request q;

        (void) state;
        tree_remove(h.tree, "/sys/devices/pci0000:00/0000:00:11.0/0000:02:00.0/iommu_group");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_refused(&q, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "0000:02:00.0", "IOMMU is off");
}

static void refuses_a_driver_that_is_not_vfio(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.devices[0].driver, "uio_pci_generic");
        assert_refused(&q, -EINVAL, ERR_INVALID, "0000:02:00.0", "no vfio driver");
}

static void refuses_what_is_in_use(void **state) {
        struct request q;

        (void) state;
        tree_file(h.tree, "/sys/devices/pci0000:00/0000:00:11.0/0000:02:00.0/nvme/nvme0/nvme0n1/dev", "259:0\n");
        tree_file(h.tree, "/sys/devices/pci0000:00/0000:00:11.0/0000:02:00.0/nvme/nvme0/nvme0n1/uevent",
                  "MAJOR=259\nMINOR=0\nDEVNAME=nvme0n1\nDEVTYPE=disk\n");
        tree_link(h.tree, "/sys/class/block/nvme0n1",
                  "/sys/devices/pci0000:00/0000:00:11.0/0000:02:00.0/nvme/nvme0/nvme0n1");
        tree_file(h.tree, "/proc/1/mountinfo", "30 1 259:0 / /home rw,relatime shared:1 - ext4 /dev/nvme0n1 rw\n");
        request_make(&q, "win10", "0000:02:00.0", "0000:03:00.0", NULL);
        assert_refused(&q, -EBUSY, ERR_IN_USE, "0000:02:00.0", "/home");
        host_assert_nothing_lent(&h);

        tree_file(h.tree, "/proc/1/mountinfo", "");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
}

static void refuses_what_another_domain_has(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        request_make(&q, "win11", "0000:03:00.0", "0000:02:00.0", NULL);
        assert_refused(&q, -EBUSY, ERR_IN_USE, "0000:02:00.0", "lent to domain win10");
        assert_int_equal(lease_return(&h.rec, "win11", NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci vfio-pci");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void dry_run_only_plans(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:04:00.0", NULL);
        q.dry_run = true;
        fake_kernel_die_at(DEATH_NONE, 0);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(fake_kernel_steps(), 3); /* what the planning child said: two claims, and that these are all */
        assert_int_equal(h.n_steps, 2);
        assert_string_equal(h.steps[0].domain, "win10");
        assert_int_equal(h.steps[0].state, STEP_PLANNED);
        assert_string_equal(h.steps[0].from, "e1000e");
        assert_string_equal(h.steps[0].to, "vfio-pci override=vfio-pci");
        host_assert_nothing_lent(&h);
}

/* A failure of any write of a lend is undone, and the error says what and where. */
static void undoes_a_failed_lend(void **state) {
        static const struct {
                const char *path;
                enum fake_fault fault;
                int error;
        } faults[] = {
                { "0000:02:00.0/driver_override", FAULT_ERROR, EIO },
                { "0000:02:00.0/driver_override", FAULT_IGNORE, 0 },
                { "0000:02:00.0/driver_override", FAULT_SHORT, 0 },
                { "0000:02:00.0/driver/unbind", FAULT_ERROR, EBUSY },
                { "0000:02:00.0/driver/unbind", FAULT_ERROR, EINVAL },
                { "0000:02:00.0/driver/unbind", FAULT_SHORT, 0 },
                { "0000:02:00.0/driver/unbind", FAULT_IGNORE, 0 },
                { "drivers_probe", FAULT_ERROR, EINVAL },
                { "drivers_probe", FAULT_SHORT, 0 },
                { "drivers_probe", FAULT_IGNORE, 0 },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                struct request q;
                struct err e = {};

                request_make(&q, "win10", "0000:01:00.0", "0000:02:00.0", NULL);
                fake_kernel_fail(faults[i].path, faults[i].fault, faults[i].error, 1);
                if (lease_lend(&h.rec, &q, &e) >= 0)
                        fail_msg("fault %zu at %s was not noticed", i, faults[i].path);
                assert_true(strlen(e.message) > 10);
                host_assert_nothing_lent(&h);
        }
}

static void drivers_that_vanished_are_replaced_by_the_hosts_choice(void **state) {
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        tree_remove(h.tree, "/sys/bus/pci/drivers/nvme");
        assert_int_equal(lease_return(&h.rec, "win10", &e), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "- -");
}

/* libvirt's managed='yes' rebinds the device itself before our hook runs. */
static void libvirt_gave_it_back_already(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_file(h.tree, "/sys/bus/pci/devices/0000:02:00.0/driver_override", "(null)\n");
        tree_pci_bind(h.tree, "0000:02:00.0", "nvme");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(h.steps[1].state, STEP_UNCHANGED);
        host_assert_nothing_lent(&h);
}

static void variant_driver_counts_as_lent(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_pci_bind(h.tree, "0000:02:00.0", "nvme_vfio_pci");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void foreign_changes_are_left_alone(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_pci_bind(h.tree, "0000:02:00.0", "uio_pci_generic");
        tree_file(h.tree, "/sys/bus/pci/devices/0000:02:00.0/driver_override", "uio_pci_generic\n");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(h.steps[1].state, STEP_FOREIGN);
        assert_non_null(strstr(h.steps[1].err.message, "somebody else"));
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "uio_pci_generic uio_pci_generic");
}

static void own_override_of_the_host_is_kept(void **state) {
        struct request q;

        (void) state;
        tree_file(h.tree, "/sys/bus/pci/devices/0000:02:00.0/driver_override", "nvme\n");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "nvme nvme");
}

static void early_bound_devices_stay_with_vfio(void **state) {
        struct request q;

        (void) state;
        tree_pci_bind(h.tree, "0000:02:00.0", "vfio-pci");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci -");
}

static void unplugged_while_lent(void **state) {
        struct request q;
        _cleanup_state_ struct state s = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_pci_remove(h.tree, "0000:02:00.0");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        assert_int_equal(s.n_knobs, 0);
}

static void failed_return_is_retried(void **state) {
        struct request q;
        struct err e = {};
        _cleanup_state_ struct state s = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", "0000:03:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        fake_kernel_fail("0000:02:00.0/driver/unbind", FAULT_ERROR, EBUSY, 1);
        assert_int_equal(lease_return(&h.rec, "win10", &e), -EBUSY);
        assert_string_equal(e.subject, "0000:02:00.0");
        assert_string_equal(host_binding(&h, "0000:03:00.0"), "nvme -");
        assert_int_equal(state_load(h.root, &s, &e), 0);
        assert_int_equal(s.n_leases, 0);
        assert_int_equal(s.n_knobs, 1);
        assert_true(s.knobs[0].pending);
        assert_int_equal(lease_reconcile(&h.rec, &e), 0);
        host_assert_nothing_lent(&h);
}

static void a_lease_ends_by_itself(void **state) {
        _cleanup_state_ struct state s = {};
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        q.seconds = 3600;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci vfio-pci");
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        assert_true(s.leases[0].until_usec > 0);
        s.leases[0].until_usec = 1;
        assert_int_equal(state_save(h.root, &s, NULL), 0);
        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        host_assert_nothing_lent(&h);
}

static void lending_again_looks_at_the_host(void **state) {
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", "0000:03:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        tree_file(h.tree, "/sys/bus/pci/devices/0000:02:00.0/driver_override", "(null)\n");
        tree_pci_bind(h.tree, "0000:02:00.0", "nvme");
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci vfio-pci");
        assert_int_equal(lease_return(&h.rec, "win10", &e), 0);
        host_assert_nothing_lent(&h);
}

static void a_start_makes_a_rehearsal_permanent(void **state) {
        _cleanup_state_ struct state s = {};
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        q.seconds = 10;
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        q.seconds = 0;
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        assert_int_equal(state_load(h.root, &s, &e), 0);
        assert_int_equal(s.leases[0].until_usec, 0);

        /* … and a rehearsal cannot put an end to what a domain has. */
        q.seconds = 10;
        assert_refused(&q, -EBUSY, ERR_IN_USE, "win10", "already");
}

static void one_uuid_one_lease(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.uuid, "5a2e5c1e-9f3b-4a6c-8d1f-0123456789ab");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        request_make(&q, "renamed", "0000:03:00.0", NULL);
        strcpy(q.uuid, "5a2e5c1e-9f3b-4a6c-8d1f-0123456789ab");
        assert_refused(&q, -EEXIST, ERR_REFUSED, "win10", "passthru return win10");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.uuid, "00000000-9f3b-4a6c-8d1f-0123456789ab");
        assert_refused(&q, -EEXIST, ERR_REFUSED, "win10", "UUID");
}

static void drivers_may_have_spaces_in_their_names(void **state) {
        struct request q;

        (void) state;
        fake_kernel_native("0000:02:00.0", "cx88-mpeg driver manager");
        tree_pci_bind(h.tree, "0000:02:00.0", "cx88-mpeg driver manager");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "cx88-mpeg driver manager -");
}

static void refuses_a_value_that_could_not_be_given_back(void **state) {
        struct request q;

        (void) state;
        tree_file(h.tree, "/sys/bus/pci/devices/0000:02:00.0/driver_override", "a/b\n");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_refused(&q, -EINVAL, ERR_NOT_SUPPORTED, "0000:02:00.0", "could not be given back");
}

static void the_variant_driver_that_was_asked_for_is_bound(void **state) {
        struct request q;

        (void) state;
        tree_pci_driver(h.tree, "mlx5_vfio_pci");
        tree_pci_bind(h.tree, "0000:02:00.0", "vfio-pci");
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.devices[0].driver, "mlx5_vfio_pci");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "mlx5_vfio_pci mlx5_vfio_pci");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci -");
}

static void refuses_a_group_that_vfio_would_refuse(void **state) {
        static const struct tree_pci isa = { "0000:00:1f.0", NULL, 0x8086, 0x2918, 0, 0, 0x060100, 2, 13, "lpc_ich", NULL,
                                             false };
        struct request q;

        (void) state;
        tree_pci(h.tree, &isa);
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_refused(&q, -EPERM, ERR_REFUSED, "0000:00:1f.0", "lpc_ich");
        host_assert_nothing_lent(&h);
}

/* nvme is there, and does not take the device any more: that is no success. */
static void a_device_that_no_driver_takes_stays_pending(void **state) {
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        fake_kernel_fail("drivers_probe", FAULT_IGNORE, 0, 2);
        assert_int_equal(lease_return(&h.rec, "win10", &e), -EBUSY);
        assert_string_equal(e.id, ERR_FAILED);
        assert_non_null(strstr(e.message, "wanted driver nvme"));
        assert_int_equal(lease_reconcile(&h.rec, &e), 0);
        host_assert_nothing_lent(&h);
}

static void another_card_in_the_slot_is_left_alone(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_file(h.tree, "/sys/devices/pci0000:00/0000:00:11.0/0000:02:00.0/modalias",
                  "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00\n");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(h.steps[1].state, STEP_FOREIGN);
        assert_string_equal(host_binding(&h, "0000:02:00.0"), "vfio-pci vfio-pci");
}

/* A process may call itself anything; its name ends up in the state. */
static void names_that_are_not_utf8_do_no_harm(void **state) {
        _cleanup_state_ struct state s = {};
        struct request q;
        struct err e = {};

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        tree_process(h.tree, 77, "qemu\xff\xc3");
        tree_process_fd(h.tree, 77, 5, "/dev/vfio/13");
        assert_int_equal(lease_return(&h.rec, "win10", &e), -EBUSY);
        assert_string_equal(e.id, ERR_IN_USE);
        assert_non_null(strstr(e.message, "qemu??"));
        assert_int_equal(state_load(h.root, &s, &e), 0);
        assert_non_null(strstr(s.knobs[0].message, "pid 77"));
        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        assert_true(h.steps[2].repeated);
        tree_remove(h.tree, "/proc/77");
        assert_int_equal(lease_reconcile(&h.rec, NULL), 0);
        host_assert_nothing_lent(&h);
}

static void status_is_told_without_waiting(void **state) {
        char now[4][KNOB_VALUE_MAX];
        _cleanup_state_ struct state s = {};
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:01:00.0", "0000:02:00.0", "0000:03:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(state_load(h.root, &s, NULL), 0);
        assert_int_equal(s.n_knobs, 4);
        h.rec.deadline_usec = 200000;
        fake_kernel_fail("0000:02:00.0/driver/unbind", FAULT_HANG, 0, 1);
        assert_int_equal(lease_return(&h.rec, "win10", NULL), -ETIMEDOUT);
        tree_pci_remove(h.tree, "0000:03:00.0");

        assert_int_equal(state_survey(h.root, &s, now), 0);
        assert_string_equal(s.knobs[0].name, "0000:01:00.1");
        assert_string_equal(now[0], "snd_hda_intel");
        assert_string_equal(now[1], "nouveau");
        assert_string_equal(s.knobs[2].name, "0000:02:00.0");
        assert_string_equal(now[2], SURVEY_SILENT);
        assert_string_equal(now[3], SURVEY_GONE);
}

/* The driver of one device never comes back from its unbind: the others are undone, the error comes in time, and that
 * device is left alone until its driver answers. */
static void a_hanging_driver_costs_one_device(void **state) {
        struct request q;
        struct err e = {};

        (void) state;
        h.rec.deadline_usec = 300000;
        request_make(&q, "win10", "0000:02:00.0", "0000:03:00.0", NULL);
        fake_kernel_fail("0000:02:00.0/driver/unbind", FAULT_HANG, 0, 1);
        assert_true(lease_lend(&h.rec, &q, &e) < 0);
        assert_non_null(strstr(e.message, "does not answer"));
        assert_string_equal(host_binding(&h, "0000:03:00.0"), "nvme -");

        request_make(&q, "win11", "0000:03:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), 0);
        assert_int_equal(lease_return(&h.rec, "win11", &e), 0);

        request_make(&q, "win10", "0000:02:00.0", NULL);
        e = (struct err) {};
        assert_true(lease_lend(&h.rec, &q, &e) < 0);
        assert_string_equal(e.id, ERR_TIMEOUT);
        assert_non_null(strstr(e.message, "still hangs"));
        assert_int_equal(lease_return(&h.rec, "win10", &e), 0);

        host_release();
        assert_int_equal(lease_reconcile(&h.rec, &e), 0);
        host_assert_nothing_lent(&h);
}

/* Gives a device what a kernel of today shows. */
static void add_tuning(const char *address) {
        char path[128];

        (void) str_format(path, sizeof(path), "%s/reset_method", tree_pci_path(h.tree, address));
        tree_file(h.tree, path, "flr bus\n");
        (void) str_format(path, sizeof(path), "%s/d3cold_allowed", tree_pci_path(h.tree, address));
        tree_file(h.tree, path, "1\n");
        (void) str_format(path, sizeof(path), "%s/power/control", tree_pci_path(h.tree, address));
        tree_file(h.tree, path, "auto\n");
}

static void assert_tuning(const char *address, const char *reset_method, const char *d3cold,
                          const char *runtime_pm) {
        char text[64];

        assert_int_equal(
                root_read_attr(h.root, text, sizeof(text), "/sys/bus/pci/devices/%s/reset_method", address), 0);
        assert_string_equal(text, reset_method);
        assert_int_equal(
                root_read_attr(h.root, text, sizeof(text), "/sys/bus/pci/devices/%s/d3cold_allowed", address), 0);
        assert_string_equal(text, d3cold);
        assert_int_equal(
                root_read_attr(h.root, text, sizeof(text), "/sys/bus/pci/devices/%s/power/control", address), 0);
        assert_string_equal(text, runtime_pm);
}

static void tune(struct request *q) {
        request_make(q, "win10", "0000:02:00.0", NULL);
        strcpy(q->devices[0].reset_method, "bus");
        strcpy(q->devices[0].d3cold, "0");
        strcpy(q->devices[0].runtime_pm, "on");
}

static void devices_are_tuned_while_they_are_lent(void **state) {
        struct request q;

        (void) state;
        add_tuning("0000:02:00.0");
        tune(&q);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_tuning("0000:02:00.0", "bus", "0", "on");
        assert_string_equal(h.steps[3].kind, "pci-driver"); /* before the bind … */
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(h.steps[4].kind, "pci-driver"); /* … and after the device has its driver back */
        assert_tuning("0000:02:00.0", "flr bus", "1", "auto");
        host_assert_nothing_lent(&h);
}

static void refuses_what_a_device_cannot_be_tuned_to(void **state) {
        struct request q;

        (void) state;
        tune(&q);
        assert_refused(&q, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "0000:02:00.0", "has no reset-method");
        add_tuning("0000:02:00.0");
        strcpy(q.devices[0].reset_method, "flr pm");
        assert_refused(&q, -EINVAL, ERR_REFUSED, "0000:02:00.0",
                       "reset-method=flr pm: 0000:02:00.0 offers: flr bus");
        assert_tuning("0000:02:00.0", "flr bus", "1", "auto");
}

static void faults_of_tuning_are_undone(void **state) {
        static const struct {
                const char *path;
                enum fake_fault fault;
                int error;
        } faults[] = {
                { "reset_method", FAULT_ERROR, EINVAL },  { "reset_method", FAULT_IGNORE, 0 },
                { "d3cold_allowed", FAULT_ERROR, EBUSY }, { "power/control", FAULT_SHORT, 0 },
                { "driver/unbind", FAULT_ERROR, EBUSY },
        };

        (void) state;
        add_tuning("0000:02:00.0");
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                struct request q;

                tune(&q);
                fake_kernel_fail(faults[i].path, faults[i].fault, faults[i].error, 1);
                if (lease_lend(&h.rec, &q, NULL) >= 0)
                        fail_msg("fault %zu was not noticed", i);
                assert_tuning("0000:02:00.0", "flr bus", "1", "auto");
                host_assert_nothing_lent(&h);
        }
}

static void assert_services(bool a, bool b) {
        assert_int_equal(fake_service_is_active("a.service"), a);
        assert_int_equal(fake_service_is_active("b.service"), b);
}

static void services_are_stopped_in_order(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.services[q.n_services++], "b.service");
        strcpy(q.services[q.n_services++], "a.service");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_services(false, false);
        assert_string_equal(h.steps[0].name, "b.service");
        assert_string_equal(h.steps[1].name, "a.service");
        assert_string_equal(h.steps[2].kind, "pci-driver");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_string_equal(h.steps[3].kind, "pci-driver");
        assert_string_equal(h.steps[4].name, "a.service");
        assert_string_equal(h.steps[5].name, "b.service");
        host_assert_nothing_lent(&h);
}

/* One that did not run is not started, and two domains share what is stopped. */
static void services_come_back_as_they_were(void **state) {
        struct request q;

        (void) state;
        tree_file(h.tree, "/run/fake/a.service", "inactive\n");
        (void) fake_cpus_snapshot(h.cpus);
        request_make(&q, "x", NULL);
        strcpy(q.services[q.n_services++], "a.service");
        strcpy(q.services[q.n_services++], "b.service");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        strcpy(q.domain, "y");
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(lease_return(&h.rec, "x", NULL), 0);
        assert_services(false, false);
        assert_int_equal(lease_return(&h.rec, "y", NULL), 0);
        assert_services(false, true);
        host_assert_nothing_lent(&h);
}

static void a_service_that_does_not_stop_lends_nothing(void **state) {
        struct request q;

        (void) state;
        request_make(&q, "win10", "0000:02:00.0", NULL);
        strcpy(q.services[q.n_services++], "c.service");
        assert_refused(&q, -ENODEV, ERR_NOT_FOUND, "c.service", "there is no c.service");
        strcpy(q.services[0], "a.service");
        strcpy(q.services[q.n_services++], "b.service");
        fake_kernel_fail("systemd/b.service", FAULT_ERROR, EIO, 1);
        assert_true(lease_lend(&h.rec, &q, NULL) < 0);
        host_assert_nothing_lent(&h);
        fake_kernel_fail("systemd/b.service", FAULT_IGNORE, 0, 1);
        assert_true(lease_lend(&h.rec, &q, NULL) < 0);
        host_assert_nothing_lent(&h);
}

static void consoles_leave_the_firmwares_display(void **state) {
        char bind[8];
        struct request q;

        (void) state;
        request_make(&q, "other", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(h.n_steps, 1);
        request_make(&q, "win10", "0000:00:02.0", NULL);
        q.boot_vga = true;
        assert_int_equal(lease_lend(&h.rec, &q, NULL), 0);
        assert_int_equal(root_read_attr(h.root, bind, sizeof(bind), "/sys/class/vtconsole/vtcon1/bind"), 0);
        assert_string_equal(bind, "0");
        assert_int_equal(lease_return(&h.rec, "win10", NULL), 0);
        assert_int_equal(lease_return(&h.rec, "other", NULL), 0);
        host_assert_nothing_lent(&h);
}

static void a_damaged_state_is_not_overwritten(void **state) {
        static const char *const texts[] = {
                "", "{", "[]", "null", "{\"version\":2,\"leases\":[],\"knobs\":[]}", "{\"version\":1,\"leases\":[]}",
                "{\"version\":1,\"leases\":[{\"domain\":\"../x\",\"uuid\":null,\"state\":\"lent\",\"since\":0,\"until\":null,"
                "\"claims\":[]}],\"knobs\":[]}",
                "{\"version\":1,\"leases\":[],\"knobs\":[{\"kind\":\"pci-driver\",\"name\":\"../../etc\",\"baseline\":\"nvme\","
                "\"applied\":\"nvme\",\"state\":\"settled\",\"message\":null}]}",
                "{\"version\":1,\"leases\":[],\"knobs\":[{\"kind\":\"pci-driver\",\"name\":\"0000:01:00.0\",\"baseline\":"
                "\"a/b\",\"applied\":\"nvme\",\"state\":\"settled\",\"message\":null}]}",
                "{\"version\":1,\"leases\":[],\"knobs\":[{\"kind\":\"files\",\"name\":\"0000:01:00.0\",\"baseline\":\"nvme\","
                "\"applied\":\"nvme\",\"state\":\"settled\",\"message\":null}]}",
                "{\"version\":1,\"leases\":[{\"domain\":\"a\",\"uuid\":null,\"state\":\"lent\",\"since\":0,\"until\":null,"
                "\"claims\":[{\"kind\":\"pci-driver\",\"name\":\"0000:01:00.0\",\"value\":\"vfio-pci\"}]}],\"knobs\":[]}",
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_free_ char *after = NULL;
                struct request q;
                struct err e = {};

                assert_true(dir_ensure_private(h.root, "/run/passthru", 0700) >= 0);
                tree_file(h.tree, "/run/passthru/state.json", texts[i]);
                request_make(&q, "win10", "0000:02:00.0", NULL);
                if (lease_lend(&h.rec, &q, &e) != -EBADMSG)
                        fail_msg("text %zu was accepted", i);
                assert_non_null(strstr(e.message, "damaged"));
                assert_int_equal(root_read(h.root, "/run/passthru/state.json", 10000, &after, NULL), 0);
                assert_string_equal(after, texts[i]);
                host_assert_baseline(&h);
        }
}

static void a_folder_that_others_may_write_is_refused(void **state) {
        struct request q;
        struct err e = {};
        char *path;

        (void) state;
        tree_dir(h.tree, "/run/passthru");
        path = root_join(h.root, "/run/passthru");
        assert_int_equal(chmod(path, 0777), 0);
        free(path);
        request_make(&q, "win10", "0000:02:00.0", NULL);
        assert_int_equal(lease_lend(&h.rec, &q, &e), -EPERM);
        assert_non_null(strstr(e.message, "/run/passthru"));
        host_assert_baseline(&h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(lends_and_returns),
                TEST(sound_goes_first_and_comes_back_last),
                TEST(lending_twice_changes_nothing),
                TEST(other_devices_need_a_return_first),
                TEST(uuid_names_the_lease_too),
                TEST(rest_of_the_group_comes_along),
                TEST(strict_refuses_the_rest_of_the_group),
                TEST(refuses_what_is_not_there),
                TEST(refuses_another_id),
                TEST(refuses_a_bridge),
                TEST(refuses_the_boot_vga_unless_allowed),
                TEST(refuses_without_an_iommu),
                TEST(refuses_a_driver_that_is_not_vfio),
                TEST(refuses_what_is_in_use),
                TEST(refuses_what_another_domain_has),
                TEST(dry_run_only_plans),
                TEST(undoes_a_failed_lend),
                TEST(drivers_that_vanished_are_replaced_by_the_hosts_choice),
                TEST(libvirt_gave_it_back_already),
                TEST(variant_driver_counts_as_lent),
                TEST(foreign_changes_are_left_alone),
                TEST(own_override_of_the_host_is_kept),
                TEST(early_bound_devices_stay_with_vfio),
                TEST(unplugged_while_lent),
                TEST(failed_return_is_retried),
                TEST(a_lease_ends_by_itself),
                TEST(lending_again_looks_at_the_host),
                TEST(a_start_makes_a_rehearsal_permanent),
                TEST(one_uuid_one_lease),
                TEST(drivers_may_have_spaces_in_their_names),
                TEST(refuses_a_value_that_could_not_be_given_back),
                TEST(the_variant_driver_that_was_asked_for_is_bound),
                TEST(refuses_a_group_that_vfio_would_refuse),
                TEST(a_device_that_no_driver_takes_stays_pending),
                TEST(another_card_in_the_slot_is_left_alone),
                TEST(names_that_are_not_utf8_do_no_harm),
                TEST(status_is_told_without_waiting),
                TEST(a_hanging_driver_costs_one_device),
                TEST(devices_are_tuned_while_they_are_lent),
                TEST(refuses_what_a_device_cannot_be_tuned_to),
                TEST(faults_of_tuning_are_undone),
                TEST(services_are_stopped_in_order),
                TEST(services_come_back_as_they_were),
                TEST(a_service_that_does_not_stop_lends_nothing),
                TEST(consoles_leave_the_firmwares_display),
                TEST(a_damaged_state_is_not_overwritten),
                TEST(a_folder_that_others_may_write_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
