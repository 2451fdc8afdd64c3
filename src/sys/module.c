/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <libkmod.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "model/pci-device.h"

#define LIBRARY "libkmod.so.2"

/* Tells packagers what the dynamic section does not: systemd's ELF_PACKAGE_METADATA, "dlopen metadata for ELF files". */
#define LIBRARY_NOTE                                                                                            \
        "[{\"feature\":\"modules\",\"description\":\"Loads vfio modules\",\"priority\":\"required\"," \
        "\"soname\":[\"" LIBRARY "\"]}]"
static const struct {
        Elf64_Nhdr header;
        char owner[4];
        char text[sizeof(LIBRARY_NOTE)];
} note __attribute__((used, section(".note.dlopen"), aligned(4))) = {
        { sizeof("FDO"), sizeof(LIBRARY_NOTE), 0x407c0c0a }, "FDO", LIBRARY_NOTE,
};

/* Opened when there is a module to load, which is once after a boot. Linked, it and the libcrypto that it brings would be
 * a third of what each fork of the helper copies. */
#define FUNCTIONS(f)                                                                                            \
        f(kmod_new) f(kmod_unref) f(kmod_set_log_fn) f(kmod_list_next) f(kmod_module_new_from_lookup)           \
        f(kmod_module_get_module) f(kmod_module_get_name) f(kmod_module_unref) f(kmod_module_unref_list)        \
        f(kmod_module_probe_insert_module) f(kmod_module_apply_filter)

struct loader {
        void *library;
#define DECLARE(name) typeof(name) *name;
        FUNCTIONS(DECLARE)
        struct kmod_ctx *context;
        struct kmod_list *list;
        char refused[DRIVER_NAME_MAX]; /* the module that an install command stands for */
};

static void loader_done(struct loader *l) {
        if (l->list)
                (void) l->kmod_module_unref_list(l->list);
        if (l->context)
                (void) l->kmod_unref(l->context);
        if (l->library)
                (void) dlclose(l->library);
}

static bool loader_open(struct loader *l) {
        l->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!l->library)
                return false;
#define LOOK_UP(name)                                \
        if (!(l->name = dlsym(l->library, #name))) \
                return false;
        FUNCTIONS(LOOK_UP)
        return true;
}

int module_explain(const char *name, int r, struct err *e) {
        struct utsname host = {};

        switch (r) {
        case -ENOENT:
                (void) uname(&host);
                return err_set(e, r, ERR_NOT_FOUND, name,
                               "module %s: the running kernel %s has none of this name in /lib/modules/%s. If the "
                               "kernel was updated since boot, reboot; else install its extra modules (Ubuntu: "
                               "linux-modules-extra-%s, Fedora: kernel-modules)",
                               name, host.release, host.release, host.release);
        case -EKEYREJECTED:
        case -ENOKEY:
        case -EKEYEXPIRED:
        case -EKEYREVOKED:
                return err_set(e, r, ERR_REFUSED, name,
                               "module %s: the kernel does not trust its signature (%s). With Secure Boot, "
                               "modules must be signed by a key that is enrolled: mokutil --list-enrolled",
                               name, strerror(-r));
        case -EPERM:
                return err_set(e, r, ERR_PERMISSION, name,
                               "module %s: loading is forbidden: it takes root, sysctl kernel.modules_disabled=0, "
                               "and under lockdown a signed module",
                               name);
        case -ENOEXEC:
                return err_set(e, r, ERR_FAILED, name,
                               "module %s: built for another kernel than the running one; rebuild it (dkms "
                               "autoinstall) or reboot",
                               name);
        default:
                return err_set(e, r, ERR_FAILED, name, "module %s: cannot be loaded: %s; see journalctl -k", name,
                               strerror(-r));
        }
}

static void no_log(void *data, int priority, const char *file, int line, const char *fn, const char *format,
                   va_list args) {
        (void) data, (void) priority, (void) file, (void) line, (void) fn, (void) format, (void) args;
}

/* Without a callback libkmod would run the command with system(3). */
static int refuse_command(struct kmod_module *module, const char *command, void *data) {
        struct loader *l = data;

        (void) command;
        (void) str_copy(l->refused, sizeof(l->refused), l->kmod_module_get_name(module));
        return -EPERM;
}

static int insert(struct loader *l, struct kmod_module *module, const char *name, struct err *e) {
        int r;

        /* As modprobe: a blacklist stops aliases, not the names of modules. */
        r = l->kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY, NULL, refuse_command, l,
                                               NULL);
        if (r > 0)
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "module %s: blacklisted in /etc/modprobe.d; remove it there, or load it at boot",
                               name);
        if (r < 0 && *l->refused)
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "module %s: /etc/modprobe.d has an install command for %s, which is not run from "
                               "here; load it at boot (/etc/modules-load.d) or remove the command",
                               name, l->refused);
        if (r == -ENOENT)
                return err_set(e, r, ERR_FAILED, name,
                               "module %s: it lacks a symbol in the running kernel, or does not know one of its "
                               "options in /etc/modprobe.d; see journalctl -k",
                               name);
        return r < 0 ? module_explain(name, r, e) : 0;
}

int module_ensure(const struct root *root, const char *name, struct err *e) {
        _cleanup_(loader_done) struct loader l = {};
        int r;

        if (!driver_name_is_valid(name))
                return err_set(e, -EINVAL, ERR_INVALID, name, "'%s' cannot be the name of a kernel module", name);
        if (module_is_loaded(root, name))
                return 0;
        if (!root_is_live(root))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, name,
                               "module %s is not loaded, and only the running host can load it", name);

        if (!loader_open(&l))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, name,
                               "module %s is not loaded, and " LIBRARY " cannot be used for it: install libkmod2 (Fedora: "
                               "kmod-libs), or load it at boot (/etc/modules-load.d)", name);
        l.context = l.kmod_new(NULL, NULL);
        if (!l.context)
                return err_set(e, -ENOMEM, ERR_FAILED, name, "module %s: out of memory", name);
        l.kmod_set_log_fn(l.context, no_log, NULL);
        r = l.kmod_module_new_from_lookup(l.context, name, &l.list);
        if (r == -ENOMEM)
                return module_explain(name, r, e);
        /* Nothing found is an empty list and no error. */
        if (r < 0 || !l.list)
                return module_explain(name, -ENOENT, e);

        for (struct kmod_list *item = l.list; item; item = l.kmod_list_next(l.list, item)) {
                struct kmod_module *module = l.kmod_module_get_module(item);

                r = insert(&l, module, name, e);
                (void) l.kmod_module_unref(module);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* /lib/modules of the root's kernel; NULL, with r 0, means the running one. */
static int module_directory(const struct root *root, char **ret) {
        char release[128], path[256];
        int r;

        if (root_is_live(root)) {
                *ret = NULL;
                return 0;
        }
        r = root_read_attr(root, release, sizeof(release), "/proc/sys/kernel/osrelease");
        if (r < 0)
                return r;
        r = str_format(path, sizeof(path), "/lib/modules/%s", release);
        if (r < 0 || strchr(release, '/'))
                return -EINVAL;
        *ret = root_join(root, path);
        return *ret ? 0 : -ENOMEM;
}

const char *module_for_device(const struct root *root, const char *address, char *buf, size_t size) {
        static const char *const no_config[] = { NULL };
        _cleanup_(loader_done) struct loader l = {};
        _cleanup_free_ char *directory = NULL;
        struct kmod_list *found = NULL;
        char modalias[256];
        size_t n = 0;

        *buf = '\0';
        if (root_read_attr(root, modalias, sizeof(modalias), "/sys/bus/pci/devices/%s/modalias", address) < 0 ||
            module_directory(root, &directory) < 0 || !loader_open(&l))
                return buf;
        l.context = l.kmod_new(directory, directory ? no_config : NULL);
        if (!l.context)
                return buf;
        l.kmod_set_log_fn(l.context, no_log, NULL);
        if (l.kmod_module_new_from_lookup(l.context, modalias, &found) >= 0)
                (void) l.kmod_module_apply_filter(l.context, KMOD_FILTER_BLACKLIST, found, &l.list);
        if (found)
                (void) l.kmod_module_unref_list(found);
        for (struct kmod_list *item = l.list; item; item = l.kmod_list_next(l.list, item)) {
                struct kmod_module *module = l.kmod_module_get_module(item);

                if (str_format(buf + n, size - n, "%s%s", n > 0 ? " " : "", l.kmod_module_get_name(module)) == 0)
                        n += strlen(buf + n);
                else
                        buf[n] = '\0';
                (void) l.kmod_module_unref(module);
        }
        return buf;
}
