/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/config-acs.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

/* A hexadecimal number of at most max, as long as its digits go. Moves *s behind it. */
static bool number(const char **s, uint32_t max, uint32_t *ret) {
        size_t n = strspn(*s, "0123456789abcdefABCDEF");
        char text[9];
        uint64_t v;

        if (str_format(text, sizeof(text), "%.*s", n < sizeof(text) ? (int) n : (int) sizeof(text), *s) < 0 ||
            str_to_u64(text, 16, max, &v) < 0)
                return false;
        *s += n;
        *ret = (uint32_t) v;
        return true;
}

static bool literal(const char **s, char c) {
        if (**s != c)
                return false;
        (*s)++;
        return true;
}

static bool parse_flags(const char **s, struct config_acs_entry *ret) {
        const char *at = strchr(*s, '@');
        size_t n = at ? (size_t) (at - *s) : 0;

        if (n == 0 || n > CONFIG_ACS_FLAGS)
                return false;
        for (size_t i = 0; i < n; i++) {
                uint16_t bit = (uint16_t) (1U << (n - 1 - i));
                char c = (*s)[i];

                if (c == '0' || c == '1')
                        ret->mask |= bit;
                else if (tolower((unsigned char) c) != 'x')
                        return false;
                if (c == '1')
                        ret->flags |= bit;
        }
        *s = at + 1;
        return true;
}

static bool parse_ids(const char **s, struct config_acs_entry *ret) {
        uint32_t v[4] = {};
        size_t n = 0;

        do {
                if (n == ARRAY_SIZE(v) || !number(s, UINT16_MAX, &v[n++]))
                        return false;
        } while (literal(s, ':'));
        ret->by_id = true;
        ret->id = (struct pci_id) { (uint16_t) v[0], (uint16_t) v[1] };
        ret->subsystem = (struct pci_id) { (uint16_t) v[2], (uint16_t) v[3] };
        return n == 2 || n == 4;
}

static bool parse_address(const char **s, struct config_acs_entry *ret) {
        uint32_t v[3] = {}, slot, function;
        size_t n = 0;

        do {
                if (n == ARRAY_SIZE(v) || !number(s, UINT32_MAX, &v[n++]))
                        return false;
        } while (literal(s, ':'));
        if (n < 2 || v[n - 2] > 0xff || v[n - 1] > 0x1f || !literal(s, '.') || !number(s, 7, &function))
                return false;
        ret->address =
                (struct bdf) { n == 3 ? v[0] : 0, (uint8_t) v[n - 2], (uint8_t) v[n - 1], (uint8_t) function };
        while (literal(s, '/')) {
                if (ret->n_path == CONFIG_ACS_PATH_MAX || !number(s, 0x1f, &slot) || !literal(s, '.') ||
                    !number(s, 7, &function))
                        return false;
                ret->path[ret->n_path++] = (uint8_t) (slot << 3 | function);
        }
        return true;
}

static bool parse_device(const char **s, struct config_acs_entry *ret) {
        if (!str_starts(*s, "pci:"))
                return parse_address(s, ret);
        *s += 4;
        return parse_ids(s, ret);
}

int config_acs_parse(const char *s, struct config_acs *ret, struct err *e) {
        struct config_acs c = {};
        char next;

        do {
                struct config_acs_entry entry = {};
                const char *begin = s;

                if (c.n == CONFIG_ACS_ENTRIES_MAX)
                        return err_set(e, -EINVAL, ERR_INVALID, "config_acs", "config_acs: more than %d entries",
                                       CONFIG_ACS_ENTRIES_MAX);
                if (!parse_flags(&s, &entry))
                        return err_set(e, -EINVAL, ERR_INVALID, "config_acs",
                                       "config_acs: wanted up to %d of 0, 1 and x, then @DEVICE, found '%s'",
                                       CONFIG_ACS_FLAGS, begin);
                begin = s;
                if (!parse_device(&s, &entry) || (*s && *s != ';' && !(*s == ',' && entry.by_id)))
                        return err_set(e, -EINVAL, ERR_INVALID, "config_acs",
                                       "config_acs: wanted BUS:DEVICE.FUNCTION or pci:VENDOR:DEVICE, found '%s'",
                                       begin);
                c.entries[c.n++] = entry;
                next = *s++;
        } while (next);

        *ret = c;
        return 0;
}

static bool id_matches(const struct pci_id *wanted, const struct pci_id *found) {
        return (wanted->vendor == 0 || wanted->vendor == found->vendor) &&
               (wanted->device == 0 || wanted->device == found->device);
}

static bool matches(const struct config_acs_entry *entry, const struct pci_topology *t,
                    const struct pci_function *f) {
        if (entry->by_id)
                return id_matches(&entry->id, &f->id) && id_matches(&entry->subsystem, &f->subsystem);
        /* The path leads down; it is followed up. */
        for (size_t i = entry->n_path; i-- > 0;) {
                if (entry->path[i] != pci_function_devfn(f) || f->bridge < 0)
                        return false;
                f = &t->list[f->bridge];
        }
        return bdf_compare(&entry->address, &f->address) == 0;
}

const struct config_acs_entry *config_acs_find(const struct config_acs *c, const struct pci_topology *t,
                                               const struct pci_function *f) {
        for (size_t i = 0; i < c->n; i++)
                if (matches(&c->entries[i], t, f))
                        return &c->entries[i];
        return NULL;
}
