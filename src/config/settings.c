/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "config/ini.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static const struct setting {
        const char *section, *key;
        size_t offset;
        uint64_t standard, min, max;
        const char *wanted;
} known[] = {
        { "lease", "deadline", offsetof(struct settings, deadline_usec), 70 * SECOND, SECOND, 10 * MINUTE,
          "from 1s to 10min" },
        { "lease", "patience", offsetof(struct settings, patience_usec), 10 * SECOND, 500 * 1000, 10 * MINUTE,
          "from 500ms to 10min" },
        { "helper", "idle-exit", offsetof(struct settings, idle_usec), 60 * SECOND, SECOND, 24 * HOUR,
          "from 1s to 24h" },
        { "helper", "retry", offsetof(struct settings, retry_usec), 10 * SECOND, SECOND, HOUR, "from 1s to 1h" },
};

static uint64_t *value_of(struct settings *settings, const struct setting *s) {
        return (uint64_t *) ((char *) settings + s->offset);
}

static int parse_span(const char *text, uint64_t max, uint64_t *ret) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = { { "", SECOND }, { "s", SECOND }, { "ms", 1000 }, { "min", MINUTE }, { "h", HOUR } };
        char number[24];
        size_t digits = strspn(text, "0123456789");
        uint64_t v;
        int r;

        if (digits >= sizeof(number))
                return -ERANGE;
        memcpy(number, text, digits);
        number[digits] = '\0';

        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (str_eq(text + digits, units[i].name)) {
                        r = str_to_u64(number, 10, max / units[i].usec, &v);
                        if (r < 0)
                                return r;
                        *ret = v * units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

static int set_group(struct settings *settings, const struct ini_entry *entry, struct err *e) {
        if ((*entry->value && !name_is_valid(entry->value)) ||
            str_copy(settings->group, sizeof(settings->group), entry->value) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, entry->key,
                               "%s: wanted the name of a group in /etc/group, of at most %d of A-Z a-z 0-9 . _ -, found “%s”",
                               entry->key, GROUP_NAME_MAX - 1, entry->value);
        return 0;
}

static int on_entry(const struct ini_entry *entry, void *userdata, struct err *e) {
        bool section_is_known = false;
        int r;

        r = boot_settings_entry(entry, &((struct settings *) userdata)->boot, e);
        if (r != 0)
                return r < 0 ? r : 0;
        if (str_eq(entry->section, "helper") && entry->key && str_eq(entry->key, "group"))
                return set_group(userdata, entry, e);
        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                const struct setting *s = &known[i];
                uint64_t usec;

                if (!str_eq(entry->section, s->section))
                        continue;
                section_is_known = true;
                if (!entry->key || !str_eq(entry->key, s->key))
                        continue;
                if (parse_span(entry->value, s->max, &usec) < 0 || usec < s->min)
                        return err_set(e, -EINVAL, ERR_INVALID, s->key,
                                       "%s: wanted a time %s, as 90, 90s, 2min or 500ms, found “%s”", s->key,
                                       s->wanted, entry->value);
                *value_of(userdata, s) = usec;
                return 0;
        }
        if (!section_is_known)
                return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                               "wanted the section [lease], [helper], [iommu], [acs], [hugepages], [vfio], [parameters] or "
                               "[boot], found [%s]", entry->section);
        if (entry->key)
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted %s, found the unknown setting “%s”",
                               str_eq(entry->section, "lease") ? "deadline or patience" : "group, idle-exit or retry",
                               entry->key);
        return 0;
}

void settings_default(struct settings *ret) {
        *ret = (struct settings) {};
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                *value_of(ret, &known[i]) = known[i].standard;
}

int settings_load(const struct root *root, struct settings *ret, struct err *e) {
        struct settings settings;
        int r;

        settings_default(&settings);
        r = ini_load(root, "passthru.conf", on_entry, &settings, e);
        if (r < 0)
                return r;

        *ret = settings;
        return 0;
}
