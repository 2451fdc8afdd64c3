/* SPDX-License-Identifier: GPL-2.0-or-later */

/* proxmox-boot-tool keeps several ESPs the same, which are not mounted: those with systemd-boot get the first line of
 * /etc/kernel/cmdline, those with GRUB what grub-mkconfig makes, and nothing on the running system says for sure
 * which is which (or that all are alike). So both places get the parameters: the one that an ESP does not read does
 * no harm. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/grub-default.h"
#include "boot/grub-drop-in.h"
#include "boot/kernel-cmdline.h"
#include "sys/efivar.h"

#define UUIDS "/etc/kernel/proxmox-boot-uuids"
#define VARIABLE "GRUB_CMDLINE_LINUX_DEFAULT"

static enum evidence detect(const struct root *root, char *text, size_t size) {
        _cleanup_free_ char *uuids = NULL;

        if (root_read(root, UUIDS, 64U << 10, &uuids, NULL) < 0 || !*str_strip(uuids))
                return EVIDENCE_NONE;
        (void) str_copy(text, size, UUIDS);
        return EVIDENCE_OWNER;
}

static bool booted_systemd_boot(const struct root *root) {
        char info[64];

        return efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0 && str_starts(info, "systemd-boot");
}

static bool has_grub(const struct root *root) {
        return root_exists(root, "/usr/sbin/grub-mkconfig") > 0 && root_exists(root, GRUB_DEFAULT) > 0;
}

static bool has_root(const char *line) {
        const char *at = strstr(line, "root=");

        return at && (at == line || at[-1] == ' ');
}

/* Adds the first line of /etc/kernel/cmdline, where it is in use: what systemd-boot starts without root= does not
 * come up. Where GRUB is in charge the file may hold anything. */
static int read_cmdline(const struct root *root, struct boot_entries *entries, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries found = {};
        bool needed = booted_systemd_boot(root);
        int r = kernel_cmdline_read(root, KERNEL_CMDLINE_FIRST_LINE, &found, e);

        if (r < 0)
                return r;
        if (found.n > 0 && has_root(found.list[0].line)) {
                *entries = TAKE(found, (struct boot_entries) {});
                return 0;
        }
        if (!needed)
                return 0;
        return err_set(e, -EINVAL, ERR_REFUSED, KERNEL_CMDLINE,
                       "wanted the kernel line with its root= in the first line of %s, which is all that "
                       "systemd-boot gets, "
                       "found %s; write it there", KERNEL_CMDLINE, found.n > 0 ? "no root=" : "no such file");
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r = read_cmdline(root, &entries, e);

        if (r >= 0 && has_grub(root))
                r = root_exists(root, GRUB_DROP_IN) > 0 ?
                            grub_default_read(root, GRUB_DROP_IN, VARIABLE, "ESPs with GRUB", &entries, e) :
                            boot_entries_add(&entries, "ESPs with GRUB", GRUB_DROP_IN, "", false);
        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries cmdline = {};
        const struct boot_entries nothing = {};
        int r = read_cmdline(root, &cmdline, e);

        if (r >= 0 && cmdline.n > 0)
                r = kernel_cmdline_plan(root, edit, NULL, KERNEL_CMDLINE_FIRST_LINE, plan, e);
        if (r >= 0 && has_grub(root))
                r = grub_drop_in_plan(root, &nothing, edit, plan, e);
        if (r < 0 || plan_is_empty(plan))
                return r;
        r = plan_add_command(plan, "writes to all ESPs", "proxmox-boot-tool", "refresh", NULL);
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}

const struct loader loader_proxmox = {
        .name = "proxmox",
        .title = "proxmox-boot-tool",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
