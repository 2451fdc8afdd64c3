/* SPDX-License-Identifier: GPL-2.0-or-later */

/* systemd loads modules for us: so a process that talks to strangers needs no right to put code into the kernel. */

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/child.h"
#include "base/str.h"
#include "model/pci-device.h"
#include "sys/module.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define LOAD_USEC UINT64_C(60000000)
#define POLL_NSEC 5000000

static void bus_closep(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

static void message_unrefp(sd_bus_message **m) {
        sd_bus_message_unref(*m);
}

static void error_free(sd_bus_error *error) {
        sd_bus_error_free(error);
}

/* Until its object is gone: it is through then. */
static int wait_for_job(sd_bus *bus, const char *job) {
        uint64_t end = now_usec() + LOAD_USEC;

        for (;;) {
                _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_free_ char *state = NULL;
                int r;

                r = sd_bus_get_property_string(bus, SYSTEMD, job, SYSTEMD ".Job", "State", &error, &state);
                if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                        return 0;
                if (r < 0)
                        return r;
                if (now_usec() >= end)
                        return -ETIMEDOUT;
                (void) nanosleep(&(struct timespec) { .tv_nsec = POLL_NSEC }, NULL);
        }
}

static int start_unit(const char *unit, const char *name, struct err *e) {
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *job;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", "StartUnit", &error,
                                       &reply, "ss", unit, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job);
        if (r >= 0)
                r = wait_for_job(bus, job);
        if (r >= 0)
                return 0;
        return err_set(e, r, r == -ETIMEDOUT ? ERR_TIMEOUT : ERR_FAILED, name,
                       "module %s is not loaded, and systemd did not start %s for it: %s; try 'modprobe %s', or load it at "
                       "boot (/etc/modules-load.d)",
                       name, unit, error.message ? error.message : strerror(-r), name);
}

int module_ensure(const struct root *root, const char *name, struct err *e) {
        char unit[sizeof("modprobe@.service") + DRIVER_NAME_MAX];
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
                r = start_unit(unit, name, e);
        if (r < 0)
                return r;
        if (module_is_loaded(root, name))
                return 0;
        return err_set(e, -ENOENT, ERR_NOT_FOUND, name,
                       "module %s is not loaded, and modprobe did not load it; 'modprobe %s' says why. If there is none: was "
                       "the kernel updated since boot (then restart), or are its extra modules missing (Ubuntu: "
                       "linux-modules-extra, Fedora: kernel-modules)? With Secure Boot it must be signed by a key that is "
                       "enrolled (mokutil --list-enrolled); /etc/modprobe.d may name it after 'blacklist' or 'install'",
                       name, name);
}
