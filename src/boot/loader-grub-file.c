/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRUB where grub-mkconfig reads no drop-ins (Arch, openSUSE, Gentoo): GRUB_CMDLINE_LINUX_DEFAULT, which recovery
 * entries do not get, in /etc/default/grub. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "boot/grub-default.h"
#include "boot/grub-shell.h"
#include "sys/efivar.h"

#define VARIABLE "GRUB_CMDLINE_LINUX_DEFAULT"

/* The names that distributions give to the same things. */
static const struct grub_kind {
        const char *program, *command, *config;
} kinds[] = {
        { "/usr/sbin/grub2-mkconfig", "grub2-mkconfig", "/boot/grub2/grub.cfg" },
        { "/usr/bin/grub2-mkconfig", "grub2-mkconfig", "/boot/grub2/grub.cfg" },
        { "/usr/sbin/grub-mkconfig", "grub-mkconfig", "/boot/grub/grub.cfg" },
        { "/usr/bin/grub-mkconfig", "grub-mkconfig", "/boot/grub/grub.cfg" },
};

static const struct grub_kind *find_kind(const struct root *root) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (root_exists(root, "%s", kinds[i].program) > 0 && root_exists(root, "%s", kinds[i].config) > 0)
                        return &kinds[i];
        return NULL;
}

static enum evidence detect(const struct root *root, char *text, size_t size) {
        const struct grub_kind *kind = find_kind(root);
        _cleanup_free_ char *mkconfig = NULL;
        char blscfg[8], info[64];

        if (!kind || grub_default_get(root, "GRUB_ENABLE_BLSCFG", blscfg, sizeof(blscfg)) < 0 ||
            str_eq(blscfg, "true") || root_read(root, kind->program, 1U << 20, &mkconfig, NULL) < 0 ||
            strstr(mkconfig, "/default/grub.d"))
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "GRUB") ? EVIDENCE_BOOTED : EVIDENCE_FILES;
        }
        (void) str_copy(text, size, kind->config);
        return EVIDENCE_FILES;
}

static const struct grub_kind *need_kind(const struct root *root, struct err *e) {
        const struct grub_kind *kind = find_kind(root);

        if (!kind)
                (void) err_set(e, -ENOENT, ERR_NOT_FOUND, "grub.cfg",
                               "wanted grub-mkconfig with /boot/grub/grub.cfg or grub2-mkconfig with "
                               "/boot/grub2/grub.cfg, found neither: is /boot mounted?");
        return kind;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        const struct grub_kind *kind = need_kind(root, e);
        int r = kind ? grub_cfg_read(root, kind->config, &entries, e) : -ENOENT;

        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        const struct grub_kind *kind = need_kind(root, e);
        int r;

        if (!kind)
                return -ENOENT;
        r = grub_check_wanted(edit, e);
        if (r >= 0)
                r = grub_default_plan(root, edit, VARIABLE, plan, e);
        if (r < 0 || plan_is_empty(plan))
                return r;
        r = plan_add_command(plan, "writes grub.cfg", kind->command, "-o", kind->config, NULL);
        return r < 0 ? err_set(e, r, ERR_FAILED, GRUB_DEFAULT, "%s: %s", kind->command, strerror(-r)) : 0;
}

const struct loader loader_grub_file = {
        .name = "grub-file",
        .title = "GRUB with " GRUB_DEFAULT,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
