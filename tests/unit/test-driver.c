/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/str.h"
#include "fake/tree.h"
#include "sys/driver.h"

#define ADDRESS "0000:01:00.0"

/* Just enough of the kernel to see in which order it is asked; takes the place of root_write_attr (--wrap). */
static struct {
        struct tree *tree;
        char log[512];          /* "override=vfio-pci unbind probe " */
        int override_r, unbind_r, probe_r;
        bool override_lost;     /* somebody else writes driver_override again */
        bool unplugged;         /* the function goes away at the unbind */
        bool refused;           /* the driver's probe fails */
        bool unbound_meanwhile; /* the driver lets go just before our unbind */
        const char *rebinds;    /* a driver that takes the function back at once */
        const char *chosen;     /* the driver that the kernel would choose without an override */
} kernel;

int __wrap_root_write_attr(const struct root *root, const char *value, const char *fmt, ...) _printf_(3, 4);

/* All that tests/fake/kernel.c wraps, or the linker would take that file, and with it a second root_write_attr. */
#define PASS_ON(type, name, parameters, ...)            \
        type __real_##name parameters;                  \
        type __wrap_##name parameters;                  \
        type __wrap_##name parameters {                 \
                return __real_##name(__VA_ARGS__);      \
        }
PASS_ON(ssize_t, write, (int fd, const void *buf, size_t size), fd, buf, size)
PASS_ON(int, renameat, (int from_dir, const char *from, int to_dir, const char *to), from_dir, from, to_dir, to)
PASS_ON(int, fsync, (int fd), fd)

static void add_log(const char *what, const char *value) {
        size_t n = strlen(kernel.log);

        assert_int_equal(str_format(kernel.log + n, sizeof(kernel.log) - n, "%s%s%s ", what, *value ? "=" : "",
                                    str_eq(value, "\n") ? "none" : value), 0);
}

static int on_override(const char *value) {
        add_log("override", value);
        if (kernel.override_r < 0)
                return kernel.override_r;
        if (!kernel.override_lost)
                tree_filef(kernel.tree, "/sys/bus/pci/devices/" ADDRESS "/driver_override", "%s\n",
                           str_eq(value, "\n") ? "(null)" : value);
        return 0;
}

static int on_unbind(void) {
        add_log("unbind", "");
        if (kernel.unplugged)
                tree_pci_remove(kernel.tree, ADDRESS);
        if (kernel.unbound_meanwhile)
                tree_pci_bind(kernel.tree, ADDRESS, NULL);
        if (kernel.unbind_r < 0)
                return kernel.unbind_r;
        tree_pci_bind(kernel.tree, ADDRESS, kernel.rebinds);
        return 0;
}

static int on_probe(const struct root *root) {
        struct bdf address = { .bus = 1 };
        struct binding b;
        const char *driver;

        add_log("probe", "");
        if (kernel.probe_r < 0)
                return kernel.probe_r;
        assert_int_equal(binding_read(root, &address, &b, NULL), 0);
        driver = *b.override ? b.override : kernel.chosen;
        if (driver && !kernel.refused && root_exists(root, "/sys/bus/pci/drivers/%s", driver) == 1)
                tree_pci_bind(kernel.tree, ADDRESS, driver);
        return 0;
}

int __wrap_root_write_attr(const struct root *root, const char *value, const char *fmt, ...) {
        char path[256];
        va_list ap;

        va_start(ap, fmt);
        assert_in_range(vsnprintf(path, sizeof(path), fmt, ap), 1, sizeof(path) - 1);
        va_end(ap);
        if (str_eq(path, "/sys/bus/pci/devices/" ADDRESS "/driver_override"))
                return on_override(value);
        assert_string_equal(value, ADDRESS);
        if (str_eq(path, "/sys/bus/pci/drivers_probe"))
                return on_probe(root);
        assert_string_equal(path, "/sys/bus/pci/devices/" ADDRESS "/driver/unbind");
        return on_unbind();
}

/* A card with this driver and override, on a host with the drivers nvidia, nouveau and vfio-pci. */
static const struct root *host(const char *driver, const char *override) {
        static const char *const drivers[] = { "nvidia", "nouveau", "vfio-pci" };

        if (kernel.tree)
                tree_free(kernel.tree);
        memset(&kernel, 0, sizeof(kernel));
        kernel.tree = tree_new();
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
                tree_pci_driver(kernel.tree, drivers[i]);
        tree_pci(kernel.tree, &(struct tree_pci) { ADDRESS, .vendor = 0x10de, .class_code = 0x030000,
                                                   .driver = driver, .override = override });
        return tree_root(kernel.tree);
}

static int teardown(void **state) {
        (void) state;
        if (kernel.tree)
                tree_free(kernel.tree);
        kernel.tree = NULL;
        return 0;
}

static const struct bdf address = { .bus = 1 };

static struct binding binding(const char *driver, const char *override) {
        struct binding b = {};

        assert_int_equal(str_copy(b.driver, sizeof(b.driver), driver), 0);
        assert_int_equal(str_copy(b.override, sizeof(b.override), override), 0);
        return b;
}

static void assert_binding(const struct root *root, const char *driver, const char *override) {
        struct binding b;

        assert_int_equal(binding_read(root, &address, &b, NULL), 0);
        assert_string_equal(b.driver, driver);
        assert_string_equal(b.override, override);
}

static int write_to(const struct root *root, const char *driver, const char *override, struct err *e) {
        struct binding want = binding(driver, override);

        *e = (struct err) {};
        return binding_write(root, &address, &want, e);
}

static void test_order(void **state) {
        static const struct {
                const char *driver, *override;           /* before */
                const char *want_driver, *want_override; /* wanted, and after */
                const char *log;
        } cases[] = {
                { "nvidia", NULL, "vfio-pci", "vfio-pci", "override=vfio-pci unbind probe " },
                { NULL, NULL, "vfio-pci", "vfio-pci", "override=vfio-pci probe " },
                { NULL, "vfio-pci", "vfio-pci", "vfio-pci", "probe " },
                { "nvidia", "vfio-pci", "vfio-pci", "vfio-pci", "unbind probe " },
                { "vfio-pci", "vfio-pci", "nvidia", "", "override=nvidia unbind probe override=none " },
                { "vfio-pci", "vfio-pci", "nvidia", "nvidia", "override=nvidia unbind probe " },
                { "vfio-pci", "vfio-pci", "nvidia", "nouveau",
                  "override=nvidia unbind probe override=nouveau " },
                { "nvidia", NULL, "nvidia", "vfio-pci", "override=vfio-pci " },
                { "nvidia", "nvidia", "nvidia", "", "override=none " },
                { "nvidia", NULL, "nvidia", "", "" },
                { NULL, NULL, "", "", "" },
                { NULL, "vfio-pci", "", "", "override=none " },
                { "vfio-pci", "vfio-pci", "", "", "override=none unbind " },
                { "nvidia", NULL, "", "vfio-pci", "override=vfio-pci unbind " },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct root *root = host(cases[i].driver, cases[i].override);
                struct err e;

                assert_int_equal(write_to(root, cases[i].want_driver, cases[i].want_override, &e), 0);
                assert_string_equal(kernel.log, cases[i].log);
                assert_binding(root, cases[i].want_driver, cases[i].want_override);
                assert_int_equal(e.code, 0);
        }
}

static void test_bad_names(void **state) {
        static const struct {
                const char *driver, *override;
        } cases[] = {
                { "../../etc", "" }, { "vfio-pci", "../../etc" }, { "a/b", "" }, { "", "a\nb" }, { ".", "" },
                { "(null)", "" }, { "vfio-pci", "(null)" }, { "vfio/pci", "" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct root *root = host("nvidia", NULL);
                struct err e;

                assert_int_equal(write_to(root, cases[i].driver, cases[i].override, &e), -EINVAL);
                assert_string_equal(e.id, ERR_INVALID);
                assert_string_equal(kernel.log, "");
                assert_binding(root, "nvidia", "");
        }
}

static void test_gone(void **state) {
        const struct root *root = host("nvidia", NULL);
        struct binding b = binding("x", "y");
        struct err e = {};

        (void) state;
        tree_pci_remove(kernel.tree, ADDRESS);
        assert_int_equal(binding_read(root, &address, &b, &e), -ENODEV);
        assert_string_equal(e.id, ERR_NOT_FOUND);
        assert_string_equal(e.subject, ADDRESS);
        assert_string_equal(b.driver, "x");
        assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), -ENODEV);
        assert_int_equal(binding_auto(root, &address, &b, &e), -ENODEV);
        assert_string_equal(b.driver, "x");
        assert_string_equal(kernel.log, "");

        root = host("nvidia", NULL);
        kernel.unplugged = true;
        kernel.unbind_r = -EIO;
        assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), -ENODEV);
        assert_string_equal(kernel.log, "override=vfio-pci unbind ");
}

static void test_override_fails(void **state) {
        const struct root *root = host("nvidia", NULL);
        struct err e;

        (void) state;
        kernel.override_r = -EACCES;
        assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), -EACCES);
        assert_string_equal(e.id, ERR_PERMISSION);
        assert_string_equal(kernel.log, "override=vfio-pci ");

        root = host("nvidia", NULL);
        kernel.override_lost = true;
        assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), -EIO);
        assert_string_equal(kernel.log, "override=vfio-pci ");
        assert_binding(root, "nvidia", "");
}

static void test_unbind(void **state) {
        static const struct {
                int r;
                bool unbound_meanwhile;
                const char *rebinds;
                int expected;
        } cases[] = {
                { -ENOENT, true, NULL, 0 },
                { -ENODEV, true, NULL, 0 },
                { 0, true, NULL, 0 },
                { 0, false, "vfio-pci", 0 },
                { -ENODEV, false, NULL, -EBUSY },
                { 0, false, "nouveau", -EBUSY },
                { -EIO, false, NULL, -EIO },
                { -EPERM, false, NULL, -EPERM },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct root *root = host("nvidia", NULL);
                struct err e;

                kernel.unbind_r = cases[i].r;
                kernel.unbound_meanwhile = cases[i].unbound_meanwhile;
                kernel.rebinds = cases[i].rebinds;
                assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), cases[i].expected);
                if (cases[i].expected == 0)
                        assert_binding(root, "vfio-pci", "vfio-pci");
                else
                        assert_null(strstr(kernel.log, "probe"));
        }
}

static void test_probe(void **state) {
        const struct root *root = host("nvidia", NULL);
        struct err e;

        (void) state;
        kernel.refused = true;
        assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), -ENXIO);
        assert_non_null(strstr(e.message, "vfio-pci is loaded and did not take it"));
        assert_binding(root, "", "vfio-pci");

        root = host("nvidia", NULL);
        tree_remove(kernel.tree, "/sys/bus/pci/drivers/vfio-pci");
        assert_int_equal(write_to(root, "vfio-pci", "vfio-pci", &e), -ENXIO);
        assert_non_null(strstr(e.message, "modprobe vfio-pci"));

        root = host("vfio-pci", "vfio-pci");
        kernel.probe_r = -EIO;
        assert_int_equal(write_to(root, "nvidia", "", &e), -EIO);
        /* Still aimed: no other driver can take it until somebody has looked. */
        assert_binding(root, "", "nvidia");
}

static void test_auto(void **state) {
        static const struct {
                const char *driver, *override, *chosen;
                const char *expected, *log;
        } cases[] = {
                { NULL, "nvidia", "nouveau", "nouveau", "override=none probe " },
                { NULL, NULL, "nouveau", "nouveau", "probe " },
                { NULL, "nvidia", NULL, "", "override=none probe " },
                { "vfio-pci", "vfio-pci", "nouveau", "vfio-pci", "override=none " },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct root *root = host(cases[i].driver, cases[i].override);
                struct binding b;
                struct err e = {};

                kernel.chosen = cases[i].chosen;
                assert_int_equal(binding_auto(root, &address, &b, &e), 0);
                assert_string_equal(b.driver, cases[i].expected);
                assert_string_equal(b.override, "");
                assert_string_equal(kernel.log, cases[i].log);
        }
}

static void test_auto_fails(void **state) {
        const struct root *root = host(NULL, NULL);
        struct binding b = binding("x", "");
        struct err e = {};

        (void) state;
        kernel.probe_r = -EIO;
        assert_int_equal(binding_auto(root, &address, &b, &e), -EIO);
        assert_string_equal(b.driver, "x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_order, teardown),
                cmocka_unit_test_teardown(test_bad_names, teardown),
                cmocka_unit_test_teardown(test_gone, teardown),
                cmocka_unit_test_teardown(test_override_fails, teardown),
                cmocka_unit_test_teardown(test_unbind, teardown),
                cmocka_unit_test_teardown(test_probe, teardown),
                cmocka_unit_test_teardown(test_auto, teardown),
                cmocka_unit_test_teardown(test_auto_fails, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
