/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/profile.h"

#include <errno.h>

#include "base/str.h"
#include "config/ini.h"
#include "config/option.h"

#define DEVICE_PREFIX "device "

static int on_device(struct request *q, const struct ini_entry *entry, struct err *e) {
        const char *text = entry->section + sizeof(DEVICE_PREFIX) - 1;
        struct request_device *d;
        struct bdf address;

        if (bdf_parse(text, &address) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                               "wanted [device ADDRESS] with a PCI address such as 0000:01:00.0, found “%s”",
                               text);
        d = request_add(q, &address);
        if (!d)
                return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                               "wanted at most %d devices for one domain, found one more", REQUEST_DEVICES_MAX);
        return entry->key ? option_set_device(d, entry->key, entry->value, e) : 0;
}

static int on_entry(const struct ini_entry *entry, void *userdata, struct err *e) {
        if (str_starts(entry->section, DEVICE_PREFIX))
                return on_device(userdata, entry, e);
        if (!str_eq(entry->section, "domain"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                               "wanted the section [domain] or [device ADDRESS], found [%s]", entry->section);
        return entry->key ? option_set_domain(userdata, entry->key, entry->value, e) : 0;
}

int profile_apply(const struct root *root, struct request *q, bool *ret_found, struct err *e) {
        struct request applied = *q;
        char name[NAME_LENGTH_MAX + sizeof("domains/.conf")];
        int r;

        /* The name becomes a part of a path. */
        if (!name_is_valid(q->domain))
                return err_set(e, -EINVAL, ERR_INVALID, "domain",
                               "wanted the name of a domain (1 to %d of A-Z a-z 0-9 . _ -), found “%s”",
                               NAME_LENGTH_MAX, q->domain);
        r = str_format(name, sizeof(name), "domains/%s.conf", q->domain);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, q->domain, "domains/%s.conf: the path is too long", q->domain);
        r = ini_load(root, name, on_entry, &applied, e);
        if (r < 0)
                return r;

        *q = applied;
        if (ret_found)
                *ret_found = r > 0;
        return 0;
}
