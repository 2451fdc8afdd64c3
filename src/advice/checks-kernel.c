/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/checks.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "model/pci-device.h"
#include "sys/iommu.h"
#include "sys/module.h"

/* Whether a word stands in the first "flags" line of /proc/cpuinfo. */
static int has_cpu_flag(const struct root *root, const char *flag) {
        _cleanup_free_ char *text = NULL;
        char *line, *save;
        int r;

        r = root_read(root, "/proc/cpuinfo", 4U << 20, &text, NULL);
        if (r < 0)
                return r;
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *word, *save_word;

                if (!str_starts(line, "flags"))
                        continue;
                for (word = strtok_r(line, " \t:", &save_word); word; word = strtok_r(NULL, " \t:", &save_word))
                        if (str_eq(word, flag))
                                return 1;
                return 0;
        }
        return 0;
}

int check_cpu_virtualization(const struct root *root, struct finding *f) {
        int vmx = has_cpu_flag(root, "vmx"), svm = has_cpu_flag(root, "svm");

        if (vmx < 0)
                return vmx;
        if (vmx > 0 || svm > 0)
                return finding_set(f, SEVERITY_OK, "", "/proc/cpuinfo has %s", vmx > 0 ? "vmx (VT-x)" : "svm (AMD-V)");
        return finding_set(f, SEVERITY_WARNING, "enable VT-x or SVM in the firmware's settings",
                           "/proc/cpuinfo has neither vmx nor svm: virtual machines will be emulated, slowly");
}

int check_iommu_firmware(const struct root *root, struct finding *f) {
        static const struct {
                const char *table, *name;
        } tables[] = { { "DMAR", "VT-d" }, { "IVRS", "AMD-Vi" }, { "IORT", "SMMU" } };

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                if (root_exists(root, "/sys/firmware/acpi/tables/%s", tables[i].table) > 0)
                        return finding_set(f, SEVERITY_OK, "", "/sys/firmware/acpi/tables/%s: the firmware announces %s",
                                           tables[i].table, tables[i].name);
        return finding_set(f, SEVERITY_ERROR, "enable VT-d or AMD-Vi (IOMMU) in the firmware's settings",
                           "/sys/firmware/acpi/tables has neither DMAR, IVRS nor IORT");
}

int check_iommu_active(const struct root *root, struct finding *f) {
        int n = iommu_group_count(root);

        if (n < 0 && n != -ENOENT)
                return n;
        if (n > 0)
                return finding_set(f, SEVERITY_OK, "", "/sys/kernel/iommu_groups has %d groups", n);
        return finding_set(f, SEVERITY_ERROR,
                           root_exists(root, "/sys/firmware/acpi/tables/DMAR") > 0 ?
                                   "add intel_iommu=on to the kernel command line and restart" :
                                   "enable the IOMMU in the firmware's settings and restart",
                           "/sys/kernel/iommu_groups is empty: the IOMMU is off");
}

int check_unsafe_interrupts(const struct root *root, struct finding *f) {
        char value[8];
        int r;

        /* Kernel: drivers/vfio/vfio_iommu_type1.c refuses a group without it unless this is set. */
        r = root_read_attr(root, value, sizeof(value), "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
        if (r >= 0 && str_eq(value, "Y"))
                return finding_set(f, SEVERITY_WARNING,
                                   "remove allow_unsafe_interrupts from /etc/modprobe.d and the kernel command line",
                                   "vfio_iommu_type1.allow_unsafe_interrupts=Y: a guest can forge interrupts");
        return finding_set(f, SEVERITY_OK, "", "unsafe interrupts are not allowed");
}

static int kernel_release(const struct root *root, char *buf, size_t size) {
        struct utsname u;

        if (!root_is_live(root))
                return root_read_attr(root, buf, size, "/proc/sys/kernel/osrelease");
        return uname(&u) < 0 ? -errno : str_copy(buf, size, u.release);
}

int check_vfio_module(const struct root *root, struct finding *f) {
        _cleanup_free_ char *list = NULL;
        char release[128], path[256];
        int r;

        if (module_is_loaded(root, "vfio-pci"))
                return finding_set(f, SEVERITY_OK, "", "/sys/module/vfio_pci: loaded or built in");
        r = kernel_release(root, release, sizeof(release));
        if (r < 0)
                return r;
        r = str_format(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
        if (r >= 0)
                r = root_read(root, path, 16U << 20, &list, NULL);
        if (r < 0)
                return r;
        if (strstr(list, "/vfio-pci.ko"))
                return finding_set(f, SEVERITY_OK, "", "%s lists vfio-pci; it is loaded when needed", path);
        return finding_set(f, SEVERITY_ERROR, "install the kernel package that has vfio-pci (often named *-modules-extra)",
                           "%s does not list vfio-pci", path);
}

/* "options vfio-pci … ids=…", in modprobe's spelling. */
static bool takes_ids(const char *line) {
        char copy[1024], *word, *save;

        if (str_copy(copy, sizeof(copy), line) < 0)
                return false;
        word = strtok_r(copy, " \t", &save);
        if (!word || !str_eq(word, "options"))
                return false;
        word = strtok_r(NULL, " \t", &save);
        if (!word || !driver_is_vfio(word))
                return false;
        while ((word = strtok_r(NULL, " \t", &save)))
                if (str_starts(word, "ids="))
                        return true;
        return false;
}

static bool is_conf(const char *name) {
        size_t n = strlen(name);

        return n > 5 && str_eq(name + n - 5, ".conf");
}

int check_modprobe_ids(const struct root *root, struct finding *f) {
        static const char *const folders[] = { "/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d" };

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                _cleanup_strv_ char **names = NULL;
                int r = root_list(root, &names, "%s", folders[i]);

                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                for (char **n = names; *n; n++) {
                        _cleanup_free_ char *text = NULL;
                        char path[512], *line, *save;

                        if (!is_conf(*n) || str_format(path, sizeof(path), "%s/%s", folders[i], *n) < 0 ||
                            root_read(root, path, 1U << 20, &text, NULL) < 0)
                                continue;
                        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                                if (takes_ids(line))
                                        return finding_set(f, SEVERITY_WARNING,
                                                           "remove the line and rebuild the initramfs: passthru binds by address",
                                                           "%s: '%s' takes every card with that id for good", path,
                                                           str_strip(line));
                }
        }
        return finding_set(f, SEVERITY_OK, "", "no vfio ids= in modprobe.d");
}
