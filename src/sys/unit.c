/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/unit.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define ANSWER_USEC 10000000U

static void bus_closep(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

static void message_unrefp(sd_bus_message **m) {
        sd_bus_message_unref(*m);
}

static void error_free(sd_bus_error *error) {
        sd_bus_error_free(error);
}

bool unit_name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > strlen(".slice") && *name != '.' && *name != '-' &&
               name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\-")] == '\0' &&
               (str_eq(name + n - strlen(".slice"), ".slice") || str_eq(name + n - strlen(".scope"), ".scope"));
}

/* systemd's bitmap: byte n has the CPUs 8n to 8n+7. */
static int append_cpus(sd_bus_message *m, const struct cpu_set *cpus) {
        uint8_t bytes[CPU_SET_MAX / 8] = {};
        size_t n = 0;
        int r;

        for (int cpu = cpus ? cpu_set_next(cpus, 0) : -1; cpu >= 0; cpu = cpu_set_next(cpus, (unsigned) cpu + 1)) {
                bytes[cpu / 8] = (uint8_t) (bytes[cpu / 8] | 1U << (cpu % 8));
                n = (size_t) cpu / 8 + 1;
        }
        if ((r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
            (r = sd_bus_message_open_container(m, 'r', "sv")) < 0 || (r = sd_bus_message_append(m, "s", "AllowedCPUs")) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', "ay")) < 0 ||
            (r = sd_bus_message_append_array(m, 'y', bytes, n)) < 0 || (r = sd_bus_message_close_container(m)) < 0 ||
            (r = sd_bus_message_close_container(m)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int unit_set_cpus(const struct root *root, const char *unit, const struct cpu_set *cpus, struct err *e) {
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        _cleanup_(message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!root_is_live(root))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, unit, "%s: systemd is asked on the running host only", unit);
        r = sd_bus_open_system(&bus);
        if (r < 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, unit, "%s: systemd cannot be reached over D-Bus: %s", unit,
                               strerror(-r));
        if ((r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                                                "SetUnitProperties")) < 0 ||
            (r = sd_bus_message_append(m, "sb", unit, 1)) < 0 || (r = append_cpus(m, cpus)) < 0 ||
            (r = sd_bus_call(bus, m, ANSWER_USEC, &error, NULL)) < 0) {
                bool gone = sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit");

                return err_set(e, gone ? -ENODEV : r, gone ? ERR_NOT_FOUND : ERR_FAILED, unit,
                               "%s: systemd does not set AllowedCPUs: %s", unit, error.message ? error.message : strerror(-r));
        }
        return 0;
}
