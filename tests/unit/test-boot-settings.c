/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What passthru.conf may say about the kernel that boots next. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "config/boot-settings.h"

static int give(struct boot_settings *s, const char *section, const char *key, const char *value, struct err *e) {
        const struct ini_entry entry = { "/etc/passthru/passthru.conf", 1, section, key, value };

        return boot_settings_entry(&entry, s, e);
}

#define ID "id:8086:1901,"
#define ID4 ID ID ID ID

static const struct {
        const char *section, *key, *value;
        bool good;
} cases[] = {
        { "iommu", "enable", "auto", true },
        { "iommu", "enable", "on", true },
        { "iommu", "enable", "off", true },
        { "iommu", "enable", "yes", false },
        { "iommu", "enable", "", false },
        { "iommu", "passthrough", "yes", true },
        { "iommu", "passthrough", "0", true },
        { "iommu", "passthrough", "pt", false },
        { "iommu", "pt", "yes", false },
        { "acs", "override", "", true },
        { "acs", "override", "downstream", true },
        { "acs", "override", "downstream,multifunction,id:8086:1901", true },
        { "acs", "override", ID4 ID4 ID4 ID ID ID "id:8086:1901", true },
        { "acs", "override", ID4 ID4 ID4 ID4 "id:8086:1901", false },
        { "acs", "override", "downstream,", false },
        { "acs", "override", ",downstream", false },
        { "acs", "override", "upstream", false },
        { "acs", "override", "id:8086", false },
        { "acs", "override", "8086:1901", false },
        { "acs", "override", "downstream multifunction", false },
        { "acs", "config", "", true },
        { "acs", "config", "0011101@pci:0:0", true },
        { "acs", "config", "xxxxxx1@0000:00:1c.0;0011101@pci:8086:a110", true },
        { "acs", "config", "011101@pci:0:0", false },
        { "acs", "config", "00111011@pci:0:0", false },
        { "acs", "config", "0011101@", false },
        { "acs", "config", "0011101", false },
        { "acs", "config", "0011201@pci:0:0", false },
        { "acs", "config", "0011101@pci:0:0;", false },
        { "acs", "config", "0011101@pci:0:0 quiet", false },
        { "acs", "redirect", "yes", false },
        { "hugepages", "1G", "4", true },
        { "hugepages", "2M", "0:512,1:512", true },
        { "hugepages", "64K", "1", true },
        { "hugepages", "16384M", "1", true },
        { "hugepages", "3M", "1", false },
        { "hugepages", "0G", "1", false },
        { "hugepages", "1T", "1", false },
        { "hugepages", "G", "1", false },
        { "hugepages", "1", "1", false },
        { "hugepages", "1GB", "1", false },
        { "hugepages", "1G", "0", false },
        { "hugepages", "1G", "", false },
        { "hugepages", "1G", "-1", false },
        { "hugepages", "1G", "4G", false },
        { "hugepages", "1G", "0:4,", false },
        { "hugepages", "1G", ":4", false },
        { "hugepages", "1G", "0:0", false },
        { "hugepages", "1G", "99999:4", false },
        { "hugepages", "1G", "4,0:4", false },
        { "vfio", "ids", "", true },
        { "vfio", "ids", "10de:2206,10de:1aef", true },
        { "vfio", "ids", "10de", false },
        { "vfio", "ids", "10de:2206,", false },
        { "vfio", "ids", "10de:2206 quiet", false },
        { "vfio", "disable_vga", "1", false },
        { "parameters", "extra", "", true },
        { "parameters", "extra", "nosmt foo=\"a b\" default_hugepagesz=1G", true },
        { "parameters", "extra", "-- single", false },
        { "parameters", "extra", "foo=\"a b", false },
        { "parameters", "extra", "=1", false },
        { "parameters", "extra", "hugepages=4", false },
        { "parameters", "extra", "quiet\thugepages=4", false },
        { "parameters", "extra", "quiet hugepagesz=1G", false },
        { "parameters", "more", "quiet", false },
};

static void takes_and_refuses(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct boot_settings s = {}, untouched = {};
                struct err e = {};
                int r = give(&s, cases[i].section, cases[i].key, cases[i].value, &e);

                if (r != (cases[i].good ? 1 : -EINVAL))
                        fail_msg("[%s] %s=%s: %d %s", cases[i].section, cases[i].key, cases[i].value, r, e.message);
                if (cases[i].good)
                        continue;
                assert_memory_equal(&s, &untouched, sizeof(s));
                assert_non_null(strstr(e.message, "wanted "));
                assert_non_null(strstr(e.message, "found "));
                assert_string_equal(e.id, ERR_INVALID);
        }
}

static void keeps_what_was_said_last(void **state) {
        struct boot_settings s = {};

        (void) state;
        assert_int_equal(give(&s, "iommu", "enable", "on", NULL), 1);
        assert_int_equal(give(&s, "iommu", "passthrough", "yes", NULL), 1);
        assert_int_equal(give(&s, "acs", "override", "downstream", NULL), 1);
        assert_int_equal(give(&s, "acs", "override", "multifunction", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "1G", "4", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "2M", "0:9", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "1G", "8", NULL), 1);
        assert_int_equal(give(&s, "hugepages", NULL, NULL, NULL), 1);
        assert_int_equal(s.iommu, IOMMU_ON);
        assert_true(s.passthrough);
        assert_string_equal(s.acs_override, "multifunction");
        assert_int_equal(s.n_pools, 2);
        assert_string_equal(s.pools[0].count, "8");
        assert_string_equal(s.pools[1].size, "2M");
}

static void has_limits(void **state) {
        struct boot_settings s = {};
        char extra[1100];
        struct err e = {};

        (void) state;
        assert_int_equal(give(&s, "hugepages", "64K", "1", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "2M", "1", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "32M", "1", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "1G", "1", NULL), 1);
        assert_int_equal(give(&s, "hugepages", "16G", "1", &e), -EINVAL);
        assert_int_equal(s.n_pools, HUGEPAGE_POOLS_MAX);
        memset(extra, 'x', sizeof(extra));
        extra[sizeof(extra) - 1] = '\0';
        assert_int_equal(give(&s, "parameters", "extra", extra, &e), -E2BIG);
        assert_non_null(strstr(e.message, "at most 1023 characters"));
}

static void leaves_other_sections_alone(void **state) {
        struct boot_settings s = {};

        (void) state;
        assert_int_equal(give(&s, "helper", "retry", "5s", NULL), 0);
        assert_int_equal(give(&s, "", "enable", "on", NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_and_refuses),
                cmocka_unit_test(keeps_what_was_said_last),
                cmocka_unit_test(has_limits),
                cmocka_unit_test(leaves_other_sections_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
