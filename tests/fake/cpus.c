/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/cpus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"
#include "fake/kernel.h"
#include "sys/unit.h"

#define CPUFREQ "/sys/devices/system/cpu/cpufreq/policy%u/"
#define WORKQUEUE "/sys/devices/virtual/workqueue/cpumask"

int __wrap_unit_is_active(const struct root *root, const char *unit, bool *ret, struct err *e);
int __wrap_unit_set_active(const struct root *root, const char *unit, bool active, struct err *e);
int __wrap_unit_set_cpus(const struct root *root, const char *unit, const struct cpu_set *cpus, struct err *e);
int __real_unit_set_cpus(const struct root *root, const char *unit, const struct cpu_set *cpus, struct err *e);

static struct tree *tree;
static bool *forgetful; /* shared with children */

static const char *const slices[] = { "init.scope", "machine.slice", "own.slice", "system.slice", "user.slice" };

static const struct {
        const char *number, *actions, *affinity;
} irqs[] = { { "24", "nvme0q1", "0-3" }, { "25", "eth0", "2" }, { "26", "nvme0q2", "3" }, { "27", "", "0-3" } };

static void put(const char *content, const char *fmt, ...) _printf_(2, 3);
static void put(const char *content, const char *fmt, ...) {
        char path[256];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        tree_filef(tree, path, "%s\n", content);
}

void fake_cpus_start(struct tree *t) {
        tree = t;
        forgetful = mmap(NULL, sizeof(*forgetful), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (forgetful == MAP_FAILED)
                abort();
        put("0-3", "/sys/devices/system/cpu/online");
        put("0-3", "/sys/devices/system/cpu/possible");
        for (unsigned cpu = 0; cpu < 4; cpu++) {
                char text[8];

                (void) str_format(text, sizeof(text), "%u ", cpu);
                put(text, CPUFREQ "affected_cpus", cpu);
                put(cpu == 3 ? "ondemand" : "schedutil", CPUFREQ "scaling_governor", cpu);
                put("ondemand performance schedutil ", CPUFREQ "scaling_available_governors", cpu);
                put("balance_performance", CPUFREQ "energy_performance_preference", cpu);
                put("default performance balance_performance balance_power power ",
                    CPUFREQ "energy_performance_available_preferences", cpu);
        }
        for (size_t i = 0; i < ARRAY_SIZE(irqs); i++) {
                put(irqs[i].affinity, "/proc/irq/%s/smp_affinity_list", irqs[i].number);
                put(irqs[i].actions, "/sys/kernel/irq/%s/actions", irqs[i].number);
        }
        put("active", "/run/fake/a.service");
        put("active", "/run/fake/b.service");
        put("1", "/sys/class/vtconsole/vtcon1/bind");
        put("(M) frame buffer device", "/sys/class/vtconsole/vtcon1/name");
        put("0", "/sys/class/vtconsole/vtcon0/bind");
        put("(S) dummy device", "/sys/class/vtconsole/vtcon0/name");
        put("f", "/proc/irq/default_smp_affinity");
        put("f", WORKQUEUE);
        put("cpuset cpu io memory pids", "/sys/fs/cgroup/cgroup.controllers");
        for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
                put("", "/sys/fs/cgroup/%s/cpuset.cpus", slices[i]);
                put("0-3", "/sys/fs/cgroup/%s/cpuset.cpus.effective", slices[i]);
        }
        put("0-2", "/sys/fs/cgroup/user.slice/cpuset.cpus");
}

void fake_cpus_stop(void) {
        munmap(forgetful, sizeof(*forgetful));
        forgetful = NULL;
        tree = NULL;
}

void fake_cpus_forgetful(bool yes) {
        *forgetful = yes;
}

static void add_file(char *buf, const char *name, const char *path) {
        size_t n = strlen(buf);
        char text[128];

        if (root_read_attr(tree_root(tree), text, sizeof(text), "%s", path) < 0)
                strcpy(text, "gone");
        if (snprintf(buf + n, 1024 - n, "%s=%s ", name, text) >= (int) (1024 - n))
                abort();
}

const char *fake_cpus_snapshot(char *buf) {
        char path[256], name[64];

        *buf = '\0';
        for (unsigned cpu = 0; cpu < 4; cpu++) {
                (void) str_format(name, sizeof(name), "gov%u", cpu);
                (void) str_format(path, sizeof(path), CPUFREQ "scaling_governor", cpu);
                add_file(buf, name, path);
                (void) str_format(name, sizeof(name), "epp%u", cpu);
                (void) str_format(path, sizeof(path), CPUFREQ "energy_performance_preference", cpu);
                add_file(buf, name, path);
        }
        for (size_t i = 0; i < ARRAY_SIZE(irqs); i++) {
                (void) str_format(path, sizeof(path), "/proc/irq/%s/smp_affinity_list", irqs[i].number);
                add_file(buf, irqs[i].number, path);
        }
        add_file(buf, "a", "/run/fake/a.service");
        add_file(buf, "b", "/run/fake/b.service");
        add_file(buf, "vtcon1", "/sys/class/vtconsole/vtcon1/bind");
        add_file(buf, "irqs", "/proc/irq/default_smp_affinity");
        add_file(buf, "wq", WORKQUEUE);
        for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
                (void) str_format(path, sizeof(path), "/sys/fs/cgroup/%s/cpuset.cpus.effective", slices[i]);
                add_file(buf, slices[i], path);
        }
        return buf;
}

static bool offers(const char *path, const char *list, const char *value) {
        char text[128], *rest;

        if (root_read_attr(tree_root(tree), text, sizeof(text), "%.*s%s", (int) (strrchr(path, '/') + 1 - path),
                           path, list) < 0)
                return false;
        for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
                if (str_eq(w, value))
                        return true;
        return false;
}

static bool ends(const char *s, const char *end) {
        return strlen(s) >= strlen(end) && str_eq(s + strlen(s) - strlen(end), end);
}

int fake_cpus_write(const char *path, const char *value) {
        struct cpu_set cpus, online = { { 15 } };
        char now[64], text[128];

        if (!tree)
                return 1;
        if (ends(path, "/scaling_governor") || ends(path, "/energy_performance_preference")) {
                bool governor = ends(path, "/scaling_governor");

                if (root_exists(tree_root(tree), "%s", path) <= 0)
                        return -ENOENT;
                if (!offers(path,
                            governor ? "scaling_available_governors" : "energy_performance_available_preferences",
                            value))
                        return -EINVAL;
                if (!governor && !str_eq(value, "performance") &&
                    root_read_attr(tree_root(tree), now, sizeof(now), "%.*sscaling_governor",
                                   (int) (strrchr(path, '/') + 1 - path), path) >= 0 &&
                    str_eq(now, "performance"))
                        return -EBUSY;
                tree_filef(tree, path, "%s\n", value);
                return 0;
        }
        if (str_starts(path, "/sys/class/vtconsole/") && ends(path, "/bind")) {
                if (root_exists(tree_root(tree), "%s", path) <= 0)
                        return -ENOENT;
                tree_filef(tree, path, "%s\n", value);
                return 0;
        }
        if (str_starts(path, "/proc/irq/") && ends(path, "/smp_affinity_list")) {
                if (root_exists(tree_root(tree), "%s", path) <= 0)
                        return -ENOENT;
                if (str_eq(path, "/proc/irq/26/smp_affinity_list"))
                        return -EIO;
                if (cpu_set_parse(value, &cpus) < 0)
                        return -EINVAL;
                cpu_set_intersect(&online, &cpus);
                if (cpu_set_is_empty(&online))
                        return -EINVAL;
                (void) cpu_set_format(&cpus, text, sizeof(text));
                tree_filef(tree, path, "%s\n", text);
                return 0;
        }
        if (str_eq(path, "/proc/irq/default_smp_affinity") || str_eq(path, WORKQUEUE)) {
                if (cpu_set_parse_mask(value, &cpus) < 0 || cpu_set_is_empty(&cpus))
                        return -EINVAL;
                (void) cpu_set_format_mask(&cpus, text, sizeof(text));
                tree_filef(tree, path, "%s\n", text);
                return 0;
        }
        return 1;
}

void fake_cpus_refresh(const char *path) {
        static const char end[] = ".effective";
        struct cpu_set cpus, online = { { 15 } };
        char text[128];

        if (!tree || !ends(path, end) ||
            root_read_attr(tree_root(tree), text, sizeof(text), "%.*s", (int) (strlen(path) - strlen(end)), path) <
                    0 ||
            cpu_set_parse(text, &cpus) < 0)
                return;
        if (!cpu_set_is_empty(&cpus))
                cpu_set_intersect(&online, &cpus);
        (void) cpu_set_format(&online, text, sizeof(text));
        tree_filef(tree, path, "%s\n", text);
}

static int set_slice(const char *unit, const struct cpu_set *cpus, struct err *e) {
        char path[256], text[128] = "";

        if (root_exists(tree_root(tree), "/sys/fs/cgroup/%s", unit) <= 0)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, unit, "Unit %s not loaded.", unit);
        if (!cpus && *forgetful)
                return 0;
        if (cpus)
                (void) cpu_set_format(cpus, text, sizeof(text));
        (void) str_format(path, sizeof(path), "/sys/fs/cgroup/%s/cpuset.cpus", unit);
        tree_filef(tree, path, "%s\n", text);
        return 0;
}

int __wrap_unit_is_active(const struct root *root, const char *unit, bool *ret, struct err *e) {
        char state[16];

        (void) root;
        if (root_read_attr(tree_root(tree), state, sizeof(state), "/run/fake/%s", unit) < 0)
                return err_set(e, -ENODEV, ERR_NOT_FOUND, unit, "there is no %s", unit);
        *ret = str_eq(state, "active");
        return 0;
}

int __wrap_unit_set_active(const struct root *root, const char *unit, bool active, struct err *e) {
        char path[256];
        int r;

        (void) root;
        (void) str_format(path, sizeof(path), "systemd/%s/ActiveState", unit);
        if (!fake_kernel_begin(path, &r))
                return r < 0 ? err_set(e, r, ERR_FAILED, unit, "%s: %s", unit, strerror(-r)) : 0;
        put(active ? "active" : "inactive", "/run/fake/%s", unit);
        fake_kernel_end();
        return 0;
}

bool fake_service_is_active(const char *name) {
        bool active = false;

        return __wrap_unit_is_active(NULL, name, &active, NULL) >= 0 && active;
}

int __wrap_unit_set_cpus(const struct root *root, const char *unit, const struct cpu_set *cpus, struct err *e) {
        char path[256];
        int r;

        if (!tree)
                return __real_unit_set_cpus(root, unit, cpus, e);
        (void) str_format(path, sizeof(path), "systemd/%s/AllowedCPUs", unit);
        if (!fake_kernel_begin(path, &r)) /* killed, or to fail */
                return r < 0 ? err_set(e, r, ERR_FAILED, unit, "%s: %s", unit, strerror(-r)) : 0;
        r = set_slice(unit, cpus, e);
        fake_kernel_end();
        return r;
}
