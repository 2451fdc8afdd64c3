/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/file.h"
#include "config/domain-xml.h"
#include "config/profile.h"
#include "config/settings.h"
#include "fake/tree.h"
#include "request-equal.h"

/* What man/ says about the files of /etc/passthru is put into such files: every setting is known, every example is
 * accepted. That no setting is left out is tested by tests/docs. The tests run in the folder of the sources. */

#define CONF "/etc/passthru/passthru.conf"
#define PROFILE "/etc/passthru/domains/win10.conf"

/* The source of a page, with its escapes for '-' and "'" undone. Caller frees. */
static char *page(const char *name) {
        char path[64], *text = calloc(1, 65536), *out;
        FILE *f;

        assert_int_equal(str_format(path, sizeof(path), "man/%s", name), 0);
        f = fopen(path, "re");
        assert_non_null(f);
        assert_non_null(text);
        assert_true(fread(text, 1, 65535, f) > 1000);
        assert_true(feof(f));
        (void) fclose(f);
        out = text;
        for (const char *s = text; *s; s++) {
                if (str_starts(s, "\\-"))
                        s++;
                if (str_starts(s, "\\(aq")) {
                        *out++ = '\'';
                        s += 3;
                } else
                        *out++ = *s;
        }
        *out = '\0';
        return text;
}

/* The next block between .EX and .EE; *text moves behind it. NULL: there is none. Caller frees. */
static char *next_example(const char **text) {
        const char *start = strstr(*text, "\n.EX\n"), *end = start ? strstr(start, "\n.EE\n") : NULL;

        if (!end)
                return NULL;
        *text = end + 1;
        return strndup(start + 5, (size_t) (end + 1 - start - 5));
}

/* The next setting of a page: its section and its key. */
static bool next_setting(const char **line, char section[static 64], char key[static 64]) {
        bool is_tag = false;

        for (; **line; *line += strcspn(*line, "\n") + 1) {
                const char *s = *line;

                if (str_starts(s, ".SH"))
                        (void) (sscanf(s, ".SH \"[%63[^]]]\"", section) == 1 || (*section = '\0'));
                if (is_tag && *section && sscanf(s, ".%*[BIR] %63[^= ]", key) == 1) {
                        *line += strcspn(*line, "\n") + 1;
                        return true;
                }
                is_tag = str_starts(s, ".TP");
        }
        return false;
}

static int load(const char *text, struct settings *ret, struct err *e) {
        _cleanup_tree_ struct tree *t = tree_new();

        tree_file(t, CONF, text);
        return settings_load(tree_root(t), ret, e);
}

static bool is_unknown(const struct err *e) {
        return strstr(e->message, "unknown setting") || strstr(e->message, "wanted the section");
}

static void test_settings(void **state) {
        _cleanup_free_ char *text = page("passthru.conf.5");
        const char *line = text;
        char section[64] = "", key[64], conf[256];
        struct settings s;
        size_t n = 0;

        (void) state;
        for (; next_setting(&line, section, key); n++) {
                struct err e = {};

                (void) str_format(conf, sizeof(conf), "[%s]\n%s=\n", section, str_eq(key, "SIZE") ? "2M" : key);
                (void) load(conf, &s, &e);
                if (is_unknown(&e))
                        fail_msg("[%s] %s: %s", section, key, e.message);
        }
        assert_true(n >= 12);
}

static void test_unknown_settings(void **state) {
        static const char *const texts[] = { "[lease]\ndeadlin=\n", "[acs]\noverrides=\n", "[iommus]\nenable=\n" };
        struct settings s;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct err e = {};

                assert_true(load(texts[i], &s, &e) < 0);
                assert_true(is_unknown(&e));
        }
}

static void test_settings_examples(void **state) {
        _cleanup_free_ char *text = page("passthru.conf.5");
        const char *rest = text;
        struct settings s = {};
        char *example;
        size_t n = 0;

        (void) state;
        for (; (example = next_example(&rest)); n++) {
                struct err e = {};

                if (load(example, &s, &e) < 0)
                        fail_msg("%s\n%s", e.message, example);
                free(example);
        }
        assert_true(n >= 2);
        /* The last one has all of them. */
        assert_int_equal(s.boot.iommu, IOMMU_ON);
        assert_true(*s.boot.acs_override && *s.boot.acs_config && *s.boot.vfio_ids);
        assert_true(*s.boot.extra && *s.boot.kernel);
        assert_int_equal(s.boot.n_pools, 1);
}

static void test_profile(void **state) {
        _cleanup_free_ char *text = page("passthru-domain.conf.5");
        const char *line = text;
        char section[64] = "", key[64], conf[256];
        size_t n = 0;

        (void) state;
        for (; next_setting(&line, section, key); n++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct request q = { .domain = "win10" };
                struct err e = {};

                (void) str_format(conf, sizeof(conf), "[%s]\n%s=\n",
                                  str_eq(section, "device ADDRESS") ? "device 0000:01:00.0" : section, key);
                tree_file(t, PROFILE, conf);
                (void) profile_apply(tree_root(t), &q, NULL, &e);
                if (is_unknown(&e))
                        fail_msg("[%s] %s: %s", section, key, e.message);
        }
        assert_true(n >= 16);
}

/* The page says that both are the same. */
static void test_profile_and_metadata(void **state) {
        _cleanup_free_ char *text = page("passthru-domain.conf.5"), *profile = NULL, *xml = NULL, *without = NULL;
        _cleanup_tree_ struct tree *t = tree_new();
        struct request from_profile = { .domain = "win10" }, from_xml = {}, no_xml = { .domain = "win10" };
        const char *rest = text;
        struct err e = {};

        (void) state;
        profile = next_example(&rest);
        xml = next_example(&rest);
        without = next_example(&rest);
        assert_true(profile && xml && without);
        tree_file(t, PROFILE, profile);
        if (profile_apply(tree_root(t), &from_profile, NULL, &e) < 0 ||
            domain_xml_parse(xml, strlen(xml), &from_xml, &e) < 0)
                fail_msg("%s", e.message);
        assert_true(request_equal(&from_profile, &from_xml));
        assert_int_equal(from_xml.n_devices, 2);
        assert_int_equal(from_xml.group, GROUP_STRICT);
        assert_true(from_xml.boot_vga);
        assert_true(from_xml.isolate && from_xml.cpufreq_all && from_xml.keep_hugepages);
        assert_string_equal(from_xml.governor, "performance");
        assert_string_equal(from_xml.epp, "performance");
        assert_int_equal(from_xml.n_services, 1);
        assert_string_equal(from_xml.devices[0].reset_method, "bus");
        assert_string_equal(from_xml.devices[0].d3cold, "0");
        assert_string_equal(from_xml.devices[0].runtime_pm, "on");

        /* What the XML has elements of its own for. */
        tree_file(t, PROFILE, without);
        if (profile_apply(tree_root(t), &no_xml, NULL, &e) < 0)
                fail_msg("%s", e.message);
        assert_int_equal(no_xml.n_memory, 1);
        assert_int_equal(cpu_set_count(&no_xml.cpus), 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_settings),
                cmocka_unit_test(test_unknown_settings),
                cmocka_unit_test(test_settings_examples),
                cmocka_unit_test(test_profile),
                cmocka_unit_test(test_profile_and_metadata),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
