/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/wanted.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "boot/kernels.h"

static int add(struct wanted *w, const char *text, struct err *e) {
        for (size_t i = 0; i < w->n; i++)
                if (str_eq(w->list[i], text))
                        return 0;
        if (w->n == WANTED_MAX || str_copy(w->text[w->n], WANTED_TEXT_MAX, text) < 0)
                return err_set(e, -E2BIG, ERR_INVALID, "passthru.conf",
                               "too many kernel parameters, or one of over %d characters: '%.40s…'",
                               WANTED_TEXT_MAX - 1, text);
        w->list[w->n] = w->text[w->n];
        w->n++;
        return 0;
}

static int add_value(struct wanted *w, const char *key, const char *value, struct err *e) {
        char text[WANTED_TEXT_MAX];

        if (!*value)
                return 0;
        if (str_format(text, sizeof(text), "%s%s", key, value) < 0)
                return err_set(e, -E2BIG, ERR_INVALID, "passthru.conf", "%s…: over %d characters", key,
                               WANTED_TEXT_MAX - 1);
        return add(w, text, e);
}

static bool needs_intel_parameter(const char *config) {
        const char *set = strstr(config, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y");

        return !set || (set > config && set[-1] != '\n');
}

static int add_iommu(const struct root *root, const struct boot_settings *s, struct wanted *w, struct err *e) {
        bool intel = root_exists(root, "/sys/firmware/acpi/tables/DMAR") > 0,
             amd = root_exists(root, "/sys/firmware/acpi/tables/IVRS") > 0;
        bool known, needed = kernels_any_file(root, "config", needs_intel_parameter, &known);
        int r = 0;

        /* Without a configuration there is nothing to tell, and the parameter does no harm. */
        needed |= !known;

        if (s->iommu == IOMMU_OFF)
                r = intel || amd ? add(w, intel ? "intel_iommu=off" : "amd_iommu=off", e) : 0;
        else if (intel && (needed || s->iommu == IOMMU_ON))
                r = add(w, "intel_iommu=on", e);
        else if (amd)
                (void) str_copy(w->note, sizeof(w->note),
                                "the AMD IOMMU is on by default; amd_iommu=on is no valid value and is not added");
        else if (intel)
                (void) str_copy(w->note, sizeof(w->note),
                                "the installed kernels turn the Intel IOMMU on by themselves");
        else
                (void) str_copy(w->note, sizeof(w->note),
                                "the firmware announces no IOMMU: enable VT-d or AMD-Vi in its settings");
        if (r >= 0 && s->passthrough && s->iommu != IOMMU_OFF)
                r = add(w, "iommu=pt", e);
        return r;
}

static int add_extra(const char *extra, struct wanted *w, struct err *e) {
        struct token t;
        int r = 0;

        while (r >= 0 && cmdline_next(&extra, &t)) {
                char text[WANTED_TEXT_MAX];

                if (str_format(text, sizeof(text), "%.*s", (int) t.length, t.start) < 0)
                        return err_set(e, -E2BIG, ERR_INVALID, "extra", "extra: a parameter of over %d characters",
                                       WANTED_TEXT_MAX - 1);
                r = add(w, text, e);
        }
        return r;
}

/* A machine finds its root by the line that it has; revert could not tell the two apart. */
static int check_root(const struct wanted *w, struct err *e) {
        for (size_t i = 0; i < w->n; i++)
                if (str_starts(w->list[i], "root=") || str_starts(w->list[i], "\"root="))
                        return err_set(e, -EINVAL, ERR_INVALID, "extra",
                                       "extra: wanted parameters for passing devices through, found %s, without which "
                                       "nothing boots; change it where the boot loader has it", w->list[i]);
        return 0;
}

/* Two values of one name: only the last would count, and no line could have both. */
static int check_contradictions(const struct wanted *w, struct err *e) {
        char line[WANTED_MAX * WANTED_TEXT_MAX] = "";
        struct token t;

        for (size_t i = 0; i < w->n; i++) {
                size_t n = strlen(line);

                (void) str_format(line + n, sizeof(line) - n, " %s", w->list[i]);
        }
        for (size_t i = 0; i < w->n; i++)
                if (cmdline_overridden_by(line, w->list[i], &t))
                        return err_set(e, -EINVAL, ERR_INVALID, "passthru.conf",
                                       "passthru.conf wants both %s and %.*s; leave one of them", w->list[i],
                                       (int) t.length, t.start);
        return 0;
}

static void note_useless(struct wanted *w) {
        for (size_t i = 0; i < w->n; i++)
                if (str_eq(w->list[i], "amd_iommu=on"))
                        (void) str_copy(w->note, sizeof(w->note),
                                        "amd_iommu=on is no valid value: the kernel ignores it, and the AMD "
                                        "IOMMU is on by default");
}

int wanted_find(const struct root *root, const struct boot_settings *s, struct wanted *ret, struct err *e) {
        struct wanted *w = ret;
        int r;

        *w = (struct wanted) {};
        if ((r = add_iommu(root, s, w, e)) < 0 ||
            (r = add_value(w, "pcie_acs_override=", s->acs_override, e)) < 0 ||
            (r = add_value(w, "pci=config_acs=", s->acs_config, e)) < 0 ||
            (r = add_value(w, "vfio-pci.ids=", s->vfio_ids, e)) < 0)
                return r;
        for (size_t i = 0; i < s->n_pools; i++) {
                char text[WANTED_TEXT_MAX];

                (void) str_format(text, sizeof(text), "hugepagesz=%s hugepages=%s", s->pools[i].size,
                                  s->pools[i].count);
                r = add(w, text, e);
                if (r < 0)
                        return r;
        }
        r = add_extra(s->extra, w, e);
        if (r >= 0)
                r = check_root(w, e);
        if (r >= 0)
                r = check_contradictions(w, e);
        if (r >= 0)
                note_useless(w);
        return r;
}
