/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRUB's shell: what a line in grub.cfg means to the kernel, and how a parameter has to be written to get there. */

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
#include "base/command.h"
#include "boot/grub-shell.h"

static void reads_words(void **state) {
        static const struct {
                const char *text, *line;
        } cases[] = {
                { "root=UUID=1 ro  quiet ", "root=UUID=1 ro quiet" },
                { "a=1;b=2", "a=1" },
                { "a=1\\;b=2", "a=1;b=2" },
                { "a=1 # b", "a=1" },
                { "a=1#b", "a=1#b" },
                { "a='1;2' \"b;c\"", "a=1;2 b;c" },
                { "foo=\"a b\" c", "\"foo=a b\" c" },
                { "a=\"x\\$y\\z\"", "a=x$y\\\\z" },
                { "a='x\\y'", "a=x\\\\y" },
                { "a=\\\"x", "a=\\\"x" },
                { "quiet $vt_handoff", "quiet $vt_handoff" },
                { "a & b", "a" },
                { "a { b", "a" },
                { "", "" },
                { "a\\", "a\\\\" },
                { "'open", "open" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *line = grub_unquote(cases[i].text, strlen(cases[i].text));

                assert_string_equal(line, cases[i].line);
        }
}

static const char config[] =
        "linux /lost\n"
        "### BEGIN /etc/grub.d/10_linux ###\n"
        "menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {\n"
        "\tlinux\t/boot/vmlinuz-6.1 root=UUID=1 ro  quiet\n"
        "\tinitrd /boot/initrd\n"
        "}\n"
        "submenu 'Advanced' {\n"
        "\tmenuentry 'Debian, mit Linux (Wiederherstellungsmodus)' $menuentry_id_option 'gnulinux-6.1-recovery-1' {\n"
        "\t\tlinux /boot/vmlinuz-6.1 root=UUID=1 ro single\n"
        "\t}\n"
        "}\n"
        "### END /etc/grub.d/10_linux ###\n"
        "### BEGIN /etc/grub.d/20_memtest86+ ###\n"
        "menuentry \"memtest\" {\n linux16 /memtest.bin console=ttyS0\n}\n"
        "### END /etc/grub.d/20_memtest86+ ###\n"
        "### BEGIN /etc/grub.d/30_os-prober ###\n"
        "menuentry 'Other' {\n linux /boot/vmlinuz root=/dev/sda3\n}\n"
        "### END /etc/grub.d/30_os-prober ###\n"
        "menuentry 'mine' {\n linuxefi /v\n linux\n linuxx /v a\n}";

static void reads_a_configuration(void **state) {
        static const struct {
                const char *name, *line;
                bool untouched;
        } wanted[] = {
                { "(no title)", "", false },
                { "Debian GNU/Linux", "root=UUID=1 ro quiet", false },
                { "Debian, mit Linux (Wiederherstellungsmodus)", "root=UUID=1 ro single", true },
                { "memtest", "console=ttyS0", true },
                { "Other", "root=/dev/sda3", true },
                { "mine", "", false },
        };
        _cleanup_boot_entries_ struct boot_entries entries = {};

        (void) state;
        assert_int_equal(grub_cfg_parse(config, "/boot/grub/grub.cfg", &entries), 0);
        assert_int_equal(entries.n, ARRAY_SIZE(wanted));
        for (size_t i = 0; i < entries.n; i++) {
                assert_string_equal(entries.list[i].name, wanted[i].name);
                assert_string_equal(entries.list[i].line, wanted[i].line);
                assert_int_equal(entries.list[i].untouched, wanted[i].untouched);
        }
}

/* A real sh reads what is written for it, and our reading of GRUB's what sh makes of it. */
static void comes_through_both_shells(void **state) {
        static const char *const parameters[] = {
                "iommu=pt",          "pci=config_acs=0011101@pci:0:0;xxxxxx1@0000:00:1c.0", "a=$HOME$(id)`id`",
                "hugepagesz=1G hugepages=0:2,1:2", "a=#b!c~d*e?f[g]h{i}<j>|k&l", "a=%s%%", "snd.x=ä€",
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
                char quoted[PARAMETER_QUOTED_MAX], script[2 * PARAMETER_QUOTED_MAX], name[] = "sh", option[] = "-c";
                _cleanup_free_ char *value = NULL, *line = NULL, *direct = NULL;

                assert_int_equal(grub_quote_for_sh(parameters[i], quoted, sizeof(quoted)), 0);
                assert_int_equal(str_format(script, sizeof(script), "A=\"$A %s\"; printf '%%s' \"$A\"", quoted), 0);
                assert_int_equal(command_run(NULL, NULL, (char *[]) { name, option, script, NULL }, &value), 0);
                line = grub_unquote(value, strlen(value));
                assert_string_equal(line, parameters[i]);
                assert_int_equal(grub_quote(parameters[i], quoted, sizeof(quoted)), 0);
                direct = grub_unquote(quoted, strlen(quoted));
                assert_string_equal(direct, parameters[i]);
        }
}

static void refuses_what_grub_changes(void **state) {
        static const char *const parameters[] = { "a=\"b c\"", "a='b'", "a=\\x41" };
        _cleanup_ledger_ struct ledger before = {};
        char small[8];

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
                struct boot_edit edit = { &parameters[i], 1, &before, {} };
                struct err e = {};

                assert_int_equal(grub_check_wanted(&edit, &e), -EINVAL);
                assert_non_null(strstr(e.message, parameters[i]));
        }
        assert_int_equal(grub_quote("a=12345678", small, sizeof(small)), -ENAMETOOLONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_words),
                cmocka_unit_test(reads_a_configuration),
                cmocka_unit_test(comes_through_both_shells),
                cmocka_unit_test(refuses_what_grub_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
