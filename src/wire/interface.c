/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/interface.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/linkhash.h>
#include <string.h>

static const char *const group_names[] = { [GROUP_EXPAND] = "expand", [GROUP_STRICT] = "strict" };

static int device_to_json(const struct request_device *d, struct json_object *array) {
        struct json_object *o = json_object_new_object();
        char text[BDF_TEXT_MAX], id[PCI_ID_TEXT_MAX];

        if (!o || json_object_array_add(array, o) < 0) {
                json_object_put(o);
                return -ENOMEM;
        }
        if (json_add(o, "address", json_object_new_string(bdf_format(&d->address, text))) < 0 ||
            (d->has_id && json_add(o, "id", json_object_new_string(pci_id_format(&d->id, id))) < 0) ||
            (d->has_subsystem &&
             json_add(o, "subsystem", json_object_new_string(pci_id_format(&d->subsystem, id))) < 0) ||
            (*d->driver && json_add(o, "driver", json_object_new_string(d->driver)) < 0) ||
            (*d->reset_method && json_add(o, "reset_method", json_object_new_string(d->reset_method)) < 0) ||
            (*d->d3cold && json_add(o, "d3cold", json_object_new_boolean(str_eq(d->d3cold, "1"))) < 0) ||
            (*d->runtime_pm && json_add(o, "runtime_pm", json_object_new_string(d->runtime_pm)) < 0))
                return -ENOMEM;
        return 0;
}

static int memory_to_json(const struct request_memory *m, struct json_object *array) {
        struct json_object *o = json_object_new_object();
        char nodes[REQUEST_SET_TEXT_MAX];

        if (!o || json_object_array_add(array, o) < 0) {
                json_object_put(o);
                return -ENOMEM;
        }
        if (cpu_set_format(&m->nodes, nodes, sizeof(nodes)) < 0 ||
            json_add(o, "kib", json_object_new_int64((int64_t) m->kib)) < 0 ||
            (m->page_kib && json_add(o, "page_kib", json_object_new_int64((int64_t) m->page_kib)) < 0) ||
            (*nodes && json_add(o, "nodes", json_object_new_string(nodes)) < 0) ||
            (m->interleave && json_add(o, "interleave", json_object_new_boolean(true)) < 0))
                return -ENOMEM;
        return 0;
}

static int add_memory(const struct request *q, struct json_object *o) {
        struct json_object *array;

        if (q->n_memory == 0)
                return 0;
        array = json_object_new_array_ext((int) q->n_memory);
        if (json_add(o, "memory", array) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < q->n_memory; i++)
                if (memory_to_json(&q->memory[i], array) < 0)
                        return -ENOMEM;
        return 0;
}

static int add_cpus(const struct request *q, struct json_object *o) {
        char cpus[REQUEST_SET_TEXT_MAX];

        if (cpu_set_format(&q->cpus, cpus, sizeof(cpus)) < 0 ||
            (*cpus && json_add(o, "cpus", json_object_new_string(cpus)) < 0) ||
            (*q->governor && json_add(o, "governor", json_object_new_string(q->governor)) < 0) ||
            (*q->epp && json_add(o, "epp", json_object_new_string(q->epp)) < 0) ||
            (q->cpufreq_all && json_add(o, "cpufreq_all", json_object_new_boolean(true)) < 0) ||
            (q->isolate && json_add(o, "isolate", json_object_new_boolean(true)) < 0))
                return -ENOMEM;
        return 0;
}

static int add_services(const struct request *q, struct json_object *o) {
        struct json_object *array;

        if (q->n_services == 0)
                return 0;
        array = json_object_new_array_ext((int) q->n_services);
        if (json_add(o, "stop_services", array) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < q->n_services; i++) {
                struct json_object *name = json_object_new_string(q->services[i]);

                if (!name || json_object_array_add(array, name) < 0) {
                        json_object_put(name);
                        return -ENOMEM;
                }
        }
        return 0;
}

struct json_object *request_to_json(const struct request *q) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        struct json_object *devices;

        if (!o || json_add(o, "domain", json_object_new_string(q->domain)) < 0 ||
            (*q->uuid && json_add(o, "uuid", json_object_new_string(q->uuid)) < 0))
                return NULL;
        devices = json_object_new_array_ext((int) q->n_devices);
        if (json_add(o, "devices", devices) < 0)
                return NULL;
        for (size_t i = 0; i < q->n_devices; i++)
                if (device_to_json(&q->devices[i], devices) < 0)
                        return NULL;
        if (add_memory(q, o) < 0 || add_cpus(q, o) < 0 || add_services(q, o) < 0 ||
            (q->keep_hugepages && json_add(o, "keep_hugepages", json_object_new_boolean(true)) < 0) ||
            (q->group != GROUP_EXPAND &&
             json_add(o, "group", json_object_new_string(group_names[q->group])) < 0) ||
            (q->boot_vga && json_add(o, "boot_vga", json_object_new_boolean(true)) < 0) ||
            (q->dry_run && json_add(o, "dry_run", json_object_new_boolean(true)) < 0) ||
            (q->seconds && json_add(o, "seconds", json_object_new_int64((int64_t) q->seconds)) < 0))
                return NULL;
        return TAKE_PTR(o);
}

/* An object that is being read, and where it is in the request: "" or "devices[2].". */
struct reader {
        struct json_object *o;
        char path[32];
        struct err *e;
};

static int refuse(const struct reader *in, const char *key, const char *wanted) {
        struct json_object *value;
        char subject[96];

        (void) str_format(subject, sizeof(subject), "%s%s", in->path, key);
        if (!json_object_object_get_ex(in->o, key, &value))
                return err_set(in->e, -EINVAL, ERR_INVALID, subject, "%s is missing: it must be %s", subject,
                               wanted);
        return err_set(in->e, -EINVAL, ERR_INVALID, subject, "%s must be %s, not %.80s", subject, wanted,
                       json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int only_known(const struct reader *in, const char *const *known, size_t n) {
        json_object_object_foreach(in->o, key, value) {
                size_t i = 0;

                while (i < n && !str_eq(key, known[i]))
                        i++;
                if (i == n)
                        return refuse(in, key, "left out: there is no such field");
        }
        return 0;
}

/* Returns 1, or 0 when the field is left out. */
static int read_string(const struct reader *in, const char *key, const char *wanted, const char **ret) {
        struct json_object *value = json_object_object_get(in->o, key);
        const char *s;

        if (!value)
                return 0;
        if (!json_object_is_type(value, json_type_string))
                return refuse(in, key, wanted);
        s = json_object_get_string(value);
        /* The checks that follow see nothing behind a NUL. */
        if (strlen(s) != (size_t) json_object_get_string_len(value))
                return refuse(in, key, wanted);
        *ret = s;
        return 1;
}

static int read_bool(const struct reader *in, const char *key, bool *ret) {
        struct json_object *value = json_object_object_get(in->o, key);

        if (!value)
                return 0;
        if (!json_object_is_type(value, json_type_boolean))
                return refuse(in, key, "true or false");
        *ret = json_object_get_boolean(value);
        return 0;
}

/* Returns 1, or 0 when the field is left out. */
static int read_number(const struct reader *in, const char *key, uint64_t max, uint64_t *ret) {
        struct json_object *value = json_object_object_get(in->o, key);
        char wanted[64];
        int64_t n;

        if (!value)
                return 0;
        /* A number over 64 bits comes as INT64_MAX or INT64_MIN: out of any range here as well. */
        n = json_object_get_int64(value);
        if (!json_object_is_type(value, json_type_int) || n < 0 || (uint64_t) n > max) {
                (void) str_format(wanted, sizeof(wanted), "a whole number from 0 to %llu",
                                  (unsigned long long) max);
                return refuse(in, key, wanted);
        }
        *ret = (uint64_t) n;
        return 1;
}

static int read_group(const struct reader *in, enum group_policy *ret) {
        static const char wanted[] = "\"expand\" or \"strict\"";
        const char *s;
        int r;

        r = read_string(in, "group", wanted, &s);
        if (r <= 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(group_names); i++)
                if (str_eq(s, group_names[i])) {
                        *ret = (enum group_policy) i;
                        return 0;
                }
        return refuse(in, "group", wanted);
}

static void copy_lower(char *dst, const char *uuid) {
        do
                *dst++ = (char) tolower((unsigned char) *uuid);
        while (*uuid++);
}

static int read_uuid(const struct reader *in, char *ret) {
        static const char wanted[] = "a UUID of 8-4-4-4-12 hexadecimal digits";
        const char *s;
        int r;

        r = read_string(in, "uuid", wanted, &s);
        if (r <= 0)
                return r;
        if (!uuid_is_valid(s))
                return refuse(in, "uuid", wanted);
        copy_lower(ret, s);
        return 0;
}

static int read_domain(const struct reader *in, const char *wanted, const char **ret) {
        int r;

        r = read_string(in, "domain", wanted, ret);
        if (r < 0)
                return r;
        return r == 0 || !name_is_valid(*ret) ? refuse(in, "domain", wanted) : 0;
}

static int read_id(const struct reader *in, const char *key, bool *has, struct pci_id *ret) {
        static const char wanted[] = "vendor:device as \"10de:2206\"";
        const char *s;
        int r;

        r = read_string(in, key, wanted, &s);
        if (r <= 0)
                return r;
        if (pci_id_parse(s, ret) < 0)
                return refuse(in, key, wanted);
        *has = true;
        return 0;
}

static int read_driver(const struct reader *in, char *ret) {
        static const char wanted[] = "the name of a vfio driver as \"vfio-pci\"";
        const char *s;
        int r;

        r = read_string(in, "driver", wanted, &s);
        if (r <= 0)
                return r;
        if (!driver_name_is_valid(s) || !driver_is_vfio(s))
                return refuse(in, "driver", wanted);
        return str_copy(ret, DRIVER_NAME_MAX, s);
}

static int read_tuning(const struct reader *in, struct request_device *d) {
        static const char methods[] = "words of [a-z_] as \"flr\"", pm[] = "\"on\" or \"auto\"";
        bool d3cold = false;
        const char *s;
        int r;

        r = read_string(in, "reset_method", methods, &s);
        if (r > 0)
                r = reset_method_is_valid(s) ? str_copy(d->reset_method, sizeof(d->reset_method), s)
                                             : refuse(in, "reset_method", methods);
        if (r < 0)
                return r;
        r = read_string(in, "runtime_pm", pm, &s);
        if (r > 0)
                r = str_eq(s, "on") || str_eq(s, "auto") ? str_copy(d->runtime_pm, sizeof(d->runtime_pm), s)
                                                         : refuse(in, "runtime_pm", pm);
        if (r >= 0)
                r = read_bool(in, "d3cold", &d3cold);
        if (r >= 0 && json_object_object_get(in->o, "d3cold"))
                r = str_copy(d->d3cold, sizeof(d->d3cold), d3cold ? "1" : "0");
        return r;
}

static int read_device(const struct reader *in, struct request *q) {
        static const char *const known[] = { "address",      "id",     "subsystem", "driver",
                                             "reset_method", "d3cold", "runtime_pm" };
        static const char wanted[] = "a PCI address as \"0000:01:00.0\"";
        struct request_device *d;
        struct bdf address;
        size_t before = q->n_devices;
        const char *s;
        int r;

        r = only_known(in, known, ARRAY_SIZE(known));
        if (r < 0)
                return r;
        r = read_string(in, "address", wanted, &s);
        if (r < 0)
                return r;
        if (r == 0 || bdf_parse(s, &address) < 0)
                return refuse(in, "address", wanted);
        d = request_add(q, &address);
        if (!d || q->n_devices == before)
                return refuse(in, "address", "a device that is not in the list already");

        r = read_id(in, "id", &d->has_id, &d->id);
        if (r >= 0)
                r = read_id(in, "subsystem", &d->has_subsystem, &d->subsystem);
        if (r >= 0)
                r = read_driver(in, d->driver);
        return r < 0 ? r : read_tuning(in, d);
}

static int read_cpu_set(const struct reader *in, const char *key, struct cpu_set *ret) {
        static const char wanted[] = "a list of numbers as \"0-3,8\"";
        const char *s;
        int r;

        r = read_string(in, key, wanted, &s);
        if (r <= 0)
                return r;
        if (strlen(s) >= REQUEST_SET_TEXT_MAX || cpu_set_parse(s, ret) < 0 || cpu_set_is_empty(ret))
                return refuse(in, key, wanted);
        return 1;
}

static int read_memory(const struct reader *in, struct request *q) {
        static const char *const known[] = { "kib", "page_kib", "nodes", "interleave" };
        struct request_memory m = {};
        int r;

        r = only_known(in, known, ARRAY_SIZE(known));
        if (r >= 0)
                r = read_number(in, "kib", REQUEST_KIB_MAX, &m.kib);
        if (r >= 0 && m.kib == 0)
                return refuse(in, "kib", "an amount of memory over 0");
        if (r >= 0)
                r = read_number(in, "page_kib", REQUEST_KIB_MAX, &m.page_kib);
        if (r >= 0)
                r = read_cpu_set(in, "nodes", &m.nodes);
        if (r >= 0)
                r = read_bool(in, "interleave", &m.interleave);
        if (r < 0)
                return r;
        q->memory[q->n_memory++] = m;
        return 0;
}

static int read_word(const struct reader *in, const char *key, char ret[static CPUFREQ_WORD_MAX]) {
        static const char wanted[] = "one word of [a-z0-9_] as \"performance\"";
        const char *s;
        int r;

        r = read_string(in, key, wanted, &s);
        if (r <= 0)
                return r;
        return cpufreq_word_is_valid(s) ? str_copy(ret, CPUFREQ_WORD_MAX, s) : refuse(in, key, wanted);
}

static int read_cpus(const struct reader *in, struct request *q) {
        int r;

        r = read_cpu_set(in, "cpus", &q->cpus);
        if (r >= 0)
                r = read_word(in, "governor", q->governor);
        if (r >= 0)
                r = read_word(in, "epp", q->epp);
        if (r >= 0)
                r = read_bool(in, "cpufreq_all", &q->cpufreq_all);
        if (r >= 0)
                r = read_bool(in, "isolate", &q->isolate);
        return r;
}

static int read_services(const struct reader *in, struct request *q) {
        static const char wanted[] =
                "a list of at most 16 services as \"display-manager.service\", and none that lending needs";
        struct json_object *array = json_object_object_get(in->o, "stop_services");

        if (!array)
                return 0;
        if (!json_object_is_type(array, json_type_array) || json_object_array_length(array) > REQUEST_SERVICES_MAX)
                return refuse(in, "stop_services", wanted);
        for (size_t i = 0; i < json_object_array_length(array); i++) {
                struct json_object *o = json_object_array_get_idx(array, i);
                const char *name = json_object_is_type(o, json_type_string) ? json_object_get_string(o) : "";

                if (!service_name_is_valid(name) || strlen(name) != (size_t) json_object_get_string_len(o))
                        return refuse(in, "stop_services", wanted);
                strcpy(q->services[q->n_services++], name);
        }
        return 0;
}

/* Calls read for each object of the list. */
static int read_list(const struct reader *in, const char *key, size_t max, struct request *q,
                     int (*read)(const struct reader *in, struct request *q)) {
        struct json_object *array = json_object_object_get(in->o, key);
        size_t n;

        if (!json_object_is_type(array, json_type_array))
                return refuse(in, key, "a list");
        n = json_object_array_length(array);
        if (n > max)
                return err_set(in->e, -EINVAL, ERR_INVALID, key, "a request has at most %zu %s, not %zu", max, key,
                               n);
        for (size_t i = 0; i < n; i++) {
                struct reader element = { .o = json_object_array_get_idx(array, i), .e = in->e };
                int r;

                r = str_format(element.path, sizeof(element.path), "%s[%zu]", key, i);
                if (r < 0)
                        return r;
                if (!json_object_is_type(element.o, json_type_object))
                        return err_set(in->e, -EINVAL, ERR_INVALID, element.path, "%s must be an object",
                                       element.path);
                strcat(element.path, ".");
                r = read(&element, q);
                if (r < 0)
                        return r;
        }
        return 0;
}

int request_from_json(struct json_object *o, struct request *ret, struct err *e) {
        static const char *const known[] = { "domain", "uuid",     "devices", "memory",      "keep_hugepages",
                                             "cpus",   "governor", "epp",     "cpufreq_all", "isolate",
                                             "group",  "boot_vga", "dry_run", "seconds",     "stop_services" };
        const struct reader in = { .o = o, .e = e };
        struct request q = {};
        const char *domain;
        int r;

        r = only_known(&in, known, ARRAY_SIZE(known));
        if (r < 0)
                return r;
        r = read_domain(&in, "a name of [A-Za-z0-9._-]", &domain);
        if (r < 0)
                return r;
        r = str_copy(q.domain, sizeof(q.domain), domain);
        if (r >= 0)
                r = read_uuid(&in, q.uuid);
        if (r >= 0)
                r = read_list(&in, "devices", REQUEST_DEVICES_MAX, &q, read_device);
        if (r >= 0 && json_object_object_get(o, "memory"))
                r = read_list(&in, "memory", REQUEST_MEMORY_MAX, &q, read_memory);
        if (r >= 0)
                r = read_bool(&in, "keep_hugepages", &q.keep_hugepages);
        if (r >= 0)
                r = read_cpus(&in, &q);
        if (r >= 0)
                r = read_services(&in, &q);
        if (r >= 0)
                r = read_group(&in, &q.group);
        if (r >= 0)
                r = read_bool(&in, "boot_vga", &q.boot_vga);
        if (r >= 0)
                r = read_bool(&in, "dry_run", &q.dry_run);
        if (r >= 0)
                r = read_number(&in, "seconds", REQUEST_SECONDS_MAX, &q.seconds);
        if (r < 0)
                return r;
        *ret = q;
        return 0;
}

int return_from_json(struct json_object *o, char *ret_domain, size_t size, struct err *e) {
        static const char *const known[] = { "domain" };
        const struct reader in = { .o = o, .e = e };
        const char *domain;
        int r;

        r = only_known(&in, known, ARRAY_SIZE(known));
        if (r < 0)
                return r;
        /* Every UUID is a valid name as well. */
        r = read_domain(&in, "a domain's name or UUID", &domain);
        if (r < 0)
                return r;
        if (strlen(domain) >= size)
                return refuse(&in, "domain", "a shorter name");
        if (uuid_is_valid(domain))
                copy_lower(ret_domain, domain);
        else
                memcpy(ret_domain, domain, strlen(domain) + 1);
        return 0;
}

int nothing_from_json(struct json_object *o, struct err *e) {
        const struct reader in = { .o = o, .e = e };

        return only_known(&in, NULL, 0);
}
