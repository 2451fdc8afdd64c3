/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan-tuning.h"

#include <errno.h>
#include <string.h>

/* Every word of wanted is in the list. */
static bool offers(const char *list, const char *wanted) {
        for (const char *w = wanted; *w; w += strspn(w, " ")) {
                size_t n = strcspn(w, " ");
                bool found = false;

                for (const char *l = list; *l && !found; l += strspn(l, " ")) {
                        size_t m = strcspn(l, " ");

                        found = n == m && strncmp(l, w, n) == 0;
                        l += m;
                }
                if (!found)
                        return false;
                w += n;
        }
        return true;
}

static int add(const struct root *root, const struct knob_kind *kind, const char *address, const char *value,
               struct lease *lease, struct err *e) {
        struct claim c = { .kind = kind };
        char now[KNOB_VALUE_MAX];
        int r;

        if (!*value)
                return 0;
        r = kind->read(root, address, now, NULL);
        if (r < 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, address,
                               "%s has no %s that could be set: take it out of its [device] section", address,
                               kind->name);
        if (kind == &knob_reset_method && !offers(now, value))
                return err_set(e, -EINVAL, ERR_REFUSED, address, "reset-method=%s: %s offers: %s", value, address,
                               now);
        r = str_copy(c.name, sizeof(c.name), address);
        if (r >= 0)
                r = str_copy(c.value, sizeof(c.value), value);
        if (r >= 0)
                r = lease_add_claim(lease, &c);
        return r < 0 ? err_set(e, r, ERR_FAILED, address, "%s: %s", address, strerror(-r)) : 0;
}

int plan_tuning(const struct root *root, const struct request *q, struct lease *lease, struct err *e) {
        for (size_t i = 0; i < q->n_devices; i++) {
                const struct request_device *d = &q->devices[i];
                char address[BDF_TEXT_MAX];
                int r;

                bdf_format(&d->address, address);
                r = add(root, &knob_reset_method, address, d->reset_method, lease, e);
                if (r >= 0)
                        r = add(root, &knob_d3cold, address, d->d3cold, lease, e);
                if (r >= 0)
                        r = add(root, &knob_runtime_pm, address, d->runtime_pm, lease, e);
                if (r < 0)
                        return r;
        }
        return 0;
}
