/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/checks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "boot/initramfs.h"
#include "config/early-conf.h"
#include "config/early-result.h"

#define SWITCH "passthru=off on the kernel command line turns it off"

static int report_result(const struct early_result *result, struct finding *f) {
        if (result->state == EARLY_OFF)
                return finding_set(
                        f, SEVERITY_WARNING, "restart without it",
                        "passthru=off is on the kernel command line: nothing was reserved at this boot");
        if (result->state != EARLY_DONE)
                return finding_set(f, SEVERITY_WARNING, "passthru status", "the initramfs could do nothing: %s",
                                   result->message);
        for (size_t i = 0; i < result->n_items; i++)
                if (result->items[i].state != EARLY_DONE)
                        return finding_set(f, SEVERITY_WARNING, "passthru status", "%s: %s%s%s",
                                           result->items[i].name, early_state_name(result->items[i].state),
                                           *result->items[i].message ? ": " : "", result->items[i].message);
        return finding_set(f, SEVERITY_OK, "", "%zu devices and pools of pages reserved at boot; " SWITCH,
                           result->n_items);
}

int check_early_boot(const struct root *root, struct finding *f) {
        _cleanup_free_ struct early_result *result = calloc(1, sizeof(*result));
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        struct err e = {};
        int r;

        if (!result || !early)
                return -ENOMEM;
        if (early_conf_load(root, early, &e) < 0)
                return finding_set(f, SEVERITY_ERROR, "correct the file", "%s", e.message);
        r = early_result_load(root, result, &e);
        if (r == -EACCES)
                return finding_set(f, SEVERITY_NOTE, "sudo passthru check",
                                   "only root can see what was reserved at boot");
        if (r < 0)
                return finding_set(f, SEVERITY_WARNING, "", "%s", e.message);
        if (r > 0 && result->state != EARLY_DONE)
                return report_result(result, f);
        if (initramfs_is_stale(root, NULL) > 0)
                return finding_set(f, SEVERITY_WARNING, "passthru boot apply",
                                   "early.conf changed since the initramfs was made");
        if (r > 0)
                return report_result(result, f);
        if (early_is_empty(early))
                return finding_set(f, SEVERITY_OK, "", "nothing is to be reserved at boot");
        return finding_set(f, SEVERITY_WARNING, "restart; if that does not help, see 'journalctl -b -t kernel'",
                           "early.conf reserves devices or pages, and the initramfs of this boot did nothing");
}
