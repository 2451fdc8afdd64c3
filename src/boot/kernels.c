/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define KERNEL_FILE_MAX (64U << 20)

static const struct {
        const char *folder;
        bool below; /* a folder per version */
} places[] = { { "/boot", false }, { "/lib/modules", true } };

bool kernels_any_file(const struct root *root, const char *prefix, bool (*fn)(const char *text), bool *found) {
        *found = false;
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                _cleanup_strv_ char **names = NULL;

                if (root_list(root, &names, "%s", places[i].folder) < 0)
                        continue;
                for (char **n = names; *n; n++) {
                        _cleanup_free_ char *text = NULL;
                        char path[600];

                        if (places[i].below)
                                (void) str_format(path, sizeof(path), "%s/%s/%s", places[i].folder, *n, prefix);
                        else if (str_starts(*n, prefix) && (*n)[strlen(prefix)] == '-')
                                (void) str_format(path, sizeof(path), "%s/%s", places[i].folder, *n);
                        else
                                continue;
                        if (root_read(root, path, KERNEL_FILE_MAX, &text, NULL) < 0)
                                continue;
                        *found = true;
                        if (fn(text))
                                return true;
                }
        }
        return false;
}

/* "6.1.0-13-amd64" is 601; 0: no version. */
static unsigned parse_version(const char *s) {
        char *end;
        unsigned long major = strtoul(s, &end, 10), minor;

        if (end == s || *end != '.' || major > 99)
                return 0;
        s = end + 1;
        minor = strtoul(s, &end, 10);
        return end == s || minor > 99 ? 0 : (unsigned) (100 * major + minor);
}

unsigned kernels_newest(const struct root *root) {
        unsigned newest = 0;

        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                _cleanup_strv_ char **names = NULL;

                if (root_list(root, &names, "%s", places[i].folder) < 0)
                        continue;
                for (char **n = names; *n; n++) {
                        const char *name = str_starts(*n, "vmlinuz-") ? *n + strlen("vmlinuz-") : *n;
                        unsigned version = name > *n || places[i].below ? parse_version(name) : 0;

                        if (version > newest)
                                newest = version;
                }
        }
        return newest;
}

bool kernel_ignores(const struct root *root, const char *parameter) {
        _cleanup_free_ char *symbols = NULL;
        char release[128];

        if (str_eq(parameter, "amd_iommu=on"))
                return true;
        if (str_starts(parameter, "pci=config_acs="))
                return root_read_attr(root, release, sizeof(release), "/proc/sys/kernel/osrelease") >= 0 &&
                       parse_version(release) > 0 && parse_version(release) < CONFIG_ACS_VERSION;
        /* The patch adds a function that is called when devices are found. */
        return str_starts(parameter, "pcie_acs_override=") &&
               root_read(root, "/proc/kallsyms", KERNEL_FILE_MAX, &symbols, NULL) >= 0 && *symbols &&
               !strstr(symbols, "pcie_acs_override");
}
