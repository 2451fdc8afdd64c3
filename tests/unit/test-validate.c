/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is refused before anything is written, since it would do nothing, or stop the boot. */

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
#include "boot/kernels.h"
#include "boot/validate.h"
#include "fake/tree.h"

#define NODE "/sys/devices/system/node/node"
#define PAGES "/sys/kernel/mm/hugepages/hugepages-"
#define POOLS(...) .pools = { __VA_ARGS__ }, .n_pools = sizeof((const char *[][2]) { __VA_ARGS__ }) / sizeof(const char *[2])

/* At most this many files of the host. */
#define FILES 4

struct test {
        struct boot_settings settings;
        struct {
                const char *path, *text;
        } files[FILES];
        const char *line, *ours; /* of one entry; a parameter that is ours in it */
        bool force;
        int r;
        const char *error;
};

static char big[8192];

static const struct test cases[] = {
        /* the ACS patch */
        { { .acs_override = "downstream" }, {}, NULL, NULL, false, -EOPNOTSUPP, "could be found" },
        { { .acs_override = "downstream" }, {}, NULL, NULL, true, 0, NULL },
        { { .acs_override = "downstream" }, { { "/boot/System.map-6.1.0", "ffff T pcie_acs_override_setup\n" } }, NULL, NULL, false,
          0, NULL },
        { { .acs_override = "downstream" }, { { "/lib/modules/6.1.0/System.map", "ffff T pcie_acs_override_setup\n" } }, NULL, NULL,
          false, 0, NULL },
        { { .acs_override = "downstream" }, { { "/proc/kallsyms", "0000 t pcie_acs_override_setup\n" } }, NULL, NULL, false, 0,
          NULL },
        { { .acs_override = "downstream" }, { { "/boot/System.map-6.1.0", "ffff B The real System.map is elsewhere\n" } }, NULL,
          NULL, false, -EOPNOTSUPP, "no System.map has symbols" },
        { { .acs_override = "downstream" }, { { "/boot/System.map-6.1.0", big } }, NULL, NULL, false, -EOPNOTSUPP,
          "ACS override patch, so" },
        { { .acs_override = "downstream" }, { { "/boot/System.mapper", "pcie_acs_override" } }, NULL, NULL, false, -EOPNOTSUPP,
          "could be found" },

        /* config_acs is younger than the kernel */
        { { .acs_config = "0011101@pci:0:0" }, {}, NULL, NULL, false, 0, NULL },
        { { .acs_config = "0011101@pci:0:0" }, { { "/boot/vmlinuz-6.1.0-13-amd64", "" } }, NULL, NULL, false, -EOPNOTSUPP,
          "needs Linux 6.11, and the newest kernel that is installed is 6.1, which" },
        { { .acs_config = "0011101@pci:0:0" }, { { "/boot/vmlinuz-6.1.0-13-amd64", "" } }, NULL, NULL, true, 0, NULL },
        { { .acs_config = "0011101@pci:0:0" },
          { { "/boot/vmlinuz-6.1.0-13-amd64", "" }, { "/lib/modules/6.11.2/modules.dep", "" } }, NULL, NULL, false, 0, NULL },

        /* sizes */
        { { POOLS({ "1G", "1" }) }, { { PAGES "2048kB/nr_hugepages", "0" } }, NULL, NULL, true, -EOPNOTSUPP,
          "1G: this machine has no pages of that size; /sys/kernel/mm/hugepages has hugepages-2048kB" },
        { { POOLS({ "2M", "1" }) }, { { PAGES "2048kB/nr_hugepages", "0" } }, NULL, NULL, false, 0, NULL },
        { { POOLS({ "64K", "1" }) }, { { PAGES "64kB/nr_hugepages", "0" } }, NULL, NULL, false, 0, NULL },

        /* memory: 4 GiB, in two nodes */
        { { POOLS({ "1G", "4" }) }, { { "/proc/meminfo", "MemTotal:        4194304 kB\nMemFree: 1 kB\n" } }, NULL, NULL, true,
          -ENOMEM, "has 4096 MiB of memory, and 4096 MiB of hugepages are wanted" },
        { { POOLS({ "1G", "3" }) }, { { "/proc/meminfo", "MemTotal:        4194304 kB\n" } }, NULL, NULL, false, 0, NULL },
        { { POOLS({ "1G", "3" }, { "2M", "400" }) }, { { "/proc/meminfo", "MemTotal:        4194304 kB\n" } }, NULL, NULL, false,
          -ENOMEM, "3872 MiB of hugepages" },
        { { POOLS({ "1G", "0:1,1:3" }) },
          { { NODE "0/meminfo", "Node 0 MemTotal: 2097152 kB\n" }, { NODE "1/meminfo", "Node 1 MemTotal: 2097152 kB\n" } }, NULL,
          NULL, false, -ENOMEM, "node 1 has 2048 MiB of memory, and 3072 MiB" },
        { { POOLS({ "1G", "0:1,1:1" }, { "2M", "1:600" }) },
          { { NODE "0/meminfo", "Node 0 MemTotal: 2097152 kB\n" }, { NODE "1/meminfo", "Node 1 MemTotal: 2097152 kB\n" } }, NULL,
          NULL, false, -ENOMEM, "node 1 has 2048 MiB of memory, and 2224 MiB" },
        { { POOLS({ "1G", "0:1,1:2" }) },
          { { NODE "0/meminfo", "Node 0 MemTotal: 2097152 kB\n" }, { NODE "1/meminfo", "Node 1 MemTotal: 2097152 kB\n" } }, NULL,
          NULL, false, 0, NULL },
        { { POOLS({ "2M", "2:5" }) }, { { NODE "0/meminfo", "Node 0 MemTotal: 2097152 kB\n" } }, NULL, NULL, false, -ENOENT,
          "no memory node 2" },
        { { POOLS({ "2M", "9999:5" }) }, { { NODE "0/meminfo", "Node 0 MemTotal: 2097152 kB\n" } }, NULL, NULL, false, -ENOENT,
          "no memory node 9999" },
        { { POOLS({ "2M", "2:5" }) }, {}, NULL, NULL, false, 0, NULL },

        /* the same size twice */
        { { POOLS({ "1G", "4" }) }, {}, "root=1 hugepagesz=1G hugepages=2", NULL, true, -EEXIST,
          "'entry' has a hugepagesz=1G that is not ours" },
        { { POOLS({ "1G", "4" }) }, {}, "root=1 hugepagesz=1g hugepages=2", NULL, false, -EEXIST, "hugepagesz=1g that is not ours" },
        { { POOLS({ "1G", "4" }) }, {}, "root=1 hugepagesz=1G hugepages=4", NULL, false, 0, NULL },
        { { POOLS({ "1G", "4" }) }, {}, "root=1 hugepagesz=1G hugepages=2", "hugepagesz=1G hugepages=2", false, 0, NULL },
        { { POOLS({ "1G", "4" }) }, {}, "root=1 hugepagesz=2M hugepages=2", NULL, false, 0, NULL },

        /* hugetlb_cma= */
        { { POOLS({ "1G", "4" }) }, {}, "root=1 hugetlb_cma=2G", NULL, true, -EINVAL,
          "entry has hugetlb_cma=2G, with which the kernel reserves no 1G pages at boot" },
        { { POOLS({ "1G", "4" }), .extra = "hugetlb_cma=0:1G" }, {}, "root=1", NULL, true, -EINVAL,
          "passthru.conf has hugetlb_cma=0:1G" },
        { { POOLS({ "2M", "4" }) }, {}, "root=1 hugetlb_cma=2G", NULL, false, 0, NULL },

        /* other owners */
        { { .extra = "isolcpus=2-3" }, { { "/etc/tuned/bootcmdline", "# tuned\nTUNED_BOOT_CMDLINE=\"skew_tick=1 isolcpus=1\"\n" } },
          NULL, NULL, false, -EEXIST, "isolcpus=2-3: tuned sets isolcpus=1 (/etc/tuned/bootcmdline)" },
        { { .extra = "isolcpus=2-3" }, { { "/etc/tuned/bootcmdline", "TUNED_BOOT_CMDLINE=\"skew_tick=1 isolcpus=1\"\n" } }, NULL,
          NULL, true, 0, NULL },
        { { .extra = "isolcpus=2-3" }, { { "/etc/tuned/bootcmdline", "TUNED_BOOT_CMDLINE=\"\"\nX=\"isolcpus=1\"\n" } }, NULL,
          NULL, false, 0, NULL },
        { { .extra = "isol=2-3" }, { { "/etc/tuned/bootcmdline", "TUNED_BOOT_CMDLINE=\"isolcpus=1\"\n" } }, NULL, NULL, false, 0,
          NULL },
        { { .extra = "pci=nomsi" }, { { "/etc/tuned/bootcmdline", "TUNED_BOOT_CMDLINE=\"pci=noats\"\n" } }, NULL, NULL, false, 0,
          NULL },
        { { .extra = "crashkernel=512M" }, { { "/etc/kdump.conf", "" } }, NULL, NULL, false, -EEXIST, "kdump owns this parameter" },
        { { .extra = "crashkernel=512M" }, { { "/etc/kdump.conf", "" } }, NULL, NULL, true, 0, NULL },
        { { .extra = "crashkernel=512M" }, {}, NULL, NULL, false, 0, NULL },
};

static void refuses_what_would_not_work(void **state) {
        (void) state;
        memset(big, 'x', sizeof(big) - 1);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct test *c = &cases[i];
                _cleanup_boot_entries_ struct boot_entries entries = {};
                _cleanup_ledger_ struct ledger ledger = {};
                _cleanup_tree_ struct tree *t = tree_new();
                struct wanted w;
                struct err e = {};
                int r;

                for (size_t k = 0; k < FILES && c->files[k].path; k++)
                        tree_file(t, c->files[k].path, c->files[k].text);
                if (c->line)
                        assert_int_equal(boot_entries_add(&entries, "entry", "/entry", c->line, false), 0);
                if (c->ours)
                        assert_int_equal(ledger_own(&ledger, "/entry", c->ours), 0);
                assert_int_equal(wanted_find(tree_root(t), &c->settings, &w, &e), 0);
                r = wanted_validate(tree_root(t), &c->settings, &w, &ledger, &entries, c->force, &e);
                if (r != c->r || (c->error && !strstr(e.message, c->error)))
                        fail_msg("case %zu: %d %s", i, r, e.message);
        }
}

/* A recovery entry is not edited: what it says does not matter. */
static void leaves_other_lines_alone(void **state) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        static const struct boot_settings s = { POOLS({ "1G", "4" }) };
        _cleanup_tree_ struct tree *t = tree_new();
        struct ledger ledger = {};
        struct wanted w;
        struct err e = {};

        (void) state;
        assert_int_equal(boot_entries_add(&entries, "recovery", "/entry", "hugepagesz=1G hugepages=1 hugetlb_cma=1G", true), 0);
        assert_int_equal(wanted_find(tree_root(t), &s, &w, &e), 0);
        assert_int_equal(wanted_validate(tree_root(t), &s, &w, &ledger, &entries, false, &e), 0);
}

static void knows_the_newest_kernel(void **state) {
        static const struct {
                const char *path;
                unsigned newest;
        } steps[] = {
                { "/boot/grub/grub.cfg", 0 },         { "/boot/vmlinuz-linux", 0 },
                { "/boot/vmlinuz-5.9.1", 509 },       { "/lib/modules/5.10.0/x", 510 },
                { "/boot/initrd.img-7.0", 510 },      { "/boot/vmlinuz-6.12.1+deb", 612 },
                { "/lib/modules/6.9/x", 612 },        { "/lib/modules/junk/x", 612 },
        };
        _cleanup_tree_ struct tree *t = tree_new();

        (void) state;
        assert_int_equal(kernels_newest(tree_root(t)), 0);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                tree_file(t, steps[i].path, "");
                assert_int_equal(kernels_newest(tree_root(t)), steps[i].newest);
        }
}

static void knows_what_this_kernel_ignores(void **state) {
        static const struct {
                const char *release, *symbols, *parameter;
                bool ignored;
        } kernels[] = {
                { NULL, NULL, "amd_iommu=on", true },
                { NULL, NULL, "iommu=pt", false },
                { NULL, NULL, "pci=config_acs=0011101@pci:0:0", false },
                { "6.1.0-13-amd64", NULL, "pci=config_acs=0011101@pci:0:0", true },
                { "6.11.0", NULL, "pci=config_acs=0011101@pci:0:0", false },
                { "6.1.0-13-amd64", NULL, "pci=nomsi", false },
                { "6.1.0", NULL, "pcie_acs_override=downstream", false },
                { "6.1.0", "0000 t pci_enable_acs\n", "pcie_acs_override=downstream", true },
                { "6.1.0", "0000 t pcie_acs_overrides\n", "pcie_acs_override=downstream", false },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
                _cleanup_tree_ struct tree *t = tree_new();

                if (kernels[i].release)
                        tree_filef(t, "/proc/sys/kernel/osrelease", "%s\n", kernels[i].release);
                if (kernels[i].symbols)
                        tree_file(t, "/proc/kallsyms", kernels[i].symbols);
                if (kernel_ignores(tree_root(t), kernels[i].parameter) != kernels[i].ignored)
                        fail_msg("case %zu", i);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(refuses_what_would_not_work),
                cmocka_unit_test(leaves_other_lines_alone),
                cmocka_unit_test(knows_the_newest_kernel),
                cmocka_unit_test(knows_what_this_kernel_ignores),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
