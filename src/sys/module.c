/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <libkmod.h>
#include <string.h>

#include "base/str.h"
#include "model/pci-device.h"

#define LIBRARY "libkmod.so.2"

/* Tells packagers what the dynamic section does not: systemd's ELF_PACKAGE_METADATA, "dlopen metadata for ELF files". */
#define LIBRARY_NOTE                                                                                            \
        "[{\"feature\":\"modules\",\"description\":\"Names the modules of devices\",\"priority\":\"suggested\"," \
        "\"soname\":[\"" LIBRARY "\"]}]"
static const struct {
        Elf64_Nhdr header;
        char owner[4];
        char text[sizeof(LIBRARY_NOTE)];
} note __attribute__((used, section(".note.dlopen"), aligned(4))) = {
        { sizeof("FDO"), sizeof(LIBRARY_NOTE), 0x407c0c0a }, "FDO", LIBRARY_NOTE,
};

/* Opened for 'passthru groups' alone: it brings libcrypto along. */
#define FUNCTIONS(f)                                                                                            \
        f(kmod_new) f(kmod_unref) f(kmod_set_log_fn) f(kmod_list_next) f(kmod_module_new_from_lookup)           \
        f(kmod_module_get_module) f(kmod_module_get_name) f(kmod_module_unref) f(kmod_module_unref_list)        \
        f(kmod_module_apply_filter)

struct loader {
        void *library;
#define DECLARE(name) typeof(name) *name;
        FUNCTIONS(DECLARE)
        struct kmod_ctx *context;
        struct kmod_list *list;
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

static void no_log(void *data, int priority, const char *file, int line, const char *fn, const char *format,
                   va_list args) {
        (void) data, (void) priority, (void) file, (void) line, (void) fn, (void) format, (void) args;
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
