/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "advice/checks.h"
#include "base/str.h"

struct check {
        const char *id;
        const char *part;
        int (*run)(const struct root *root, struct finding *f);
};

static const struct check checks[] = {
        { "cpu-virtualization", "firmware", check_cpu_virtualization },
        { "iommu-firmware", "firmware", check_iommu_firmware },
        { "iommu-active", "kernel", check_iommu_active },
        { "unsafe-interrupts", "kernel", check_unsafe_interrupts },
        { "vfio-module", "kernel", check_vfio_module },
        { "vfio-modprobe-ids", "kernel", check_modprobe_ids },
        { "groups-shared", "devices", check_groups_shared },
        { "display-left", "devices", check_display_left },
        { "libvirt-installed", "libvirt", check_libvirt },
        { "hook-installed", "libvirt", check_hook_installed },
        { "hook-seen", "libvirt", check_hook_seen },
        { "hook-others", "libvirt", check_hook_others },
        { "helper-socket", "passthru", check_socket },
        { "configuration", "passthru", check_configuration },
        { "state", "passthru", check_state },
        { "early-boot", "passthru", check_early_boot },
};
_Static_assert(ARRAY_SIZE(checks) <= CHECKS_MAX, "check_all's callers have room for CHECKS_MAX");

enum severity check_all(const struct root *root, struct finding *ret, size_t *ret_n) {
        enum severity worst = SEVERITY_OK;

        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
                struct finding *f = &ret[i];
                int r;

                *f = (struct finding) { .id = checks[i].id, .part = checks[i].part };
                r = checks[i].run(root, f);
                if (r < 0)
                        (void) finding_set(f, SEVERITY_WARNING, "", "could not be checked: %s", strerror(-r));
                if (f->severity > worst)
                        worst = f->severity;
        }
        *ret_n = ARRAY_SIZE(checks);
        return worst;
}
