/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/boot-settings.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"
#include "model/pci-device.h"

#define ACS_IDS_MAX 16 /* what the override patch has room for */

static int refuse(const struct ini_entry *entry, const char *wanted, struct err *e) {
        return err_set(e, -EINVAL, ERR_INVALID, entry->key, "%s: wanted %s, found '%s'", entry->key, wanted,
                       entry->value);
}

static int keep(const struct ini_entry *entry, char *buf, size_t size, struct err *e) {
        if (str_copy(buf, size, entry->value) < 0)
                return err_set(e, -E2BIG, ERR_INVALID, entry->key, "%s: wanted at most %zu characters", entry->key,
                               size - 1);
        return 1;
}

/* Calls the check for each part of a comma-separated list: false when one fails, or is empty. */
static bool all_parts(const char *value, char separator, bool (*check)(const char *part)) {
        char copy[1024], *part = copy;

        if (str_copy(copy, sizeof(copy), value) < 0)
                return false;
        for (;;) {
                char *end = strchr(part, separator);

                if (end)
                        *end = '\0';
                if (!*part || !check(part))
                        return false;
                if (!end)
                        return true;
                part = end + 1;
        }
}

static bool is_pci_id(const char *s) {
        struct pci_id id;

        return pci_id_parse(s, &id) >= 0;
}

static bool is_acs_override(const char *s) {
        return str_eq(s, "downstream") || str_eq(s, "multifunction") || (str_starts(s, "id:") && is_pci_id(s + 3));
}

/* FLAGS@DEVICE: all seven flags, since those left out mean what the firmware set and not the kernel's default
 * (Documentation/admin-guide/kernel-parameters.txt, pci=config_acs; tried with 6.12). */
static bool is_acs_config(const char *s) {
        return strspn(s, "01x") == 7 && s[7] == '@' && s[8] && strspn(s + 8, "0123456789abcdefABCDEF:.pcisub") ==
                                                                       strlen(s + 8);
}

static bool is_count(const char *s) {
        uint64_t v;

        return str_to_u64(s, 10, 1U << 30, &v) >= 0 && v > 0;
}

static bool is_node_count(const char *s) {
        const char *colon = strchr(s, ':');

        return colon && colon > s && colon - s <= 4 && strspn(s, "0123456789") == (size_t) (colon - s) &&
               is_count(colon + 1);
}

/* As the kernel has them: a power of two. */
static bool is_page_size(const char *s) {
        size_t digits = strspn(s, "0123456789");
        char number[8] = "";
        uint64_t v;

        if (digits == 0 || digits > 5 || *s == '0' || strlen(s) != digits + 1 || !strchr("KMG", s[digits]))
                return false;
        memcpy(number, s, digits);
        return str_to_u64(number, 10, UINT16_MAX, &v) >= 0 && (v & (v - 1)) == 0;
}

/* Order and pairs matter there, so they have a section of their own. */
static bool has_hugepages(const char *parameters) {
        struct token t;

        while (cmdline_next(&parameters, &t))
                if (str_starts(t.start, "hugepagesz=") || str_starts(t.start, "hugepages="))
                        return true;
        return false;
}

static int on_iommu(const struct ini_entry *entry, struct boot_settings *s, struct err *e) {
        if (str_eq(entry->key, "passthrough"))
                return str_to_bool(entry->value, &s->passthrough) < 0 ? refuse(entry, "yes or no", e) : 1;
        if (!str_eq(entry->key, "enable"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted enable or passthrough, found the unknown "
                               "setting '%s'", entry->key);
        if (str_eq(entry->value, "auto"))
                s->iommu = IOMMU_AUTO;
        else if (str_eq(entry->value, "on"))
                s->iommu = IOMMU_ON;
        else if (str_eq(entry->value, "off"))
                s->iommu = IOMMU_OFF;
        else
                return refuse(entry, "auto, on or off", e);
        return 1;
}

static int on_acs(const struct ini_entry *entry, struct boot_settings *s, struct err *e) {
        size_t ids = 0;

        if (str_eq(entry->key, "config")) {
                if (*entry->value && !all_parts(entry->value, ';', is_acs_config))
                        return refuse(entry, "FLAGS@DEVICE with seven flags, as 0011101@pci:0:0", e);
                return keep(entry, s->acs_config, sizeof(s->acs_config), e);
        }
        if (!str_eq(entry->key, "override"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted override or config, found the unknown "
                               "setting '%s'", entry->key);
        for (const char *p = entry->value; (p = strstr(p, "id:")); p++)
                ids++;
        if ((*entry->value && !all_parts(entry->value, ',', is_acs_override)) || ids > ACS_IDS_MAX)
                return refuse(entry, "a list of downstream, multifunction and at most 16 of id:VVVV:DDDD", e);
        return keep(entry, s->acs_override, sizeof(s->acs_override), e);
}

/* Each size once: the kernel refuses a second one. A later file replaces an earlier one's count. */
static int on_hugepages(const struct ini_entry *entry, struct boot_settings *s, struct err *e) {
        size_t i = 0;
        int r;

        if (!is_page_size(entry->key))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted a page size like 2M or 1G, found '%s'",
                               entry->key);
        if (!is_count(entry->value) && !all_parts(entry->value, ',', is_node_count))
                return refuse(entry, "a number of pages, or NODE:NUMBER,…", e);
        while (i < s->n_pools && !str_eq(s->pools[i].size, entry->key))
                i++;
        if (i == HUGEPAGE_POOLS_MAX)
                return refuse(entry, "at most four page sizes", e);
        r = keep(entry, s->pools[i].count, sizeof(s->pools[i].count), e);
        if (r < 0)
                return r;
        (void) str_copy(s->pools[i].size, sizeof(s->pools[i].size), entry->key);
        if (i == s->n_pools)
                s->n_pools++;
        return 1;
}

static int on_vfio(const struct ini_entry *entry, struct boot_settings *s, struct err *e) {
        if (!str_eq(entry->key, "ids"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted ids, found the unknown setting '%s'",
                               entry->key);
        if (*entry->value && !all_parts(entry->value, ',', is_pci_id))
                return refuse(entry, "a list of VVVV:DDDD", e);
        return keep(entry, s->vfio_ids, sizeof(s->vfio_ids), e);
}

static int on_parameters(const struct ini_entry *entry, struct boot_settings *s, struct err *e) {
        if (!str_eq(entry->key, "extra"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted extra, found the unknown setting '%s'",
                               entry->key);
        if (*entry->value && !parameter_is_valid(entry->value))
                return refuse(entry, "kernel parameters, without '--' and with every quote closed", e);
        if (has_hugepages(entry->value))
                return refuse(entry, "no hugepages here: they go into the section [hugepages]", e);
        return keep(entry, s->extra, sizeof(s->extra), e);
}

static int on_boot(const struct ini_entry *entry, struct boot_settings *s, struct err *e) {
        if (!str_eq(entry->key, "kernel"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted kernel, found the unknown setting '%s'",
                               entry->key);
        if (strspn(entry->value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-") !=
            strlen(entry->value))
                return refuse(entry, "a version like 6.1.0-13-amd64", e);
        return keep(entry, s->kernel, sizeof(s->kernel), e);
}

int boot_settings_entry(const struct ini_entry *entry, struct boot_settings *settings, struct err *e) {
        static const struct {
                const char *section;
                int (*handle)(const struct ini_entry *entry, struct boot_settings *s, struct err *e);
        } sections[] = {
                { "iommu", on_iommu },       { "acs", on_acs }, { "hugepages", on_hugepages }, { "vfio", on_vfio },
                { "parameters", on_parameters }, { "boot", on_boot },
        };

        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
                if (str_eq(entry->section, sections[i].section))
                        return entry->key ? sections[i].handle(entry, settings, e) : 1;
        return 0;
}
