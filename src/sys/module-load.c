/* SPDX-License-Identifier: GPL-2.0-or-later */

/* systemd loads modules for us: so a process that talks to strangers needs no right to put code into the kernel. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "model/pci-device.h"
#include "sys/module.h"
#include "sys/unit.h"

#define LOAD_USEC UINT64_C(60000000)

int module_ensure(const struct root *root, const char *name, struct err *e) {
        char unit[sizeof("modprobe@.service") + DRIVER_NAME_MAX];
        struct err why = {};
        int r;

        if (!driver_name_is_valid(name))
                return err_set(e, -EINVAL, ERR_INVALID, name, "'%s' cannot be the name of a kernel module", name);
        if (module_is_loaded(root, name))
                return 0;
        if (!root_is_live(root))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, name,
                               "module %s is not loaded, and only the running host can load it", name);

        r = str_format(unit, sizeof(unit), "modprobe@%s.service", name);
        if (r >= 0)
                r = unit_run(root, unit, LOAD_USEC, &why);
        if (r < 0)
                return err_set(e, r, r == -ETIMEDOUT ? ERR_TIMEOUT : ERR_FAILED, name,
                               "module %s is not loaded: %s; try 'modprobe %s', or load it at boot (/etc/modules-load.d)",
                               name, why.message, name);
        if (module_is_loaded(root, name))
                return 0;
        return err_set(e, -ENOENT, ERR_NOT_FOUND, name,
                       "module %s is not loaded, and modprobe did not load it; 'modprobe %s' says why. If there is none: was "
                       "the kernel updated since boot (then restart), or are its extra modules missing (Ubuntu: "
                       "linux-modules-extra, Fedora: kernel-modules)? With Secure Boot it must be signed by a key that is "
                       "enrolled (mokutil --list-enrolled); /etc/modprobe.d may name it after 'blacklist' or 'install'",
                       name, name);
}
