/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json_tokener.h>
#include <stdbool.h>
#include <string.h>

#include "request-equal.h"
#include "wire/interface.h"

#define UUID "2f4f8b0a-52bb-4a4f-9d5b-1c2d3e4f5a6b"
#define NAME_16 "abcdefghijklmnop"
#define NAME_128 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16

static struct json_object *parsed(const char *text) {
        struct json_object *o = json_tokener_parse(text);

        if (!o)
                fail_msg("not JSON: %s", text);
        return o;
}

/* JSON → request, and the request → JSON that is the shortest for it. */
static const struct {
        const char *json, *shortest;
} accepted[] = {
        { "{\"domain\":\"a\",\"devices\":[]}", NULL },
        { "{\"domain\":\"" NAME_128 "\",\"devices\":[]}", NULL },
        { "{\"domain\":\"win10\",\"uuid\":\"" UUID "\",\"devices\":[{\"address\":\"0000:01:00.0\","
          "\"id\":\"10de:2206\",\"subsystem\":\"1458:403f\",\"driver\":\"vfio-pci\"},"
          "{\"address\":\"10000:e0:1f.7\"}],\"group\":\"strict\",\"boot_vga\":true,\"dry_run\":true,"
          "\"seconds\":86400}",
          NULL },
        { "{\"domain\":\"a\",\"devices\":[{\"address\":\"0000:01:00.0\",\"reset_method\":\"device_specific bus\","
          "\"d3cold\":false,\"runtime_pm\":\"on\"},{\"address\":\"0000:02:00.0\",\"d3cold\":true}]}",
          NULL },
        { "{\"domain\":\"a\",\"devices\":[],\"memory\":[{\"kib\":8388608,\"page_kib\":2048,\"nodes\":\"0-1,3\","
          "\"interleave\":true},{\"kib\":1}],\"keep_hugepages\":true}",
          NULL },
        { "{\"domain\":\"a\",\"devices\":[],\"cpus\":\"2-3,7\",\"governor\":\"performance\",\"epp\":\"balance_"
          "power\","
          "\"cpufreq_all\":true,\"isolate\":true,\"stop_services\":[\"display-manager.service\",\"a@b.service\"]}",
          NULL },
        { "{\"domain\":\"a\",\"uuid\":null,\"devices\":[{\"address\":\"01:00.0\",\"id\":null,\"subsystem\":null,"
          "\"driver\":null}],\"group\":null,\"boot_vga\":null,\"dry_run\":null,\"seconds\":null}",
          "{\"domain\":\"a\",\"devices\":[{\"address\":\"0000:01:00.0\"}]}" },
        { "{\"domain\":\"a\",\"devices\":[],\"group\":\"expand\",\"boot_vga\":false,\"dry_run\":false,"
          "\"seconds\":0}",
          "{\"domain\":\"a\",\"devices\":[]}" },
        { "{\"domain\":\"a\",\"uuid\":\"2F4F8B0A-52BB-4A4F-9D5B-1C2D3E4F5A6B\",\"devices\":[],\"seconds\":1}",
          "{\"domain\":\"a\",\"uuid\":\"" UUID "\",\"devices\":[],\"seconds\":1}" },
};

static void test_accepted(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
                _cleanup_json_ struct json_object *o = parsed(accepted[i].json), *back = NULL;
                struct request q, again;
                struct err e = {};

                if (request_from_json(o, &q, &e) < 0)
                        fail_msg("%s: %s", accepted[i].json, e.message);
                back = request_to_json(&q);
                assert_non_null(back);
                assert_string_equal(json_object_to_json_string_ext(back, JSON_C_TO_STRING_PLAIN),
                                    accepted[i].shortest ? accepted[i].shortest : accepted[i].json);
                assert_int_equal(request_from_json(back, &again, &e), 0);
                assert_true(request_equal(&q, &again));
        }
}

static void test_values(void **state) {
        _cleanup_json_ struct json_object *o = parsed(accepted[2].json);
        struct request q, other;

        (void) state;
        assert_int_equal(request_from_json(o, &q, NULL), 0);
        assert_string_equal(q.domain, "win10");
        assert_string_equal(q.uuid, UUID);
        assert_int_equal(q.n_devices, 2);
        assert_int_equal(q.devices[0].address.bus, 1);
        assert_true(q.devices[0].has_id && q.devices[0].has_subsystem);
        assert_int_equal(q.devices[0].id.vendor, 0x10de);
        assert_int_equal(q.devices[0].subsystem.device, 0x403f);
        assert_string_equal(q.devices[0].driver, "vfio-pci");
        assert_int_equal(q.devices[1].address.domain, 0x10000);
        assert_false(q.devices[1].has_id || q.devices[1].has_subsystem);
        assert_string_equal(q.devices[1].driver, "");
        assert_int_equal(q.group, GROUP_STRICT);
        assert_true(q.boot_vga && q.dry_run);
        assert_int_equal(q.seconds, 86400);

        /* The comparison itself must be able to fail. */
        other = q;
        assert_true(request_equal(&q, &other));
        other.devices[1].address.function = 0;
        assert_false(request_equal(&q, &other));
}

#define REST ",\"devices\":[]}"
#define WITH(field) "{\"domain\":\"a\",\"devices\":[]," field "}"
#define DEVICE(members) "{\"domain\":\"a\",\"devices\":[{\"address\":\"01:00.0\"},{" members "}]}"
#define DEVICE_WITH(member) DEVICE("\"address\":\"02:00.0\"," member)

static const struct {
        const char *json, *subject;
} refused[] = {
        { "{}", "domain" },
        { "{\"devices\":[]}", "domain" },
        { "{\"domain\":null" REST, "domain" },
        { "{\"domain\":1" REST, "domain" },
        { "{\"domain\":[\"a\"]" REST, "domain" },
        { "{\"domain\":\"\"" REST, "domain" },
        { "{\"domain\":\"../a\"" REST, "domain" },
        { "{\"domain\":\"-a\"" REST, "domain" },
        { "{\"domain\":\"a b\"" REST, "domain" },
        { "{\"domain\":\"a\\u0000b\"" REST, "domain" },
        { "{\"domain\":\"a\\u0000\"" REST, "domain" },
        { "{\"domain\":\"" NAME_128 "x\"" REST, "domain" },
        { "{\"domain\":\"\xc3\xa9\"" REST, "domain" },

        { WITH("\"uuid\":1"), "uuid" },
        { WITH("\"uuid\":\"\""), "uuid" },
        { WITH("\"uuid\":\"a\""), "uuid" },
        { WITH("\"uuid\":\"" UUID "0\""), "uuid" },
        { WITH("\"uuid\":\"" UUID "\\u0000\""), "uuid" },

        { "{\"domain\":\"a\"}", "devices" },
        { "{\"domain\":\"a\",\"devices\":null}", "devices" },
        { "{\"domain\":\"a\",\"devices\":{}}", "devices" },
        { "{\"domain\":\"a\",\"devices\":\"01:00.0\"}", "devices" },
        { "{\"domain\":\"a\",\"devices\":[null]}", "devices[0]" },
        { "{\"domain\":\"a\",\"devices\":[\"01:00.0\"]}", "devices[0]" },
        { "{\"domain\":\"a\",\"devices\":[{\"address\":\"01:00.0\"},[]]}", "devices[1]" },

        { DEVICE(""), "devices[1].address" },
        { DEVICE("\"id\":\"10de:2206\""), "devices[1].address" },
        { DEVICE("\"address\":null"), "devices[1].address" },
        { DEVICE("\"address\":1"), "devices[1].address" },
        { DEVICE("\"address\":\"\""), "devices[1].address" },
        { DEVICE("\"address\":\"02:00.8\""), "devices[1].address" },
        { DEVICE("\"address\":\"/sys/02:00.0\""), "devices[1].address" },
        { DEVICE("\"address\":\"02:00.0\\u0000\""), "devices[1].address" },
        { DEVICE("\"address\":\"01:00.0\""), "devices[1].address" },      /* twice */
        { DEVICE("\"address\":\"0000:01:00.0\""), "devices[1].address" }, /* twice, spelt in another way */

        { DEVICE_WITH("\"id\":1"), "devices[1].id" },
        { DEVICE_WITH("\"id\":\"\""), "devices[1].id" },
        { DEVICE_WITH("\"id\":\"10de\""), "devices[1].id" },
        { DEVICE_WITH("\"id\":\"10de:220\""), "devices[1].id" },
        { DEVICE_WITH("\"id\":\"10de:2206\\u0000\""), "devices[1].id" },
        { DEVICE_WITH("\"subsystem\":false"), "devices[1].subsystem" },
        { DEVICE_WITH("\"subsystem\":\"1458-403f\""), "devices[1].subsystem" },

        { DEVICE_WITH("\"driver\":1"), "devices[1].driver" },
        { DEVICE_WITH("\"driver\":\"\""), "devices[1].driver" },
        { DEVICE_WITH("\"driver\":\"nvme\""), "devices[1].driver" },
        { DEVICE_WITH("\"driver\":\"../vfio-pci\""), "devices[1].driver" },
        { DEVICE_WITH("\"driver\":\"vfio-pci\\n\""), "devices[1].driver" },
        { DEVICE_WITH("\"driver\":\"vfio-pci\\u0000x\""), "devices[1].driver" },
        { DEVICE_WITH("\"driver\":\"" NAME_16 NAME_16 NAME_16 NAME_16 "_vfio_pci\""), "devices[1].driver" },

        { WITH("\"group\":1"), "group" },
        { WITH("\"group\":0"), "group" },
        { WITH("\"group\":\"\""), "group" },
        { WITH("\"group\":\"Strict\""), "group" },
        { WITH("\"group\":\"strict\\u0000\""), "group" },

        { WITH("\"memory\":1"), "memory" },
        { WITH("\"memory\":[1]"), "memory[0]" },
        { WITH("\"memory\":[{}]"), "memory[0].kib" },
        { WITH("\"memory\":[{\"kib\":0}]"), "memory[0].kib" },
        { WITH("\"memory\":[{\"kib\":-1}]"), "memory[0].kib" },
        { WITH("\"memory\":[{\"kib\":\"1\"}]"), "memory[0].kib" },
        { WITH("\"memory\":[{\"kib\":1099511627777}]"), "memory[0].kib" },
        { WITH("\"memory\":[{\"kib\":1},{\"kib\":1,\"page_kib\":true}]"), "memory[1].page_kib" },
        { WITH("\"memory\":[{\"kib\":1,\"nodes\":\"\"}]"), "memory[0].nodes" },
        { WITH("\"memory\":[{\"kib\":1,\"nodes\":\"1024\"}]"), "memory[0].nodes" },
        { WITH("\"memory\":[{\"kib\":1,\"nodes\":0}]"), "memory[0].nodes" },
        { WITH("\"memory\":[{\"kib\":1,\"interleave\":1}]"), "memory[0].interleave" },
        { WITH("\"memory\":[{\"kib\":1,\"path\":\"/x\"}]"), "memory[0].path" },
        { WITH("\"keep_hugepages\":1"), "keep_hugepages" },

        { WITH("\"stop_services\":\"a.service\""), "stop_services" },
        { WITH("\"stop_services\":[1]"), "stop_services" },
        { WITH("\"stop_services\":[\"a\"]"), "stop_services" },
        { WITH("\"stop_services\":[\"../a.service\"]"), "stop_services" },
        { WITH("\"stop_services\":[\"libvirtd.service\"]"), "stop_services" },
        { WITH("\"stop_services\":[\"a.service\\u0000\"]"), "stop_services" },
        { WITH("\"cpus\":1"), "cpus" },
        { WITH("\"cpus\":\"\""), "cpus" },
        { WITH("\"cpus\":\"2-\""), "cpus" },
        { WITH("\"cpus\":\"1024\""), "cpus" },
        { WITH("\"governor\":1"), "governor" },
        { WITH("\"governor\":\"\""), "governor" },
        { WITH("\"governor\":\"../x\""), "governor" },
        { WITH("\"governor\":\"" NAME_16 NAME_16 "\""), "governor" },
        { WITH("\"epp\":\"a b\""), "epp" },
        { WITH("\"cpufreq_all\":0"), "cpufreq_all" },
        { WITH("\"isolate\":\"yes\""), "isolate" },

        { WITH("\"boot_vga\":1"), "boot_vga" },
        { WITH("\"boot_vga\":\"true\""), "boot_vga" },
        { WITH("\"dry_run\":0"), "dry_run" },
        { WITH("\"dry_run\":[]"), "dry_run" },

        { WITH("\"seconds\":-1"), "seconds" },
        { WITH("\"seconds\":86401"), "seconds" },
        { WITH("\"seconds\":1.0"), "seconds" },
        { WITH("\"seconds\":1e2"), "seconds" },
        { WITH("\"seconds\":\"60\""), "seconds" },
        { WITH("\"seconds\":true"), "seconds" },
        { WITH("\"seconds\":4294967296"), "seconds" },
        { WITH("\"seconds\":9223372036854775808"), "seconds" },
        { WITH("\"seconds\":18446744073709551616"), "seconds" },
        { WITH("\"seconds\":18446744073709551676"), "seconds" },
        { WITH("\"seconds\":-9223372036854775809"), "seconds" },
        { WITH("\"seconds\":-18446744073709551556"), "seconds" },

        { WITH("\"Seconds\":1"), "Seconds" },
        { WITH("\"script\":\"/bin/sh\""), "script" },
        { WITH("\"x\":null"), "x" },
        { WITH("\"\":1"), "" },
        { DEVICE_WITH("\"reset_method\":\"\""), "devices[1].reset_method" },
        { DEVICE_WITH("\"reset_method\":\"flr  bus\""), "devices[1].reset_method" },
        { DEVICE_WITH("\"reset_method\":\"../x\""), "devices[1].reset_method" },
        { DEVICE_WITH("\"d3cold\":1"), "devices[1].d3cold" },
        { DEVICE_WITH("\"runtime_pm\":\"off\""), "devices[1].runtime_pm" },
        { DEVICE_WITH("\"path\":\"/dev/sda\""), "devices[1].path" },
};

static void test_refused(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                _cleanup_json_ struct json_object *o = parsed(refused[i].json);
                struct request q = { .domain = "untouched", .seconds = 4711 };
                struct err e = {};

                if (request_from_json(o, &q, &e) != -EINVAL)
                        fail_msg("accepted: %s", refused[i].json);
                assert_int_equal(e.code, -EINVAL);
                assert_string_equal(e.id, ERR_INVALID);
                assert_string_equal(e.subject, refused[i].subject);
                assert_true(*e.message);
                assert_string_equal(q.domain, "untouched");
                assert_int_equal(q.seconds, 4711);
                assert_int_equal(request_from_json(o, &q, NULL), -EINVAL);
        }
}

static int request_with_devices(size_t n, struct err *e) {
        _cleanup_json_ struct json_object *o = parsed("{\"domain\":\"a\"}");
        struct json_object *array = json_object_new_array();
        struct request q;
        int r;

        assert_int_equal(json_add(o, "devices", array), 0);
        for (size_t i = 0; i < n; i++) {
                struct json_object *device = json_object_new_object();
                char address[BDF_TEXT_MAX];

                assert_int_equal(json_object_array_add(array, device), 0);
                (void) bdf_format(&(struct bdf) { 0, (uint8_t) (i >> 8), i >> 3 & 31, i & 7 }, address);
                assert_int_equal(json_add(device, "address", json_object_new_string(address)), 0);
        }
        r = request_from_json(o, &q, e);
        if (r >= 0) {
                _cleanup_json_ struct json_object *back = request_to_json(&q);

                assert_int_equal(q.n_devices, n);
                assert_true(json_object_equal(o, back));
        }
        return r;
}

static void test_number_of_memories(void **state) {
        (void) state;

        for (size_t n = REQUEST_MEMORY_MAX; n <= REQUEST_MEMORY_MAX + 1; n++) {
                _cleanup_json_ struct json_object *o = parsed("{\"domain\":\"a\",\"devices\":[]}");
                struct json_object *array = json_object_new_array();
                struct request q;
                struct err e = {};

                assert_int_equal(json_add(o, "memory", array), 0);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(json_object_array_add(array, parsed("{\"kib\":2048}")), 0);
                assert_int_equal(request_from_json(o, &q, &e), n > REQUEST_MEMORY_MAX ? -EINVAL : 0);
                assert_string_equal(e.subject, n > REQUEST_MEMORY_MAX ? "memory" : "");
        }
}

static void test_number_of_devices(void **state) {
        size_t too_many[] = { REQUEST_DEVICES_MAX + 1, 4096 };

        (void) state;
        assert_int_equal(request_with_devices(REQUEST_DEVICES_MAX, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(too_many); i++) {
                struct err e = {};

                assert_int_equal(request_with_devices(too_many[i], &e), -EINVAL);
                assert_string_equal(e.subject, "devices");
        }
}

static void test_message(void **state) {
        _cleanup_json_ struct json_object *wrong = parsed(DEVICE_WITH("\"id\":\"10de\"")), *missing = parsed("{}");
        struct request q;
        struct err e = {};

        (void) state;
        assert_int_equal(request_from_json(wrong, &q, &e), -EINVAL);
        assert_string_equal(e.message, "devices[1].id must be vendor:device as \"10de:2206\", not \"10de\"");
        assert_int_equal(request_from_json(missing, &q, &e), -EINVAL);
        assert_string_equal(e.message, "domain is missing: it must be a name of [A-Za-z0-9._-]");
}

static const struct {
        const char *json, *domain, *subject;
        size_t size;
} returns[] = {
        { "{\"domain\":\"win10\"}", "win10", NULL, 6 },
        { "{\"domain\":\"Win10\"}", "Win10", NULL, 129 },
        { "{\"domain\":\"" UUID "\"}", UUID, NULL, 129 },
        { "{\"domain\":\"2F4F8B0A-52BB-4A4F-9D5B-1C2D3E4F5A6B\"}", UUID, NULL, 37 },
        { "{\"domain\":\"win10\"}", NULL, "domain", 5 },
        { "{\"domain\":\"" UUID "\"}", NULL, "domain", 36 },
        { "{}", NULL, "domain", 129 },
        { "{\"domain\":null}", NULL, "domain", 129 },
        { "{\"domain\":7}", NULL, "domain", 129 },
        { "{\"domain\":\"\"}", NULL, "domain", 129 },
        { "{\"domain\":\"../a\"}", NULL, "domain", 129 },
        { "{\"domain\":\"a\\u0000b\"}", NULL, "domain", 129 },
        { "{\"domain\":\"a\",\"force\":true}", NULL, "force", 129 },
};

static void test_return(void **state) {
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(returns); i++) {
                _cleanup_json_ struct json_object *o = parsed(returns[i].json);
                char domain[129] = "untouched";
                struct err e = {};
                int r;

                r = return_from_json(o, domain, returns[i].size, &e);
                assert_int_equal(r, returns[i].subject ? -EINVAL : 0);
                assert_string_equal(domain, returns[i].domain ? returns[i].domain : "untouched");
                assert_string_equal(e.subject, returns[i].subject ? returns[i].subject : "");
        }
}

static void test_nothing(void **state) {
        _cleanup_json_ struct json_object *empty = parsed("{}"), *full = parsed("{\"domain\":null}");
        struct err e = {};

        (void) state;
        assert_int_equal(nothing_from_json(empty, &e), 0);
        assert_int_equal(nothing_from_json(full, &e), -EINVAL);
        assert_string_equal(e.subject, "domain");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_number_of_devices),
                cmocka_unit_test(test_number_of_memories),
                cmocka_unit_test(test_message),
                cmocka_unit_test(test_return),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
