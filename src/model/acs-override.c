/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/acs-override.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static int add(struct acs_override *o, const char *word, struct err *e) {
        if (str_eq(word, "downstream"))
                o->downstream = true;
        else if (str_eq(word, "multifunction"))
                o->multifunction = true;
        else if (str_starts(word, "id:")) {
                if (o->n_ids == ACS_OVERRIDE_IDS_MAX)
                        return err_set(e, -EINVAL, ERR_INVALID, "acs",
                                       "acs: at most %d ids, the patch has no room for more",
                                       ACS_OVERRIDE_IDS_MAX);
                if (pci_id_parse(word + 3, &o->ids[o->n_ids]) < 0)
                        return err_set(e, -EINVAL, ERR_INVALID, "acs", "acs: wanted id:VVVV:DDDD, found '%s'",
                                       word);
                o->n_ids++;
        } else
                return err_set(e, -EINVAL, ERR_INVALID, "acs",
                               "acs: wanted downstream, multifunction or id:VVVV:DDDD, found '%s'", word);
        return 0;
}

int acs_override_parse(const char *s, struct acs_override *ret, struct err *e) {
        struct acs_override o = {};
        int r;

        do {
                size_t n = strcspn(s, ",");
                char word[64];

                (void) str_format(word, sizeof(word), "%.*s", (int) (n < sizeof(word) ? n : sizeof(word) - 1), s);
                r = add(&o, word, e);
                if (r < 0)
                        return r;
                s += n;
        } while (*s++);

        *ret = o;
        return 0;
}

bool acs_override_covers(const struct acs_override *o, const struct pci_function *f) {
        if (!pci_function_is_pcie(f) || f->has_acs)
                return false;
        for (size_t i = 0; i < o->n_ids; i++)
                if (pci_id_equal(&o->ids[i], &f->id))
                        return true;
        switch (f->type) {
        case PCIE_ROOT_PORT:
        case PCIE_DOWNSTREAM:
                return o->downstream;
        case PCIE_ENDPOINT:
        case PCIE_LEGACY_ENDPOINT:
        case PCIE_UPSTREAM:
        case PCIE_RC_ENDPOINT:
                return o->multifunction && f->multifunction;
        default:
                return false;
        }
}
