/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/unit.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/child.h"
#include "base/str.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager"
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
               name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\-")] ==
                       '\0' &&
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
            (r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
            (r = sd_bus_message_append(m, "s", "AllowedCPUs")) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', "ay")) < 0 ||
            (r = sd_bus_message_append_array(m, 'y', bytes, n)) < 0 ||
            (r = sd_bus_message_close_container(m)) < 0 || (r = sd_bus_message_close_container(m)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int open_bus(const struct root *root, const char *unit, sd_bus **ret, struct err *e) {
        int r;

        if (!root_is_live(root))
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, unit,
                               "%s: systemd is asked on the running host only", unit);
        r = sd_bus_open_system(ret);
        if (r < 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, unit,
                               "%s: systemd cannot be reached over D-Bus: %s", unit, strerror(-r));
        return 0;
}

int unit_set_cpus(const struct root *root, const char *unit, const struct cpu_set *cpus, struct err *e) {
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        _cleanup_(message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = open_bus(root, unit, &bus, e);
        if (r < 0)
                return r;
        if ((r = sd_bus_message_new_method_call(bus, &m, MANAGER, "SetUnitProperties")) < 0 ||
            (r = sd_bus_message_append(m, "sb", unit, 1)) < 0 || (r = append_cpus(m, cpus)) < 0 ||
            (r = sd_bus_call(bus, m, ANSWER_USEC, &error, NULL)) < 0) {
                bool gone = sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit");

                return err_set(e, gone ? -ENODEV : r, gone ? ERR_NOT_FOUND : ERR_FAILED, unit,
                               "%s: systemd does not set AllowedCPUs: %s", unit,
                               error.message ? error.message : strerror(-r));
        }
        return 0;
}

static int unit_failed(const char *unit, int r, const sd_bus_error *error, const char *what, struct err *e) {
        return err_set(e, r, ERR_FAILED, unit, "%s: systemd does not %s: %s", unit, what,
                       error->message ? error->message : strerror(-r));
}

static int get_text(sd_bus *bus, const char *path, const char *property, sd_bus_error *error, char **ret) {
        return sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", property, error, ret);
}

static int is_active(sd_bus *bus, const char *unit, bool *ret, struct err *e) {
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *load = NULL, *state = NULL;
        const char *path;
        int r;

        /* Unlike GetUnit it knows those that are not running. */
        if ((r = sd_bus_call_method(bus, MANAGER, "LoadUnit", &error, &reply, "s", unit)) < 0 ||
            (r = sd_bus_message_read(reply, "o", &path)) < 0 ||
            (r = get_text(bus, path, "LoadState", &error, &load)) < 0 ||
            (r = get_text(bus, path, "ActiveState", &error, &state)) < 0)
                return unit_failed(unit, r, &error, "tell its state", e);
        if (str_eq(load, "not-found"))
                return err_set(e, -ENODEV, ERR_NOT_FOUND, unit,
                               "there is no %s on this host; see 'systemctl list-units'", unit);
        *ret = str_eq(state, "active") || str_eq(state, "activating") || str_eq(state, "reloading");
        return 0;
}

int unit_is_active(const struct root *root, const char *unit, bool *ret, struct err *e) {
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        int r;

        r = open_bus(root, unit, &bus, e);
        return r < 0 ? r : is_active(bus, unit, ret, e);
}

/* The job's object is gone when it is through. */
static int wait_for_job(sd_bus *bus, const char *job, uint64_t until_usec) {
        for (;;) {
                _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_free_ char *state = NULL;
                int r;

                r = sd_bus_get_property_string(bus, SYSTEMD, job, SYSTEMD ".Job", "State", &error, &state);
                if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                        return 0;
                if (r < 0)
                        return r;
                if (now_usec() >= until_usec)
                        return -ETIMEDOUT;
                (void) nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        }
}

static int do_job(sd_bus *bus, const char *unit, bool start, uint64_t until_usec, struct err *e) {
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *job;
        int r;

        if ((r = sd_bus_call_method(bus, MANAGER, start ? "StartUnit" : "StopUnit", &error, &reply, "ss", unit,
                                    "replace")) < 0 ||
            (r = sd_bus_message_read(reply, "o", &job)) < 0 || (r = wait_for_job(bus, job, until_usec)) < 0)
                return unit_failed(unit, r, &error, start ? "start it" : "stop it", e);
        return 0;
}

int unit_run(const struct root *root, const char *unit, uint64_t timeout_usec, struct err *e) {
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        int r = open_bus(root, unit, &bus, e);

        return r < 0 ? r : do_job(bus, unit, true, now_usec() + timeout_usec, e);
}

int unit_set_active(const struct root *root, const char *unit, bool active, struct err *e) {
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        bool now;
        int r;

        r = open_bus(root, unit, &bus, e);
        if (r >= 0)
                r = do_job(bus, unit, active, UINT64_MAX, e);
        if (r < 0)
                return r;
        r = is_active(bus, unit, &now, e);
        if (r < 0 || now == active)
                return r;
        return err_set(e, -EIO, ERR_FAILED, unit, "%s did not %s; see 'systemctl status %s'", unit,
                       active ? "start" : "stop", unit);
}
