/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan-console.h"

#include <errno.h>
#include <string.h>

#include "sys/unit.h"

#define CONSOLES "/sys/class/vtconsole"

static int add(const struct knob_kind *kind, const char *name, const char *value, struct lease *lease,
               struct err *e) {
        struct claim c = { .kind = kind };
        int r;

        r = str_copy(c.name, sizeof(c.name), name);
        if (r >= 0)
                r = str_copy(c.value, sizeof(c.value), value);
        if (r >= 0)
                r = lease_add_claim(lease, &c);
        return r < 0 ? err_set(e, r, ERR_FAILED, name, "%s: %s", name, strerror(-r)) : 0;
}

static bool lends_boot_vga(const struct root *root, const struct request *q) {
        for (size_t i = 0; i < q->n_devices; i++) {
                char address[BDF_TEXT_MAX];
                uint64_t is;

                bdf_format(&q->devices[i].address, address);
                if (root_read_u64(root, 10, 1, &is, "/sys/bus/pci/devices/%s/boot_vga", address) >= 0 && is == 1)
                        return true;
        }
        return false;
}

static int plan_vtconsoles(const struct root *root, struct lease *lease, struct err *e) {
        _cleanup_strv_ char **names = NULL;

        if (root_list(root, &names, CONSOLES) < 0)
                return 0; /* a kernel without text consoles */
        for (char **name = names; *name; name++) {
                char what[128];
                int r;

                /* "(M) frame buffer device"; the dummy one is where the host's consoles go meanwhile. */
                if (!knob_vtconsole.name_is_valid(*name) ||
                    root_read_attr(root, what, sizeof(what), CONSOLES "/%s/name", *name) < 0 ||
                    strstr(what, "dummy"))
                        continue;
                r = add(&knob_vtconsole, *name, "0", lease, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int plan_console(const struct root *root, const struct request *q, struct lease *lease, struct err *e) {
        for (size_t i = 0; i < q->n_services; i++) {
                bool active;
                int r;

                if (lease_find_claim(lease, &knob_service, q->services[i]))
                        continue;

                r = unit_is_active(root, q->services[i], &active, e);
                if (r >= 0)
                        r = add(&knob_service, q->services[i], "inactive", lease, e);
                if (r < 0)
                        return r;
        }
        return lends_boot_vga(root, q) ? plan_vtconsoles(root, lease, e) : 0;
}
