/* SPDX-License-Identifier: GPL-2.0-or-later */

/* sdbootutil (openSUSE) writes the entries of systemd-boot or of GRUB with boot loader entries from
 * /etc/kernel/cmdline, with each snapshot's own subvolume. /etc/default/grub has no effect here. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/kernel-cmdline.h"
#include "sys/efivar.h"

#define SYSCONFIG "/etc/sysconfig/bootloader"

/* LOADER_TYPE="grub2-bls": the value, "" when it is not set. */
static void loader_type(const struct root *root, char *buf, size_t size) {
        _cleanup_free_ char *text = NULL;
        char *line, *save;

        *buf = '\0';
        if (root_read(root, SYSCONFIG, 256U << 10, &text, NULL) < 0)
                return;
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (str_starts(line, "LOADER_TYPE=")) {
                        line += strlen("LOADER_TYPE=");
                        line += strspn(line, "\"'");
                        (void) str_format(buf, size, "%.*s", (int) strcspn(line, "\"' \t\r"), line);
                }
}

static enum evidence detect(const struct root *root, char *text, size_t size) {
        char type[32], folder[64];

        if (root_exists(root, "/usr/bin/sdbootutil") <= 0 || bls_find_folder(root, folder, sizeof(folder)) < 0)
                return EVIDENCE_NONE;
        loader_type(root, type, sizeof(type));
        if (*type && !str_eq(type, "systemd-boot") && !str_eq(type, "grub2-bls"))
                return EVIDENCE_NONE;
        (void) str_format(text, size, "sdbootutil%s%s", *type ? " and LOADER_TYPE=" : "", type);
        return EVIDENCE_OWNER;
}

static bool is_grub(const struct root *root) {
        char type[32], info[64];

        loader_type(root, type, sizeof(type));
        if (*type)
                return str_eq(type, "grub2-bls");
        return efi_loader_text(root, "LoaderInfo", info, sizeof(info)) < 0 || !str_starts(info, "systemd-boot");
}

/* The number of the snapshot that is the root now; "" where there are none. */
static void root_snapshot(const struct root *root, char *buf, size_t size) {
        _cleanup_free_ char *mounts = NULL;
        const char *s;

        *buf = '\0';
        if (root_read(root, "/proc/self/mountinfo", 1U << 20, &mounts, NULL) < 0)
                return;
        for (s = mounts; (s = strstr(s, "/.snapshots/"));) {
                size_t n = strspn(s += strlen("/.snapshots/"), "0123456789");

                if (n > 0 && str_starts(s + n, "/snapshot / "))
                        (void) str_format(buf, size, "%.*s", (int) n, s);
        }
}

/* Names end in the snapshot: "system-opensuse-tumbleweed-6.12.6-1-default-17+3.conf". update-all-entries leaves those
 * of other snapshots alone, which are the way back. */
static bool is_of_snapshot(const char *name, const char *snapshot) {
        size_t end = strlen(name) - strlen(".conf"), n = strlen(snapshot);
        const char *tries = memrchr(name, '+', end);

        if (tries)
                end = (size_t) (tries - name);
        return n == 0 || (end > n && name[end - n - 1] == '-' && memcmp(name + end - n, snapshot, n) == 0);
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        bool grub = is_grub(root);
        char folder[64], snapshot[16];
        int r;

        if (bls_find_folder(root, folder, sizeof(folder)) < 0)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "loader/entries",
                               "no loader/entries folder in /boot, /efi or /boot/efi: is the EFI system "
                               "partition mounted?");
        r = bls_read(root, &(struct bls) { .folder = folder, .grub = grub }, &entries, e);
        root_snapshot(root, snapshot, sizeof(snapshot));
        for (size_t i = 0; r >= 0 && i < entries.n; i++)
                entries.list[i].untouched |= !is_of_snapshot(entries.list[i].name, snapshot);
        if (r >= 0)
                r = kernel_cmdline_read(root, grub ? KERNEL_CMDLINE_GRUB : KERNEL_CMDLINE_PLAIN, &entries, e);
        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        bool grub = is_grub(root);
        int r = grub ? bls_check_wanted(edit, e) : 0;

        if (r < 0)
                return r;
        /* Without the file sdbootutil takes /proc/cmdline, with whatever was typed in for this one boot. */
        if (root_exists(root, KERNEL_CMDLINE) == 0)
                return err_set(e, -ENOENT, ERR_REFUSED, KERNEL_CMDLINE,
                               "%s is missing, and sdbootutil needs it; write the kernel line that is to stay, "
                               "with its root=, into it first", KERNEL_CMDLINE);
        r = kernel_cmdline_plan(root, edit, NULL, grub ? KERNEL_CMDLINE_GRUB : KERNEL_CMDLINE_PLAIN, plan, e);
        if (r < 0 || plan_is_empty(plan))
                return r;
        r = plan_add_command(plan, "writes the entries of all kernels", "sdbootutil", "update-all-entries", NULL);
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}

const struct loader loader_sdbootutil = {
        .name = "sdbootutil",
        .title = "sdbootutil with " KERNEL_CMDLINE,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
