/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/module.h"

#include <errno.h>
#include <libkmod.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "model/pci-device.h"

DEFINE_CLEANUP(struct kmod_ctx *, kmod_unref)
DEFINE_CLEANUP(struct kmod_list *, kmod_module_unref_list)

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
        char *refused = data;

        (void) command;
        (void) str_copy(refused, DRIVER_NAME_MAX, kmod_module_get_name(module));
        return -EPERM;
}

static int insert(struct kmod_module *module, const char *name, struct err *e) {
        char refused[DRIVER_NAME_MAX] = "";
        int r;

        /* As modprobe: a blacklist stops aliases, not the names of modules. */
        r = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY, NULL, refuse_command,
                                            refused, NULL);
        if (r > 0)
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "module %s: blacklisted in /etc/modprobe.d; remove it there, or load it at boot",
                               name);
        if (r < 0 && *refused)
                return err_set(e, -EPERM, ERR_REFUSED, name,
                               "module %s: /etc/modprobe.d has an install command for %s, which is not run from "
                               "here; load it at boot (/etc/modules-load.d) or remove the command",
                               name, refused);
        if (r == -ENOENT)
                return err_set(e, r, ERR_FAILED, name,
                               "module %s: it lacks a symbol in the running kernel, or does not know one of its "
                               "options in /etc/modprobe.d; see journalctl -k",
                               name);
        return r < 0 ? module_explain(name, r, e) : 0;
}

int module_ensure(const struct root *root, const char *name, struct err *e) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *context = NULL;
        _cleanup_(kmod_module_unref_listp) struct kmod_list *list = NULL;
        struct kmod_list *item;
        int r;

        if (!driver_name_is_valid(name))
                return err_set(e, -EINVAL, ERR_INVALID, name, "'%s' cannot be the name of a kernel module", name);
        if (module_is_loaded(root, name))
                return 0;
        if (!root_is_live(root))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, name,
                               "module %s is not loaded, and only the running host can load it", name);

        context = kmod_new(NULL, NULL);
        if (!context)
                return err_set(e, -ENOMEM, ERR_FAILED, name, "module %s: out of memory", name);
        kmod_set_log_fn(context, no_log, NULL);
        r = kmod_module_new_from_lookup(context, name, &list);
        if (r == -ENOMEM)
                return module_explain(name, r, e);
        /* Nothing found is an empty list and no error. */
        if (r < 0 || !list)
                return module_explain(name, -ENOENT, e);

        kmod_list_foreach(item, list) {
                struct kmod_module *module = kmod_module_get_module(item);

                r = insert(module, name, e);
                kmod_module_unref(module);
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
        _cleanup_(kmod_unrefp) struct kmod_ctx *context = NULL;
        _cleanup_(kmod_module_unref_listp) struct kmod_list *found = NULL, *list = NULL;
        _cleanup_free_ char *directory = NULL;
        struct kmod_list *item;
        char modalias[256];
        size_t n = 0;

        *buf = '\0';
        if (root_read_attr(root, modalias, sizeof(modalias), "/sys/bus/pci/devices/%s/modalias", address) < 0 ||
            module_directory(root, &directory) < 0)
                return buf;
        context = kmod_new(directory, directory ? no_config : NULL);
        if (!context)
                return buf;
        kmod_set_log_fn(context, no_log, NULL);
        if (kmod_module_new_from_lookup(context, modalias, &found) < 0 ||
            kmod_module_apply_filter(context, KMOD_FILTER_BLACKLIST, found, &list) < 0)
                return buf;
        kmod_list_foreach(item, list) {
                struct kmod_module *module = kmod_module_get_module(item);

                if (str_format(buf + n, size - n, "%s%s", n > 0 ? " " : "", kmod_module_get_name(module)) == 0)
                        n += strlen(buf + n);
                else
                        buf[n] = '\0';
                kmod_module_unref(module);
        }
        return buf;
}
