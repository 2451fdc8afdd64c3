/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/boot-source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/reserve.h"
#include "sys/holders-internal.h"

static void scan_done(struct scan *scan) {
        for (size_t i = 0; scan->found && i < scan->n_devices; i++)
                holders_done(&scan->found[i]);
        free(scan->found);
        free(scan->nodes);
}

static int scan_steps(struct scan *scan) {
        static int (*const steps[])(struct scan *) = { scan_nodes, scan_mounts, scan_swaps, scan_routes };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(steps); i++)
                r = steps[i](scan);
        return r;
}

static const char *needed_by(const struct holder *h, bool network_root) {
        static const char *const points[] = { "/", "/usr", "/boot", "/boot/efi", "/efi", "/var", "/etc" };

        if (h->kind == HOLDER_SWAP)
                return "swap";
        if (h->kind == HOLDER_ROUTE)
                return network_root ? "network root" : NULL;
        for (size_t i = 0; h->kind == HOLDER_MOUNT && i < ARRAY_SIZE(points); i++)
                if (str_eq(h->what, points[i]))
                        return points[i];
        return NULL;
}

/* /sys/power/resume has the number of the device; "0:0": none. */
static bool is_resume(const struct scan *scan, size_t device) {
        unsigned int major, minor;
        char text[24];

        if (root_read_attr(scan->root, text, sizeof(text), "/sys/power/resume") < 0 ||
            sscanf(text, "%u:%u", &major, &minor) != 2 || major == 0)
                return false;
        for (size_t i = 0; i < scan->n_nodes; i++) {
                const struct node *n = &scan->nodes[i];

                if (n->device == device && n->type == NODE_BLOCK && n->major == major && n->minor == minor)
                        return true;
        }
        return false;
}

static const char *why_needed(const struct scan *scan, size_t device, bool network_root) {
        const struct holders *found = &scan->found[device];

        for (size_t i = 0; i < found->n; i++) {
                const char *what = needed_by(&found->list[i], network_root);

                if (what)
                        return what;
        }
        return is_resume(scan, device) ? "resume" : NULL;
}

static void add_keep(const struct scan *scan, const struct pci_devices *devices, bool network_root,
                     struct early *early) {
        early->n_keep = 0;
        for (size_t i = 0; i < scan->n_devices && early->n_keep < EARLY_KEEP_MAX; i++) {
                const char *what = why_needed(scan, i, network_root);
                struct early_keep *keep = &early->keep[early->n_keep];

                if (!what || pci_path_format(devices, scan->devices[i], keep->path) < 0)
                        continue;
                (void) str_copy(keep->what, sizeof(keep->what), what);
                early->n_keep++;
        }
}

int boot_source_find(const struct root *root, const struct pci_devices *devices, struct early *early,
                     struct err *e) {
        _cleanup_(scan_done) struct scan scan = { .root = root };
        _cleanup_free_ const struct pci_device **list = calloc(devices->n + 1, sizeof(*list));
        char cmdline[4096] = "";
        int r;

        scan.found = calloc(devices->n + 1, sizeof(*scan.found));
        if (!list || !scan.found)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        for (size_t i = 0; i < devices->n; i++)
                if (!devices->list[i].bridge)
                        list[scan.n_devices++] = &devices->list[i];
        scan.devices = list;
        r = scan_steps(&scan);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, NULL, "cannot find out what the host boots from: %s",
                               strerror(-r));
        (void) root_read_attr(root, cmdline, sizeof(cmdline), "/proc/cmdline");
        add_keep(&scan, devices, cmdline_has_network_root(cmdline), early);
        return 0;
}
