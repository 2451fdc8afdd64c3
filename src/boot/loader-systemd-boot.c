/* SPDX-License-Identifier: GPL-2.0-or-later */

/* systemd-boot with type 1 entries (UAPI.1): the options line of each entry, and /etc/kernel/cmdline for kernels to come,
 * which is always written. */

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/kernel-cmdline.h"
#include "sys/efivar.h"

static enum evidence detect(const struct root *root, char *text, size_t size) {
        char info[64], folder[64];

        if (bls_find_folder(root, folder, sizeof(folder)) < 0)
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "systemd-boot") ? EVIDENCE_BOOTED : EVIDENCE_NONE;
        }
        /* GRUB of Fedora reads the same kind of entries. */
        if (root_exists(root, "/boot/grub2/grub.cfg") > 0)
                return EVIDENCE_NONE;
        for (const char *const *f = boot_folders; *f; f++)
                if (root_exists(root, "%s/EFI/systemd/systemd-bootx64.efi", *f) > 0 ||
                    root_exists(root, "%s/EFI/systemd/systemd-bootaa64.efi", *f) > 0) {
                        (void) str_copy(text, size, folder);
                        return EVIDENCE_FILES;
                }
        return EVIDENCE_NONE;
}

static int find_folder(const struct root *root, char *buf, size_t size, struct err *e) {
        if (bls_find_folder(root, buf, size) < 0)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "loader/entries",
                               "no loader/entries folder in /boot, /efi or /boot/efi: is the EFI system partition mounted?");
        return 0;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        char folder[64];
        struct bls bls = { .folder = folder };
        int r;

        r = find_folder(root, folder, sizeof(folder), e);
        if (r >= 0)
                r = bls_read(root, &bls, &entries, e);
        if (r >= 0)
                r = kernel_cmdline_read(root, &entries, e);
        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *first = NULL;
        char folder[64];
        struct bls bls = { .folder = folder };
        int r;

        r = find_folder(root, folder, sizeof(folder), e);
        if (r >= 0)
                r = bls_plan(root, &bls, edit, plan, &first, e);
        return r < 0 ? r : kernel_cmdline_plan(root, edit, first, false, plan, e);
}

const struct loader loader_systemd_boot = {
        .name = "systemd-boot",
        .title = "systemd-boot with loader/entries",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
