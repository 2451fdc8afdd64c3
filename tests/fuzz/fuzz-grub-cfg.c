/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A parameter and, behind the first line end, a grub.cfg: the parameter comes through GRUB's shell as it was, and every
 * kernel line is one. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/grub-shell.h"
#include "model/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

static void check_parameter(const char *parameter) {
        _cleanup_ledger_ struct ledger before = {};
        struct boot_edit edit = { &parameter, 1, &before, {} };
        char quoted[PARAMETER_QUOTED_MAX];
        _cleanup_free_ char *line = NULL;
        const char *pos = parameter;
        struct token t;
        size_t n = 0;

        /* One token, as it comes from the configuration. */
        while (cmdline_next(&pos, &t))
                n++;
        if (n != 1 || !parameter_is_valid(parameter) || t.length != strlen(parameter) || grub_check_wanted(&edit, NULL) < 0 ||
            grub_quote(parameter, quoted, sizeof(quoted)) < 0)
                return;
        line = grub_unquote(quoted, strlen(quoted));
        want(str_eq(line, parameter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *text = strndup((const char *) data, size);
        char *config = strchr(text, '\n');

        if (!config)
                return 0;
        *config++ = '\0';
        check_parameter(text);
        want(grub_cfg_parse(config, "/boot/grub/grub.cfg", &entries) == 0);
        for (size_t i = 0; i < entries.n; i++)
                want(!strchr(entries.list[i].line, '\n') && !strchr(entries.list[i].name, '\n'));
        return 0;
}
