/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "model/pci-device.h"

#define TREE_FUNCTIONS_MAX 128

struct tree {
        char dir[32];
        struct root *root;
        struct {
                char address[24];
                char *path;
        } functions[TREE_FUNCTIONS_MAX];
        size_t n_functions;
};

#define MUST(condition)                                                                             \
        do {                                                                                        \
                if (!(condition)) {                                                                 \
                        fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, #condition);         \
                        abort();                                                                    \
                }                                                                                   \
        } while (0)

static void outside(const struct tree *t, char buf[static PATH_MAX], const char *path) {
        MUST(*path == '/' && str_format(buf, PATH_MAX, "%s%s", t->dir, path) == 0);
}

static void make_parents(const char *path) {
        char buf[PATH_MAX];

        MUST(str_copy(buf, sizeof(buf), path) == 0);
        for (char *s = strchr(buf + 1, '/'); s; s = strchr(s + 1, '/')) {
                *s = '\0';
                MUST(mkdir(buf, 0755) == 0 || errno == EEXIST);
                *s = '/';
        }
}

struct tree *tree_new(void) {
        struct tree *t = calloc(1, sizeof(*t));

        MUST(t);
        /* Hundreds of links for each test: in memory where there is such a place. */
        strcpy(t->dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/passthru-XXXXXX" : "/tmp/passthru-tree-XXXXXX");
        MUST(mkdtemp(t->dir));
        MUST(root_new(t->dir, &t->root) == 0);
        return t;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st, (void) type, (void) ftw;
        return remove(path);
}

void tree_free(struct tree *t) {
        root_free(t->root);
        MUST(nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
        for (size_t i = 0; i < t->n_functions; i++)
                free(t->functions[i].path);
        free(t);
}

const struct root *tree_root(const struct tree *t) {
        return t->root;
}

void tree_dir(struct tree *t, const char *path) {
        char buf[PATH_MAX];

        outside(t, buf, path);
        make_parents(buf);
        MUST(mkdir(buf, 0755) == 0 || errno == EEXIST);
}

static void write_file(struct tree *t, const char *path, const void *data, size_t size) {
        char buf[PATH_MAX], fresh[PATH_MAX];
        int fd;

        outside(t, buf, path);
        make_parents(buf);
        /* An attribute of sysfs is never seen half-written, also when the writer is killed. */
        MUST(str_format(fresh, sizeof(fresh), "%s/fresh-%d", t->dir, (int) getpid()) == 0);
        fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        MUST(fd >= 0);
        MUST(write(fd, data, size) == (ssize_t) size);
        close(fd);
        MUST(rename(fresh, buf) == 0);
}

void tree_file(struct tree *t, const char *path, const char *content) {
        write_file(t, path, content, strlen(content));
}

void tree_filef(struct tree *t, const char *path, const char *fmt, ...) {
        char *content;
        va_list ap;

        va_start(ap, fmt);
        MUST(vasprintf(&content, fmt, ap) >= 0);
        va_end(ap);
        tree_file(t, path, content);
        free(content);
}

void tree_link(struct tree *t, const char *path, const char *target) {
        char buf[PATH_MAX], parent[PATH_MAX], relative[PATH_MAX] = "";
        const char *from;
        size_t common = 0;

        outside(t, buf, path);
        make_parents(buf);
        MUST(unlink(buf) == 0 || errno == ENOENT);
        if (*target != '/') {
                MUST(symlink(target, buf) == 0);
                return;
        }

        /* From the real folder of the link, in case that a link leads there, up to what both have in common. */
        *strrchr(buf, '/') = '\0';
        MUST(realpath(buf, parent));
        from = parent + strlen(t->dir);
        for (size_t i = 0; from[i] == target[i] || (from[i] == '\0' && target[i] == '/'); i++) {
                if (target[i] == '/')
                        common = i;
                if (from[i] == '\0')
                        break;
        }
        for (const char *s = from + common; *s; s++)
                if (*s == '/')
                        strcat(relative, "../");
        strcat(relative, target + common + 1);
        outside(t, buf, path);
        MUST(symlink(relative, buf) == 0);
}

void tree_remove(struct tree *t, const char *path) {
        char buf[PATH_MAX];

        outside(t, buf, path);
        MUST(nftw(buf, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT);
}

void tree_rename(struct tree *t, const char *from, const char *to) {
        char old[PATH_MAX], fresh[PATH_MAX];

        outside(t, old, from);
        outside(t, fresh, to);
        MUST(rename(old, fresh) == 0);
}

const char *tree_pci_path(const struct tree *t, const char *address) {
        for (size_t i = 0; i < t->n_functions; i++)
                if (str_eq(t->functions[i].address, address))
                        return t->functions[i].path;
        return NULL;
}

#define PATH(fmt, ...)                                                          \
        ({                                                                      \
                MUST(str_format(path, sizeof(path), fmt, ##__VA_ARGS__) == 0);  \
                path;                                                           \
        })

static void write_config(struct tree *t, const char *dir, const struct tree_pci *f) {
        char path[PATH_MAX];
        uint8_t config[64] = {
                [0x00] = (uint8_t) f->vendor, (uint8_t) (f->vendor >> 8),
                [0x02] = (uint8_t) f->device, (uint8_t) (f->device >> 8),
                [0x08] = f->revision, (uint8_t) f->class_code,
                [0x0a] = (uint8_t) (f->class_code >> 8), (uint8_t) (f->class_code >> 16),
                [0x0e] = f->class_code >> 16 == 0x06 ? 1 : 0,
                [0x2c] = (uint8_t) f->subsystem_vendor, (uint8_t) (f->subsystem_vendor >> 8),
                [0x2e] = (uint8_t) f->subsystem_device, (uint8_t) (f->subsystem_device >> 8),
        };

        write_file(t, PATH("%s/config", dir), config, sizeof(config));
}

void tree_pci(struct tree *t, const struct tree_pci *f) {
        char path[PATH_MAX], dir[PATH_MAX];
        const char *bus = strrchr(f->address, ':');

        MUST(bus && t->n_functions < TREE_FUNCTIONS_MAX && !tree_pci_path(t, f->address));
        if (f->parent) {
                MUST(tree_pci_path(t, f->parent));
                MUST(str_format(dir, sizeof(dir), "%s/%s", tree_pci_path(t, f->parent), f->address) == 0);
        } else
                MUST(str_format(dir, sizeof(dir), "/sys/devices/pci%.*s/%s", (int) (bus - f->address), f->address,
                                f->address) == 0);
        MUST(str_copy(t->functions[t->n_functions].address, 24, f->address) == 0);
        MUST(t->functions[t->n_functions++].path = strdup(dir));

        tree_filef(t, PATH("%s/vendor", dir), "0x%04x\n", f->vendor);
        tree_filef(t, PATH("%s/device", dir), "0x%04x\n", f->device);
        tree_filef(t, PATH("%s/subsystem_vendor", dir), "0x%04x\n", f->subsystem_vendor);
        tree_filef(t, PATH("%s/subsystem_device", dir), "0x%04x\n", f->subsystem_device);
        tree_filef(t, PATH("%s/class", dir), "0x%06x\n", f->class_code);
        tree_filef(t, PATH("%s/revision", dir), "0x%02x\n", f->revision);
        tree_filef(t, PATH("%s/modalias", dir), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n", f->vendor,
                   f->device, f->subsystem_vendor, f->subsystem_device, f->class_code >> 16,
                   f->class_code >> 8 & 0xff, f->class_code & 0xff);
        tree_filef(t, PATH("%s/driver_override", dir), "%s\n", f->override ? f->override : "(null)");
        tree_filef(t, PATH("%s/uevent", dir), "PCI_SLOT_NAME=%s\n", f->address);
        if (f->class_code >> 8 == 0x0300)
                tree_file(t, PATH("%s/boot_vga", dir), f->boot_vga ? "1\n" : "0\n");
        write_config(t, dir, f);
        tree_link(t, PATH("%s/subsystem", dir), "/sys/bus/pci");
        tree_link(t, PATH("/sys/bus/pci/devices/%s", f->address), dir);
        tree_file(t, "/sys/bus/pci/drivers_probe", "");

        if (f->group >= 0) {
                char group[PATH_MAX];

                MUST(str_format(group, sizeof(group), "/sys/kernel/iommu_groups/%d", f->group) == 0);
                tree_link(t, PATH("%s/devices/%s", group, f->address), dir);
                tree_link(t, PATH("%s/iommu_group", dir), group);
        }
        if (f->driver)
                tree_pci_bind(t, f->address, f->driver);
}

static void unbind(struct tree *t, const char *address) {
        char path[PATH_MAX], driver[DRIVER_NAME_MAX];
        const char *dir = tree_pci_path(t, address);

        MUST(dir);
        if (root_link_name(t->root, driver, sizeof(driver), "%s/driver", dir) < 0)
                return;
        tree_remove(t, PATH("/sys/bus/pci/drivers/%s/%s", driver, address));
        tree_remove(t, PATH("%s/driver", dir));
}

void tree_vfio_group(struct tree *t, const char *group) {
        char path[PATH_MAX], dir[PATH_MAX];

        MUST(str_format(dir, sizeof(dir), "/sys/devices/virtual/vfio/%s", group) == 0);
        if (root_exists(t->root, "%s", dir) > 0)
                return;
        tree_filef(t, PATH("%s/uevent", dir), "MAJOR=243\nMINOR=%s\nDEVNAME=vfio/%s\n", group, group);
        tree_link(t, PATH("/sys/class/vfio/%s", group), dir);
}

void tree_pci_bind(struct tree *t, const char *address, const char *driver) {
        char path[PATH_MAX], to[PATH_MAX], group[16];

        unbind(t, address);
        if (!driver)
                return;
        if (driver_is_vfio(driver) &&
            root_link_name(t->root, group, sizeof(group), "%s/iommu_group", tree_pci_path(t, address)) == 0)
                tree_vfio_group(t, group);
        /* Two functions may be bound at once, in two processes. */
        if (root_exists(t->root, "/sys/bus/pci/drivers/%s", driver) <= 0)
                tree_pci_driver(t, driver);
        MUST(str_format(to, sizeof(to), "/sys/bus/pci/drivers/%s", driver) == 0);
        tree_link(t, PATH("%s/%s", to, address), tree_pci_path(t, address));
        tree_link(t, PATH("%s/driver", tree_pci_path(t, address)), to);
}

void tree_pci_driver(struct tree *t, const char *name) {
        char path[PATH_MAX], module[PATH_MAX];

        MUST(str_format(module, sizeof(module), "/sys/module/%s", name) == 0);
        for (char *s = module; *s; s++)
                if (*s == '-')
                        *s = '_';
        tree_dir(t, module);
        tree_file(t, PATH("/sys/bus/pci/drivers/%s/bind", name), "");
        tree_file(t, PATH("/sys/bus/pci/drivers/%s/unbind", name), "");
        tree_link(t, PATH("/sys/bus/pci/drivers/%s/module", name), module);
}

void tree_pci_remove(struct tree *t, const char *address) {
        char path[PATH_MAX], group[16];
        const char *dir = tree_pci_path(t, address);

        MUST(dir);
        unbind(t, address);
        if (root_link_name(t->root, group, sizeof(group), "%s/iommu_group", dir) == 0)
                tree_remove(t, PATH("/sys/kernel/iommu_groups/%s/devices/%s", group, address));
        tree_remove(t, PATH("/sys/bus/pci/devices/%s", address));
        tree_remove(t, dir);
}

void tree_process(struct tree *t, int pid, const char *comm) {
        char path[PATH_MAX];

        tree_filef(t, PATH("/proc/%d/comm", pid), "%s\n", comm);
        tree_dir(t, PATH("/proc/%d/fd", pid));
}

void tree_process_fd(struct tree *t, int pid, int fd, const char *target) {
        char path[PATH_MAX], buf[PATH_MAX];

        outside(t, buf, PATH("/proc/%d/fd/%d", pid, fd));
        make_parents(buf);
        MUST(symlink(target, buf) == 0);
}
