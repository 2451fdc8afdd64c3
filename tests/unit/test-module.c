/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "fake/tree.h"
#include "sys/module.h"

static void test_loaded(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct err e = {};

        (void) state;
        tree_dir(t, "/sys/module/vfio_pci");
        assert_true(module_is_loaded(tree_root(t), "vfio_pci"));
        assert_true(module_is_loaded(tree_root(t), "vfio-pci"));
        assert_false(module_is_loaded(tree_root(t), "vfio"));
        assert_false(module_is_loaded(tree_root(t), "../module/vfio_pci"));
        assert_false(module_is_loaded(tree_root(t), ".."));
        assert_false(module_is_loaded(tree_root(t), ""));
        assert_int_equal(module_ensure(tree_root(t), "vfio-pci", &e), 0);
        assert_int_equal(e.code, 0);
}

static void test_not_live(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct err e = {};

        (void) state;
        assert_int_equal(module_ensure(tree_root(t), "vfio-pci", &e), -EOPNOTSUPP);
        assert_string_equal(e.id, ERR_NOT_SUPPORTED);
        assert_string_equal(e.subject, "vfio-pci");
}

static void test_bad_names(void **state) {
        static const char *const names[] = { "", ".", "..", "a/b", " a", "a ", "a\n", "$(id)" };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct err e = {};

                assert_int_equal(module_ensure(tree_root(t), names[i], &e), -EINVAL);
                assert_string_equal(e.id, ERR_INVALID);
        }
}

/* The bus, systemd and the kernel behind it. */
static struct {
        struct tree *tree;
        int open, start, property; /* what each returns when it fails */
        unsigned polls;            /* the job is there that often */
        bool loads;
        char unit[128];
} host;

bool __wrap_root_is_live(const struct root *root);
int __wrap_sd_bus_open_system(sd_bus **ret);
sd_bus *__wrap_sd_bus_flush_close_unref(sd_bus *bus);
int __wrap_sd_bus_call_method(sd_bus *bus, const char *destination, const char *path, const char *interface,
                              const char *member, sd_bus_error *error, sd_bus_message **ret, const char *types, ...);
int __wrap_sd_bus_message_read(sd_bus_message *m, const char *types, ...);
sd_bus_message *__wrap_sd_bus_message_unref(sd_bus_message *m);
int __wrap_sd_bus_get_property_string(sd_bus *bus, const char *destination, const char *path, const char *interface,
                                      const char *member, sd_bus_error *error, char **ret);

bool __wrap_root_is_live(const struct root *root) {
        (void) root;
        return host.tree;
}

int __wrap_sd_bus_open_system(sd_bus **ret) {
        (void) ret;
        return host.open;
}

sd_bus *__wrap_sd_bus_flush_close_unref(sd_bus *bus) {
        assert_null(bus);
        return NULL;
}

int __wrap_sd_bus_call_method(sd_bus *bus, const char *destination, const char *path, const char *interface,
                              const char *member, sd_bus_error *error, sd_bus_message **ret, const char *types, ...) {
        va_list ap;

        (void) bus, (void) destination, (void) path, (void) interface, (void) ret;
        assert_string_equal(member, "StartUnit");
        assert_string_equal(types, "ss");
        va_start(ap, types);
        assert_int_equal(str_copy(host.unit, sizeof(host.unit), va_arg(ap, const char *)), 0);
        assert_string_equal(va_arg(ap, const char *), "replace");
        va_end(ap);
        if (host.start < 0)
                return sd_bus_error_set_const(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit not found.");
        return 1;
}

int __wrap_sd_bus_message_read(sd_bus_message *m, const char *types, ...) {
        va_list ap;

        (void) m;
        assert_string_equal(types, "o");
        va_start(ap, types);
        *va_arg(ap, const char **) = "/org/freedesktop/systemd1/job/7";
        va_end(ap);
        return 1;
}

sd_bus_message *__wrap_sd_bus_message_unref(sd_bus_message *m) {
        assert_null(m);
        return NULL;
}

int __wrap_sd_bus_get_property_string(sd_bus *bus, const char *destination, const char *path, const char *interface,
                                      const char *member, sd_bus_error *error, char **ret) {
        (void) bus, (void) destination, (void) interface;
        assert_string_equal(path, "/org/freedesktop/systemd1/job/7");
        assert_string_equal(member, "State");
        if (host.property < 0)
                return host.property;
        if (host.polls-- > 0) {
                *ret = strdup("running");
                return 0;
        }
        if (host.loads)
                tree_dir(host.tree, "/sys/module/nvgrace_gpu_vfio_pci");
        return sd_bus_error_set_const(error, SD_BUS_ERROR_UNKNOWN_OBJECT, "Unknown object.");
}

static void test_load(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct err e = {};

        (void) state;
        host = (typeof(host)) { .tree = t, .polls = 3, .loads = true };
        assert_int_equal(module_ensure(tree_root(t), "nvgrace-gpu-vfio-pci", &e), 0);
        assert_string_equal(host.unit, "modprobe@nvgrace-gpu-vfio-pci.service");
        host.unit[0] = '\0';
        assert_int_equal(module_ensure(tree_root(t), "nvgrace-gpu-vfio-pci", &e), 0);
        assert_string_equal(host.unit, ""); /* it is there now */
}

static void test_load_fails(void **state) {
        static const struct {
                int open, start, property, r;
                const char *id, *says;
        } cases[] = {
                { -EHOSTDOWN, 0, 0, 0, ERR_FAILED, "; try 'modprobe vfio-pci'" },
                { 0, -ENOENT, 0, 0, ERR_FAILED, "; try 'modprobe vfio-pci'" },
                { 0, 0, -ECONNRESET, -ECONNRESET, ERR_FAILED, "modprobe@vfio-pci.service" },
                { 0, 0, 0, -ENOENT, ERR_NOT_FOUND, "'modprobe vfio-pci' says why" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                struct err e = {};
                int r;

                host = (typeof(host)) { t, cases[i].open, cases[i].start, cases[i].property, 1, false, "" };
                r = module_ensure(tree_root(t), "vfio-pci", &e);
                assert_true(r < 0 && r == e.code);
                if (cases[i].r)
                        assert_int_equal(r, cases[i].r);
                assert_string_equal(e.id, cases[i].id);
                assert_string_equal(e.subject, "vfio-pci");
                if (!strstr(e.message, cases[i].says))
                        fail_msg("wanted '%s' in '%s'", cases[i].says, e.message);
        }
        host = (typeof(host)) {};
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_loaded),
                cmocka_unit_test(test_not_live),
                cmocka_unit_test(test_bad_names),
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_load_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
