/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/early-conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/ini.h"
#include "config/option.h"

#define DEVICE_PREFIX "device "

static int wanted(const struct ini_entry *entry, const char *what, struct err *e) {
        return err_set(e, -EINVAL, ERR_INVALID, entry->key, "%s: wanted %s, found '%s'", entry->key, what,
                       entry->value);
}

static struct early_device *device_at(struct early *early, const struct bdf *address) {
        struct early_device *d;

        for (size_t i = 0; i < early->n_devices; i++)
                if (bdf_compare(&early->devices[i].device.address, address) == 0)
                        return &early->devices[i];
        if (early->n_devices == EARLY_DEVICES_MAX)
                return NULL;
        d = &early->devices[early->n_devices++];
        *d = (struct early_device){ .device.address = *address };
        return d;
}

static int on_device(struct early *early, const struct ini_entry *entry, struct err *e) {
        const char *text = entry->section + sizeof(DEVICE_PREFIX) - 1;
        struct early_device *d;
        struct bdf address;

        if (bdf_parse(text, &address) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                               "wanted [device ADDRESS] with a PCI address such as 0000:01:00.0, found '%s'",
                               text);
        d = device_at(early, &address);
        if (!d)
                return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                               "wanted at most %d devices, found one more", EARLY_DEVICES_MAX);
        if (!entry->key)
                return 0;
        if (str_eq(entry->key, "force"))
                return str_to_bool(entry->value, &d->force) < 0 ? wanted(entry, "yes or no", e) : 0;
        if (str_eq(entry->key, "idle")) {
                d->idle_host = str_eq(entry->value, "host");
                return d->idle_host || str_eq(entry->value, "vfio") ? 0 : wanted(entry, "vfio or host", e);
        }
        if (str_eq(entry->key, "path")) {
                if (!pci_path_is_valid(entry->value))
                        return wanted(entry, "a path such as 0000:00:1c.4/00.0", e);
                return str_copy(d->path, sizeof(d->path), entry->value);
        }
        return option_set_device(&d->device, entry->key, entry->value, e);
}

/* "2M" as KiB: a power of two. 0: none. */
static uint64_t page_kib(const char *s) {
        size_t digits = strspn(s, "0123456789");
        char number[8] = "";
        uint64_t v;

        if (digits == 0 || digits > 5 || s[digits] == '\0' || s[digits + 1] != '\0')
                return 0;
        memcpy(number, s, digits);
        if (str_to_u64(number, 10, UINT16_MAX, &v) < 0 || (v & (v - 1)) != 0)
                return 0;
        switch (s[digits]) {
        case 'K':
                return v;
        case 'M':
                return v << 10;
        case 'G':
                return v << 20;
        default:
                return 0;
        }
}

static int set_pool(struct early *early, uint64_t kib, int node, uint32_t pages) {
        size_t i;

        for (i = 0; i < early->n_pools; i++)
                if (early->pools[i].page_kib == kib && early->pools[i].node == node)
                        break;
        if (i == EARLY_POOLS_MAX)
                return -ENOSPC;
        early->pools[i] = (struct early_pool){ kib, node, pages };
        if (i == early->n_pools)
                early->n_pools++;
        return 0;
}

/* A later entry replaces all that an earlier one said of this size. */
static void forget_pools(struct early *early, uint64_t kib) {
        size_t n = 0;

        for (size_t i = 0; i < early->n_pools; i++)
                if (early->pools[i].page_kib != kib)
                        early->pools[n++] = early->pools[i];
        early->n_pools = n;
}

/* "0:2" or, alone, "4". */
static int parse_count(const char *part, bool alone, int *node, uint32_t *pages) {
        const char *colon = strchr(part, ':');
        char number[8] = "";
        uint64_t n = 0, count;

        if (colon) {
                if ((size_t) (colon - part) >= sizeof(number))
                        return -EINVAL;
                memcpy(number, part, (size_t) (colon - part));
        }
        if ((!colon && !alone) || (colon && str_to_u64(number, 10, EARLY_NODE_MAX, &n) < 0) ||
            str_to_u64(colon ? colon + 1 : part, 10, 1U << 30, &count) < 0 || count == 0)
                return -EINVAL;
        *node = colon ? (int) n : EARLY_NODE_ANY;
        *pages = (uint32_t) count;
        return 0;
}

static int on_hugepages(struct early *early, const struct ini_entry *entry, struct err *e) {
        char copy[512], *rest = copy, *part;
        uint64_t kib;
        bool alone;

        if (!entry->key)
                return 0;
        kib = page_kib(entry->key);
        if (kib == 0)
                return err_set(e, -EINVAL, ERR_INVALID, entry->key,
                               "wanted the size of a page such as 2M or 1G, "
                               "found '%s'",
                               entry->key);
        if (str_copy(copy, sizeof(copy), entry->value) < 0)
                return wanted(entry, "a shorter list", e);
        forget_pools(early, kib);
        alone = !strchr(copy, ',');
        while ((part = strsep(&rest, ","))) {
                uint32_t pages;
                int node;

                if (parse_count(part, alone, &node, &pages) < 0)
                        return wanted(entry, "a number of pages, or NODE:NUMBER,NODE:NUMBER", e);
                if (set_pool(early, kib, node, pages) < 0)
                        return err_set(e, -EINVAL, ERR_INVALID, entry->key,
                                       "wanted at most %d sizes and nodes, found "
                                       "one more",
                                       EARLY_POOLS_MAX);
        }
        return 0;
}

static int on_image(struct early *early, const struct ini_entry *entry, struct err *e) {
        struct early_keep *keep = &early->keep[early->n_keep];
        size_t n;

        if (!entry->key)
                return 0;
        if (!str_eq(entry->key, "keep"))
                return err_set(e, -EINVAL, ERR_INVALID, entry->key, "wanted keep, found the unknown setting '%s'",
                               entry->key);
        if (early->n_keep == EARLY_KEEP_MAX)
                return err_set(e, -EINVAL, ERR_INVALID, entry->key,
                               "wanted at most %d devices to keep, found one more", EARLY_KEEP_MAX);
        n = strcspn(entry->value, " ");
        if (n >= sizeof(keep->path) || entry->value[n] != ' ' || !entry->value[n + 1])
                return wanted(entry, "PATH WHAT", e);
        *keep = (struct early_keep){};
        memcpy(keep->path, entry->value, n);
        if (!pci_path_is_valid(keep->path) || str_copy(keep->what, sizeof(keep->what), entry->value + n + 1) < 0)
                return wanted(entry, "PATH WHAT", e);
        early->n_keep++;
        return 0;
}

static int on_entry(const struct ini_entry *entry, void *userdata, struct err *e) {
        if (str_starts(entry->section, DEVICE_PREFIX))
                return on_device(userdata, entry, e);
        if (str_eq(entry->section, "hugepages"))
                return on_hugepages(userdata, entry, e);
        if (str_eq(entry->section, "image"))
                return on_image(userdata, entry, e);
        return err_set(e, -EINVAL, ERR_INVALID, entry->section,
                       "wanted the section [device ADDRESS], [hugepages] or [image], found [%s]", entry->section);
}

/* A file that was cut off may end in a section that has not got so far. */
static int check(const struct early *early, struct err *e) {
        for (size_t i = 0; i < early->n_devices; i++) {
                char text[BDF_TEXT_MAX];

                if (!early->devices[i].device.has_id)
                        return err_set(
                                e, -EINVAL, ERR_INVALID, bdf_format(&early->devices[i].device.address, text),
                                "[device %s]: wanted id=VVVV:DDDD as lspci -nn prints it, found none: without "
                                "it, another device might be taken once addresses move",
                                text);
        }
        return 0;
}

int early_conf_load(const struct root *root, struct early *ret, struct err *e) {
        struct early early = {};
        int r;

        r = ini_load(root, EARLY_CONF, on_entry, &early, e);
        if (r >= 0)
                r = check(&early, e);
        if (r < 0)
                return r;

        *ret = early;
        return 0;
}

int early_conf_parse(const char *file, const char *text, size_t size, struct early *ret, struct err *e) {
        struct early early = {};
        int r;

        r = ini_load_text(file, text, size, on_entry, &early, e);
        if (r >= 0)
                r = check(&early, e);
        if (r < 0)
                return r;

        *ret = early;
        return 0;
}

static void format_device(FILE *f, const struct early_device *d) {
        char text[BDF_TEXT_MAX], id[PCI_ID_TEXT_MAX];

        fprintf(f, "[device %s]\nid=%s\n", bdf_format(&d->device.address, text), pci_id_format(&d->device.id, id));
        if (d->device.has_subsystem)
                fprintf(f, "subsystem=%s\n", pci_id_format(&d->device.subsystem, id));
        if (*d->device.driver)
                fprintf(f, "driver=%s\n", d->device.driver);
        if (d->force)
                fputs("force=yes\n", f);
        if (d->idle_host)
                fputs("idle=host\n", f);
        if (*d->path)
                fprintf(f, "path=%s\n", d->path);
}

static void format_pools(FILE *f, const struct early *early) {
        uint64_t last = 0;

        if (early->n_pools > 0)
                fputs("[hugepages]", f);
        for (size_t i = 0; i < early->n_pools; i++) {
                const struct early_pool *p = &early->pools[i];

                if (p->page_kib == last)
                        fputc(',', f);
                else if (p->page_kib >= 1 << 20)
                        fprintf(f, "\n%lluG=", (unsigned long long) p->page_kib >> 20);
                else if (p->page_kib >= 1 << 10)
                        fprintf(f, "\n%lluM=", (unsigned long long) p->page_kib >> 10);
                else
                        fprintf(f, "\n%lluK=", (unsigned long long) p->page_kib);
                if (p->node != EARLY_NODE_ANY)
                        fprintf(f, "%d:", p->node);
                fprintf(f, "%u", p->pages);
                last = p->page_kib;
        }
        if (early->n_pools > 0)
                fputc('\n', f);
}

char *early_conf_format(const struct early *early) {
        char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        for (size_t i = 0; i < early->n_devices; i++)
                format_device(f, &early->devices[i]);
        format_pools(f, early);
        if (early->n_keep > 0)
                fputs("[image]\n", f);
        for (size_t i = 0; i < early->n_keep; i++)
                fprintf(f, "keep=%s %s\n", early->keep[i].path, early->keep[i].what);
        if (fclose(f) != 0) {
                freep(&text);
                return NULL;
        }
        return text;
}
