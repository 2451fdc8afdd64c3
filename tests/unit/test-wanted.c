/* SPDX-License-Identifier: GPL-2.0-or-later */

/* From the configuration to the parameters that this host needs. */

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
#include "boot/wanted.h"
#include "fake/tree.h"

#define DMAR "/sys/firmware/acpi/tables/DMAR"
#define IVRS "/sys/firmware/acpi/tables/IVRS"
#define ON "CONFIG_X=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\nCONFIG_Y=y\n"
#define OFF "CONFIG_X=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"

static const struct {
        const char *table, *config, *module_config;
        struct boot_settings settings;
        const char *line, *note;
} cases[] = {
        { DMAR, NULL, NULL, {}, "intel_iommu=on", "" },
        { DMAR, OFF, NULL, {}, "intel_iommu=on", "" },
        { DMAR, ON, NULL, {}, "", "turn the Intel IOMMU on by themselves" },
        { DMAR, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y", NULL, {}, "", "by themselves" },
        { DMAR, "# CONFIG_INTEL_IOMMU_DEFAULT_ON=y\n", NULL, {}, "intel_iommu=on", "" },
        { DMAR, NULL, ON, {}, "", "by themselves" },
        { DMAR, NULL, OFF, {}, "intel_iommu=on", "" },
        { DMAR, ON, OFF, {}, "intel_iommu=on", "" },
        { DMAR, ON, NULL, { .iommu = IOMMU_ON }, "intel_iommu=on", "" },
        { DMAR, ON, NULL, { .iommu = IOMMU_OFF }, "intel_iommu=off", "" },
        { DMAR, ON, NULL, { .passthrough = true }, "iommu=pt", "by themselves" },
        { DMAR, OFF, NULL, { .passthrough = true }, "intel_iommu=on iommu=pt", "" },
        { DMAR, OFF, NULL, { .iommu = IOMMU_OFF, .passthrough = true }, "intel_iommu=off", "" },
        { IVRS, NULL, NULL, {}, "", "no valid value" },
        { IVRS, NULL, NULL, { .iommu = IOMMU_ON }, "", "no valid value" },
        { IVRS, NULL, NULL, { .iommu = IOMMU_OFF }, "amd_iommu=off", "" },
        { IVRS, NULL, NULL, { .extra = "amd_iommu=on" }, "amd_iommu=on", "the kernel ignores it" },
        { NULL, NULL, NULL, {}, "", "announces no IOMMU" },
        { NULL, NULL, NULL, { .iommu = IOMMU_OFF }, "", "" },
        { NULL, NULL, NULL, { .acs_config = "0011101@pci:0:0" }, "pci=config_acs=0011101@pci:0:0", "announces" },
        { NULL, NULL, NULL, { .vfio_ids = "10de:2206" }, "vfio-pci.ids=10de:2206", "announces" },
        { NULL, NULL, NULL, { .pools = { { "1G", "4" }, { "2M", "0:9" } }, .n_pools = 2 },
          "hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=0:9", "announces" },
        { NULL, NULL, NULL, { .extra = " nosmt  foo=\"a b\" nosmt " }, "nosmt foo=\"a b\"", "announces" },
        { NULL, NULL, NULL, { .passthrough = true, .extra = "iommu=pt pci=nomsi pci=noats" },
          "iommu=pt pci=nomsi pci=noats", "announces" },
};

static void asks_for_what_is_needed(void **state) {
        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_tree_ struct tree *t = tree_new();
                char line[1024] = "";
                struct wanted w;
                struct err e = {};

                if (cases[i].table)
                        tree_file(t, cases[i].table, "");
                if (cases[i].config)
                        tree_file(t, "/boot/config-6.1.0-13-amd64", cases[i].config);
                if (cases[i].module_config)
                        tree_file(t, "/lib/modules/6.5.6-300.fc39.x86_64/config", cases[i].module_config);
                if (wanted_find(tree_root(t), &cases[i].settings, &w, &e) < 0)
                        fail_msg("case %zu: %s", i, e.message);
                for (size_t k = 0; k < w.n; k++) {
                        strcat(line, k > 0 ? " " : "");
                        strcat(line, w.list[k]);
                }
                if (!str_eq(line, cases[i].line) || !strstr(w.note, cases[i].note) || !*w.note != !*cases[i].note)
                        fail_msg("case %zu: '%s', note '%s'", i, line, w.note);
        }
}

static void refuses_contradictions_and_too_much(void **state) {
        _cleanup_tree_ struct tree *t = tree_new();
        struct boot_settings s = { .iommu = IOMMU_ON, .extra = "intel-iommu=off" }, many = {}, longest = {};
        struct wanted w;
        struct err e = {};

        (void) state;
        tree_file(t, DMAR, "");
        assert_int_equal(wanted_find(tree_root(t), &s, &w, &e), -EINVAL);
        assert_non_null(strstr(e.message, "both intel_iommu=on and intel-iommu=off"));
        for (int i = 0; i < 40; i++)
                assert_int_equal(str_format(many.extra + strlen(many.extra), 16, "a%d ", i), 0);
        assert_int_equal(wanted_find(tree_root(t), &many, &w, &e), -E2BIG);
        memset(longest.extra, 'x', WANTED_TEXT_MAX);
        assert_int_equal(wanted_find(tree_root(t), &longest, &w, &e), -E2BIG);
        assert_non_null(strstr(e.message, "over 255 characters"));
        longest.extra[WANTED_TEXT_MAX - 1] = '\0';
        assert_int_equal(wanted_find(tree_root(t), &longest, &w, &e), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(asks_for_what_is_needed),
                cmocka_unit_test(refuses_contradictions_and_too_much),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
