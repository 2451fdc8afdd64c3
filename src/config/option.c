/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/option.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static int wanted(const char *key, const char *wanted, const char *value, struct err *e) {
        return err_set(e, -EINVAL, ERR_INVALID, key, "%s: wanted %s, found “%s”", key, wanted, value);
}

static int unknown(const char *key, const char *known, struct err *e) {
        return err_set(e, -EINVAL, ERR_INVALID, key, "wanted %s, found the unknown setting “%s”", known, key);
}

/* Names with spaces between them; the last setting counts. */
static int set_services(struct request *q, const char *key, const char *value, struct err *e) {
        char name[SERVICE_NAME_MAX];
        size_t n = 0;

        for (const char *s = value + strspn(value, " "); *s; s += strspn(s, " ")) {
                size_t length = strcspn(s, " ");

                if (n == REQUEST_SERVICES_MAX || length >= sizeof(name))
                        return wanted(key, "at most 16 names of services", value, e);
                memcpy(name, s, length);
                name[length] = '\0';
                if (!service_name_is_valid(name))
                        return wanted(key,
                                      "services as display-manager.service, and none that lending itself needs",
                                      name, e);
                memcpy(q->services[n++], name, sizeof(name));
                s += length;
        }
        q->n_services = n;
        return 0;
}

/* "8G", "512M", "2048K" */
static int parse_kib(const char *value, uint64_t *ret) {
        static const char units[] = "KMGT";
        size_t n = strlen(value);
        const char *unit = n > 1 ? strchr(units, value[n - 1]) : NULL;
        char number[24];
        uint64_t v;
        int shift, r;

        if (!unit || n > sizeof(number))
                return -EINVAL;
        shift = 10 * (int) (unit - units);
        memcpy(number, value, n - 1);
        number[n - 1] = '\0';
        r = str_to_u64(number, 10, REQUEST_KIB_MAX >> shift, &v);
        if (r < 0 || v == 0)
                return -EINVAL;
        *ret = v << shift;
        return 0;
}

/* What a domain without XML takes; of one with XML this is instead of what it says. */
static int set_hugepages(struct request *q, const char *key, const char *value, struct err *e) {
        struct request_memory m = {};
        char size[32];
        const char *s = value;

        for (size_t field = 0; *s; field++) {
                size_t n = strcspn(s, " ");

                if (n >= sizeof(size))
                        return wanted(key, "AMOUNT [PAGE-SIZE [NODES]] as 8G 2M 0-1", value, e);
                memcpy(size, s, n);
                size[n] = '\0';
                if (field > 2 || (field == 0 && parse_kib(size, &m.kib) < 0) ||
                    (field == 1 && parse_kib(size, &m.page_kib) < 0) ||
                    (field == 2 && (cpu_set_parse(size, &m.nodes) < 0 || cpu_set_is_empty(&m.nodes))))
                        return wanted(key, "AMOUNT [PAGE-SIZE [NODES]] as 8G 2M 0-1", value, e);
                s += n;
                s += strspn(s, " ");
        }
        if (m.kib == 0)
                return wanted(key, "AMOUNT [PAGE-SIZE [NODES]] as 8G 2M 0-1", value, e);
        q->memory[0] = m;
        q->n_memory = 1;
        return 0;
}

static int set_cpus(struct request *q, const char *key, const char *value, struct err *e) {
        struct cpu_set cpus;

        if (cpu_set_parse(value, &cpus) < 0 || cpu_set_is_empty(&cpus))
                return wanted(key, "numbers of CPUs as 2-5,8", value, e);
        q->cpus = cpus;
        return 0;
}

int option_set_domain(struct request *q, const char *key, const char *value, struct err *e) {
        if (str_eq(key, "group")) {
                if (str_eq(value, "expand"))
                        q->group = GROUP_EXPAND;
                else if (str_eq(value, "strict"))
                        q->group = GROUP_STRICT;
                else
                        return wanted(key, "expand or strict", value, e);
                return 0;
        }
        if (str_eq(key, "boot-vga"))
                return str_to_bool(value, &q->boot_vga) < 0 ? wanted(key, "yes or no", value, e) : 0;
        if (str_eq(key, "hugepages-keep")) {
                if (!str_eq(value, "always") && !str_eq(value, "never"))
                        return wanted(key, "always or never", value, e);
                q->keep_hugepages = str_eq(value, "always");
                return 0;
        }
        if (str_eq(key, "hugepages"))
                return set_hugepages(q, key, value, e);
        if (str_eq(key, "cpus"))
                return set_cpus(q, key, value, e);
        if (str_eq(key, "governor") || str_eq(key, "epp")) {
                if (!cpufreq_word_is_valid(value))
                        return wanted(key, "one word of a-z 0-9 _ as performance", value, e);
                return str_copy(str_eq(key, "epp") ? q->epp : q->governor, CPUFREQ_WORD_MAX, value);
        }
        if (str_eq(key, "cpufreq-scope")) {
                if (!str_eq(value, "domain") && !str_eq(value, "all"))
                        return wanted(key, "domain or all", value, e);
                q->cpufreq_all = str_eq(value, "all");
                return 0;
        }
        if (str_eq(key, "stop-services"))
                return set_services(q, key, value, e);
        if (str_eq(key, "isolate"))
                return str_to_bool(value, &q->isolate) < 0 ? wanted(key, "yes or no", value, e) : 0;
        return unknown(key,
                       "group, boot-vga, hugepages, hugepages-keep, cpus, governor, epp, cpufreq-scope, isolate "
                       "or stop-services",
                       e);
}

static int set_id(struct pci_id *id, bool *has, const char *key, const char *value, struct err *e) {
        if (pci_id_parse(value, id) < 0)
                return wanted(key, "VVVV:DDDD as lspci -nn prints it", value, e);
        *has = true;
        return 0;
}

int option_set_device(struct request_device *d, const char *key, const char *value, struct err *e) {
        bool yes;

        if (str_eq(key, "id"))
                return set_id(&d->id, &d->has_id, key, value, e);
        if (str_eq(key, "subsystem"))
                return set_id(&d->subsystem, &d->has_subsystem, key, value, e);
        if (str_eq(key, "driver")) {
                if (!driver_name_is_valid(value) || !driver_is_vfio(value))
                        return wanted(key, "vfio-pci or a variant of it", value, e);
                return str_copy(d->driver, sizeof(d->driver), value);
        }
        if (str_eq(key, "reset-method")) {
                if (!reset_method_is_valid(value))
                        return wanted(key, "words of the device's reset_method as flr or bus", value, e);
                return str_copy(d->reset_method, sizeof(d->reset_method), value);
        }
        if (str_eq(key, "d3cold")) {
                if (str_to_bool(value, &yes) < 0)
                        return wanted(key, "yes or no", value, e);
                return str_copy(d->d3cold, sizeof(d->d3cold), yes ? "1" : "0");
        }
        if (str_eq(key, "runtime-pm")) {
                if (!str_eq(value, "on") && !str_eq(value, "auto"))
                        return wanted(key, "on (never suspended) or auto", value, e);
                return str_copy(d->runtime_pm, sizeof(d->runtime_pm), value);
        }
        return unknown(key, "id, subsystem, driver, reset-method, d3cold or runtime-pm", e);
}
