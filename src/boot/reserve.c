/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/reserve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/replace.h"
#include "config/early-conf.h"
#include "model/reserve.h"
#include "sys/boot-source.h"
#include "sys/iommu.h"
#include "sys/pci.h"

#define FILE_SIZE_MAX (256U << 10)

/* The devices of one call, each once. */
struct chosen {
        struct pci_device list[EARLY_DEVICES_MAX];
        size_t n;
};

static bool has(const struct chosen *chosen, const struct bdf *address) {
        for (size_t i = 0; i < chosen->n; i++)
                if (bdf_compare(&chosen->list[i].address, address) == 0)
                        return true;
        return false;
}

static int add(struct chosen *chosen, const struct pci_device *d, struct err *e) {
        char text[BDF_TEXT_MAX];

        if (has(chosen, &d->address))
                return 0;
        if (chosen->n == EARLY_DEVICES_MAX)
                return err_set(e, -E2BIG, ERR_INVALID, bdf_format(&d->address, text), "wanted at most %d devices",
                               EARLY_DEVICES_MAX);
        chosen->list[chosen->n++] = *d;
        return 0;
}

/* A group is lent as a whole or not at all, so it is reserved like that. */
static int add_group(const struct root *root, const struct pci_device *d, bool expand, struct chosen *chosen,
                     struct err *e) {
        _cleanup_pci_devices_ struct pci_devices group = {};
        char text[BDF_TEXT_MAX], other[BDF_TEXT_MAX];
        int r;

        if (d->group < 0)
                return 0;
        r = iommu_group_devices(root, d->group, &group, e);
        for (size_t i = 0; r >= 0 && i < group.n; i++) {
                const struct pci_device *member = &group.list[i];

                if (member->bridge || has(chosen, &member->address))
                        continue;
                if (!expand)
                        return err_set(
                                e, -EPERM, ERR_REFUSED, bdf_format(&d->address, text),
                                "%s is in IOMMU group %d with %s: name that one as well, or say --group=expand",
                                text, d->group, bdf_format(&member->address, other));
                r = add(chosen, member, e);
        }
        return r;
}

static int choose(const struct root *root, const struct bdf *addresses, size_t n, bool expand,
                  struct chosen *chosen, struct err *e) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                struct pci_device d;

                r = host_pci_device(root, &addresses[i], &d, e);
                if (r >= 0)
                        r = add(chosen, &d, e);
        }
        for (size_t i = 0, named = chosen->n; r >= 0 && i < named; i++)
                r = add_group(root, &chosen->list[i], expand, chosen, e);
        return r;
}

static int check_all(const struct root *root, const struct chosen *chosen, bool force, struct err *e) {
        _cleanup_free_ struct early *needed = calloc(1, sizeof(*needed));
        _cleanup_pci_devices_ struct pci_devices devices = {};
        char cmdline[4096] = "";
        int r;

        if (!needed)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = host_pci_functions(root, &devices, e);
        if (r >= 0)
                r = boot_source_find(root, &devices, needed, e);
        (void) root_read_attr(root, cmdline, sizeof(cmdline), "/proc/cmdline");
        for (size_t i = 0; r >= 0 && i < chosen->n; i++)
                r = reserve_check(needed, &devices, &chosen->list[i], force, cmdline, e);
        return r;
}

/* Where the section of a device is in the text: from its header to the last of its settings, so that what is said
 * before the next section stays. False: there is none. */
static bool find_section(const char *text, const struct bdf *address, size_t *begin, size_t *end) {
        bool inside = false, found = false;

        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                size_t next = n + (line[n] == '\n');
                char header[64] = "";
                struct bdf here;

                if (*line == '[') {
                        if (found)
                                return true;
                        (void) str_format(header, sizeof(header), "%.*s", (int) n, line);
                        header[strcspn(header, "]")] = '\0';
                        inside = str_starts(header, "[device ") && bdf_parse(header + 8, &here) >= 0 &&
                                 bdf_compare(&here, address) == 0;
                        if (inside)
                                *begin = (size_t) (line - text);
                        found = inside;
                }
                if (inside && n > 0 && !strchr("#; \t\r", *line))
                        *end = (size_t) (line - text) + next;
                line += next;
        }
        return found;
}

/* Takes all sections of a device out, and the empty line before each. */
static bool remove_sections(char *text, const struct bdf *address) {
        size_t begin = 0, end = 0;
        bool removed = false;

        while (find_section(text, address, &begin, &end)) {
                if (begin >= 2 && text[begin - 1] == '\n' && text[begin - 2] == '\n')
                        begin--;
                memmove(text + begin, text + end, strlen(text + end) + 1);
                removed = true;
        }
        return removed;
}

static int append_section(char **text, const struct pci_device *d, const struct early_device *settings) {
        static const struct pci_id none = {};
        _cleanup_free_ struct early *one = calloc(1, sizeof(*one));
        _cleanup_free_ char *section = NULL;
        struct early_device *want;
        size_t length = strlen(*text);
        char *longer;

        if (!one)
                return -ENOMEM;
        one->n_devices = 1;
        want = &one->devices[0];
        *want = *settings;
        want->device.address = d->address;
        want->device.has_id = true;
        want->device.id = d->id;
        want->device.has_subsystem = !pci_id_equal(&d->subsystem, &none);
        want->device.subsystem = d->subsystem;
        section = early_conf_format(one);
        if (!section || asprintf(&longer, "%s%s%s%s", *text, length > 0 && (*text)[length - 1] != '\n' ? "\n" : "",
                                 length > 0 ? "\n" : "", section) < 0)
                return -ENOMEM;
        free(*text);
        *text = longer;
        return 0;
}

/* "" when there is none. */
static int read_file(const struct root *root, char **ret, bool *exists, struct err *e) {
        size_t size;
        int r = root_read(root, EARLY_CONF_PATH, FILE_SIZE_MAX, ret, &size);

        *exists = r >= 0;
        if (r == -ENOENT)
                r = (*ret = strdup("")) ? 0 : -ENOMEM;
        else if (r >= 0 && strlen(*ret) != size)
                r = -EINVAL;
        return r < 0 ? err_set(e, r, ERR_FAILED, EARLY_CONF_PATH, EARLY_CONF_PATH " cannot be edited: %s",
                               strerror(-r))
                     : 0;
}

/* What comes out must be read as what was meant, whatever the file looked like. */
static int finish(const char *before, bool existed, const char *after, struct plan *plan, struct err *e) {
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        bool empty = strspn(after, " \t\n") == strlen(after);
        int r;

        if (!early)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = early_conf_parse(EARLY_CONF_PATH, after, strlen(after), early, e);
        if (r < 0)
                return r;
        r = plan_add_change(plan, EARLY_CONF_PATH, existed ? before : NULL, empty ? NULL : after, 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, EARLY_CONF_PATH, "out of memory") : 0;
}

static const struct early_device *configured(const struct early *early, const struct bdf *address) {
        for (size_t i = 0; i < early->n_devices; i++)
                if (bdf_compare(&early->devices[i].device.address, address) == 0)
                        return &early->devices[i];
        return NULL;
}

static bool is_configured(const struct early *early, const struct pci_device *d,
                          const struct early_device *settings) {
        const struct early_device *now = configured(early, &d->address);

        return now && pci_id_equal(&now->device.id, &d->id) &&
               (!now->device.has_subsystem || pci_id_equal(&now->device.subsystem, &d->subsystem)) &&
               now->force == settings->force && now->idle_host == settings->idle_host &&
               str_eq(early_driver(now), early_driver(settings));
}

int reserve_plan(const struct root *root, const struct bdf *addresses, size_t n, bool expand,
                 const struct early_device *settings, struct plan *plan, struct err *e) {
        _cleanup_free_ struct chosen *chosen = calloc(1, sizeof(*chosen));
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        _cleanup_free_ char *before = NULL, *after = NULL;
        bool exists;
        int r;

        if (!chosen || !early)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = early_conf_load(root, early, e);
        if (r >= 0)
                r = choose(root, addresses, n, expand, chosen, e);
        if (r >= 0)
                r = check_all(root, chosen, settings->force, e);
        if (r >= 0)
                r = read_file(root, &before, &exists, e);
        if (r < 0)
                return r;
        after = strdup(before);
        for (size_t i = 0; after && i < chosen->n; i++) {
                if (is_configured(early, &chosen->list[i], settings))
                        continue;
                (void) remove_sections(after, &chosen->list[i].address);
                r = append_section(&after, &chosen->list[i], settings);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, NULL, "out of memory");
        }
        return after ? finish(before, exists, after, plan, e)
                     : err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
}

/* A device that has gone is released by its address alone. */
static int choose_listed(const struct root *root, const struct early *early, const struct bdf *addresses, size_t n,
                         struct chosen *chosen, struct err *e) {
        for (size_t i = 0; i < n; i++) {
                struct pci_device d = { .address = addresses[i], .group = -1 };
                char text[BDF_TEXT_MAX];
                int r;

                if (!configured(early, &addresses[i]))
                        return err_set(e, -ENOENT, ERR_NOT_FOUND, bdf_format(&addresses[i], text),
                                       "%s is not reserved: early.conf does not list it", text);
                r = host_pci_device(root, &addresses[i], &d, NULL);
                if (r < 0)
                        d.group = -1;
                r = add(chosen, &d, e);
                if (r >= 0)
                        r = add_group(root, &d, true, chosen, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int release_plan(const struct root *root, const struct bdf *addresses, size_t n, struct plan *plan,
                 struct err *e) {
        _cleanup_free_ struct chosen *chosen = calloc(1, sizeof(*chosen));
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        _cleanup_free_ char *before = NULL, *after = NULL;
        bool exists;
        int r;

        if (!chosen || !early)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = early_conf_load(root, early, e);
        if (r >= 0)
                r = choose_listed(root, early, addresses, n, chosen, e);
        if (r >= 0)
                r = read_file(root, &before, &exists, e);
        if (r < 0)
                return r;
        after = strdup(before);
        for (size_t i = 0; after && i < chosen->n; i++) {
                char text[BDF_TEXT_MAX];

                if (!remove_sections(after, &chosen->list[i].address) &&
                    configured(early, &chosen->list[i].address))
                        return err_set(e, -EPERM, ERR_REFUSED, bdf_format(&chosen->list[i].address, text),
                                       "%s is reserved by another file than " EARLY_CONF_PATH
                                       ", a drop-in or one in "
                                       "/usr/lib/passthru: take it out there",
                                       text);
        }
        return after ? finish(before, exists, after, plan, e)
                     : err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
}

static int check_unchanged(const struct root *root, const struct plan_change *c, struct err *e) {
        _cleanup_free_ char *now = NULL;
        int r = root_read(root, c->path, FILE_SIZE_MAX, &now, NULL);

        if (r == -ENOENT ? !c->before : r >= 0 && c->before && str_eq(now, c->before))
                return 0;
        return err_set(e, -ESTALE, ERR_FAILED, c->path, "%s was changed by somebody else just now; try again",
                       c->path);
}

int reserve_apply(const struct root *root, const struct plan *plan, struct err *e) {
        for (size_t i = 0; i < plan->n_changes; i++) {
                const struct plan_change *c = &plan->changes[i];
                int r = check_unchanged(root, c, e);

                if (r < 0)
                        return r;
                r = boot_file_replace(root, c->path, c->after, c->mode);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, c->path, "%s cannot be written: %s", c->path,
                                       strerror(-r));
        }
        return 0;
}
