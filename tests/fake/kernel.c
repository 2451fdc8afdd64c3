/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/kernel.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "fake/cpus.h"
#include "fake/memory.h"
#include "fake/read.h"
#include "model/bdf.h"

#define NATIVES_MAX 64

/* Shared with the children of the code under test. */
static struct shared {
        unsigned steps, die_at;
        enum fake_death death;
        pid_t worker;
        char fault_path[128];
        enum fake_fault fault;
        int fault_error;
        unsigned fault_times;
        unsigned release;
        char hung[BDF_TEXT_MAX]; /* whose lock is held */
        unsigned writing, dying; /* a kill waits until no write is half done: to the kernel they are atomic */
        unsigned busy[256]; /* writes in work, by bus */
        unsigned overlaps;
} *shared;

static struct tree *tree;
static struct native {
        char address[BDF_TEXT_MAX];
        char driver[64];
} natives[NATIVES_MAX];
static size_t n_natives;
static bool inside; /* in this process the fake kernel is at work: its own writes are no steps */

int __real_root_write_attr(const struct root *root, const char *value, const char *fmt, ...);
int __wrap_root_write_attr(const struct root *root, const char *value, const char *fmt, ...);
ssize_t __real_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
int __real_renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath);
int __wrap_renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static void nap(void) {
        (void) nanosleep(&(struct timespec) { .tv_nsec = 100000 }, NULL);
}

/* Some address in the path: "…/0000:02:00.0/driver/unbind". */
static void hold_lock(const char *path) {
        const char *address = strstr(path, "/sys/bus/pci/devices/");

        if (address)
                (void) str_format(shared->hung, sizeof(shared->hung), "%.12s", address + strlen("/sys/bus/pci/devices/"));
}

static void before_read(const char *path) {
        if (!shared || inside)
                return;
        inside = true;
        fake_memory_refresh(path);
        fake_cpus_refresh(path);
        inside = false;
        if (!*shared->hung || !strstr(path, shared->hung) ||
            !(strstr(path, "/driver_override") || strstr(path, "/uevent")))
                return;
        while (!__atomic_load_n(&shared->release, __ATOMIC_SEQ_CST))
                nap();
}

void fake_kernel_start(struct tree *t) {
        tree = t;
        n_natives = 0;
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                abort();
        fake_before_read = before_read;
        /* What module_ensure looks for: then it need not load anything. */
        tree_pci_driver(tree, "vfio-pci");
        tree_file(tree, "/sys/bus/pci/drivers_probe", "");
        tree_dir(tree, "/run");
}

void fake_kernel_stop(void) {
        fake_before_read = NULL;
        munmap(shared, sizeof(*shared));
        shared = NULL;
        tree = NULL;
}

void fake_kernel_native(const char *address, const char *driver) {
        if (n_natives == NATIVES_MAX)
                abort();
        (void) str_copy(natives[n_natives].address, sizeof(natives[n_natives].address), address);
        (void) str_copy(natives[n_natives].driver, sizeof(natives[n_natives].driver), driver);
        n_natives++;
        tree_pci_driver(tree, driver);
}

void fake_kernel_die_at(enum fake_death how, unsigned step) {
        shared->steps = 0;
        shared->dying = 0;
        shared->writing = 0;
        /* Whoever was killed in the middle of an unbind did not say that it was over. */
        memset(shared->busy, 0, sizeof(shared->busy));
        shared->die_at = step;
        shared->death = how;
}

void fake_kernel_worker(int pid) {
        shared->worker = pid;
}

unsigned fake_kernel_steps(void) {
        return shared->steps;
}

void fake_kernel_fail(const char *path_part, enum fake_fault fault, int error, unsigned times) {
        (void) str_copy(shared->fault_path, sizeof(shared->fault_path), path_part);
        shared->fault_error = error;
        shared->fault_times = times;
        shared->fault = fault;
}

void fake_kernel_release(void) {
        shared->fault = FAULT_NONE;
        *shared->hung = '\0';
        __atomic_store_n(&shared->release, 1, __ATOMIC_SEQ_CST);
}

unsigned fake_kernel_overlaps(void) {
        return shared->overlaps;
}

static void step(void) {
        if (!shared || inside || __atomic_add_fetch(&shared->steps, 1, __ATOMIC_SEQ_CST) != shared->die_at)
                return;
        if (shared->death == DEATH_GROUP) {
                __atomic_store_n(&shared->dying, 1, __ATOMIC_SEQ_CST);
                while (__atomic_load_n(&shared->writing, __ATOMIC_SEQ_CST) > 0)
                        nap();
        }
        switch (shared->death) {
        case DEATH_GROUP:
                kill(0, SIGKILL);
                break;
        case DEATH_SELF:
                kill(getpid(), SIGKILL);
                break;
        case DEATH_WORKER:
                kill(shared->worker, SIGKILL);
                break;
        case DEATH_NONE:
                break;
        }
}

static bool take_fault(const char *path) {
        if (shared->fault == FAULT_NONE || !strstr(path, shared->fault_path))
                return false;
        if (__atomic_fetch_sub(&shared->fault_times, 1, __ATOMIC_SEQ_CST) > 0)
                return true;
        shared->fault_times = 0;
        return false;
}

static int fault(const char *path) {
        switch (shared->fault) {
        case FAULT_ERROR:
                return -shared->fault_error;
        case FAULT_SHORT:
                return -EIO; /* what root_write_attr makes of it */
        case FAULT_HANG:
                hold_lock(path);
                while (!__atomic_load_n(&shared->release, __ATOMIC_SEQ_CST))
                        nap();
                return 1; /* now the write happens */
        default:
                return 0;
        }
}

static bool driver_exists(const char *driver) {
        return root_exists(tree_root(tree), "/sys/bus/pci/drivers/%s", driver) > 0;
}

static void current(const char *address, char driver[64], char override[64]) {
        if (root_link_name(tree_root(tree), driver, 64, "/sys/bus/pci/devices/%s/driver", address) < 0)
                *driver = '\0';
        if (root_read_attr(tree_root(tree), override, 64, "/sys/bus/pci/devices/%s/driver_override", address) < 0 ||
            str_eq(override, "(null)"))
                *override = '\0';
}

/* pci_match_device: with an override only that driver, otherwise one that knows the id. */
static void probe(const char *address) {
        char driver[64], override[64];

        current(address, driver, override);
        if (*driver)
                return;
        if (*override) {
                if (driver_exists(override))
                        tree_pci_bind(tree, address, override);
                return;
        }
        for (size_t i = 0; i < n_natives; i++)
                if (str_eq(natives[i].address, address) && driver_exists(natives[i].driver)) {
                        tree_pci_bind(tree, address, natives[i].driver);
                        return;
                }
}

static int on_unbind(const char *address, const char *value) {
        char driver[64], override[64];
        struct bdf bdf;
        int r = 0;

        if (bdf_parse(address, &bdf) < 0)
                return -ENODEV;
        if (__atomic_add_fetch(&shared->busy[bdf.bus], 1, __ATOMIC_SEQ_CST) > 1)
                __atomic_add_fetch(&shared->overlaps, 1, __ATOMIC_SEQ_CST);
        current(address, driver, override);
        if (!*driver || !str_eq(value, address))
                r = -ENODEV;
        else
                tree_pci_bind(tree, address, NULL);
        __atomic_sub_fetch(&shared->busy[bdf.bus], 1, __ATOMIC_SEQ_CST);
        return r;
}

/* The address in "/sys/bus/pci/devices/ADDRESS/rest"; true when rest is what follows. */
static bool device_path(const char *path, const char *rest, char address[BDF_TEXT_MAX]) {
        const char *prefix = "/sys/bus/pci/devices/", *slash;

        if (!str_starts(path, prefix))
                return false;
        path += strlen(prefix);
        slash = strchr(path, '/');
        if (!slash || !str_eq(slash + 1, rest) || slash - path >= BDF_TEXT_MAX)
                return false;
        memcpy(address, path, (size_t) (slash - path));
        address[slash - path] = '\0';
        return true;
}

static int host_write(const struct root *root, const char *path, const char *value) {
        char address[BDF_TEXT_MAX];
        int r;

        r = fake_memory_write(path, value);
        if (r > 0)
                r = fake_cpus_write(path, value);
        if (r <= 0)
                return r;
        if (device_path(path, "driver/unbind", address))
                return root_exists(root, "%s", path) >= 0 ? on_unbind(address, value) : -ENOENT;
        if (str_eq(path, "/sys/bus/pci/drivers_probe")) {
                if (root_exists(root, "/sys/bus/pci/devices/%s", value) <= 0)
                        return -EINVAL;
                probe(value);
                return 0;
        }
        if (device_path(path, "reset_method", address) || device_path(path, "d3cold_allowed", address) ||
            device_path(path, "power/control", address)) {
                if (root_exists(root, "%s", path) <= 0)
                        return -ENOENT;
                tree_filef(tree, path, "%s\n", value);
                return 0;
        }
        if (device_path(path, "driver_override", address)) {
                if (root_exists(root, "%s", path) <= 0)
                        return -ENOENT;
                tree_filef(tree, path, "%s\n", str_eq(value, "\n") || !*value ? "(null)" : value);
                return 0;
        }
        return __real_root_write_attr(root, value, "%s", path);
}

bool fake_kernel_begin(const char *path, int *ret) {
        step();
        if (take_fault(path)) {
                *ret = fault(path);
                if (*ret <= 0)
                        return false;
        }
        __atomic_add_fetch(&shared->writing, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&shared->dying, __ATOMIC_SEQ_CST)) {
                /* Somebody is about to kill us all and only waits for writes that have begun. */
                __atomic_sub_fetch(&shared->writing, 1, __ATOMIC_SEQ_CST);
                for (;;)
                        nap();
        }
        inside = true;
        return true;
}

void fake_kernel_end(void) {
        inside = false;
        __atomic_sub_fetch(&shared->writing, 1, __ATOMIC_SEQ_CST);
        step();
}

int __wrap_root_write_attr(const struct root *root, const char *value, const char *fmt, ...) {
        char path[PATH_MAX];
        va_list ap;
        int r;

        va_start(ap, fmt);
        (void) vsnprintf(path, sizeof(path), fmt, ap);
        va_end(ap);
        if (!shared)
                return __real_root_write_attr(root, value, "%s", path);
        if (!fake_kernel_begin(path, &r))
                return r;
        r = host_write(root, path, value);
        fake_kernel_end();
        return r;
}

ssize_t __wrap_write(int fd, const void *buf, size_t size) {
        step();
        return __real_write(fd, buf, size);
}

int __wrap_renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath) {
        step();
        return __real_renameat(olddirfd, oldpath, newdirfd, newpath);
}

int __wrap_fsync(int fd) {
        step();
        /* A killed process loses nothing that was written, so what a disk would take its time for is not needed. */
        return shared ? 0 : __real_fsync(fd);
}
