/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Unified kernel images (type 2): the line is inside of the image. Where systemd's stub takes addons (254) one of
 * ours reaches all images, and its removal gives everything back. Otherwise, and under Secure Boot, which wants
 * addons signed, /etc/kernel/cmdline is edited and the images are built anew. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/efi-default.h"
#include "boot/kernel-cmdline.h"
#include "boot/pe.h"
#include "boot/trial-entry.h"
#include "boot/uki-rebuild.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define STUBS "/usr/lib/systemd/boot/efi"
#define ADDON_FOLDER "loader/addons"
#define ADDON "passthru.addon.efi"
#define LINE_MAX_SIZE (64U << 10)

/* The images are below partition/EFI/Linux, and addons have to be on the same partition. */
static const char *find_partition(const struct root *root, char ***ret_names) {
        for (const char *const *f = boot_folders; *f; f++) {
                _cleanup_strv_ char **names = NULL;

                if (root_list(root, &names, "%s/EFI/Linux", *f) < 0)
                        continue;
                for (char **n = names; *n; n++)
                        if (strlen(*n) > 4 && strcasecmp(*n + strlen(*n) - 4, ".efi") == 0) {
                                *ret_names = TAKE_PTR(names);
                                return *f;
                        }
        }
        return NULL;
}

static enum evidence detect(const struct root *root, char *text, size_t size) {
        _cleanup_strv_ char **names = NULL;
        const char *partition = find_partition(root, &names);
        char info[64], folder[64];

        if (!partition)
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "StubInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "StubInfo says %s", info);
                return EVIDENCE_OWNER;
        }
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0 ||
            bls_find_folder(root, folder, sizeof(folder)) >= 0)
                return EVIDENCE_NONE;
        (void) str_format(text, size, "%s/EFI/Linux", partition);
        return EVIDENCE_FILES;
}

/* Without the white space at the end that image builders leave. */
static int read_line(const struct root *root, const char *path, char **ret) {
        int r = pe_section_text(root, path, ".cmdline", LINE_MAX_SIZE, ret);

        if (r < 0)
                return r;
        for (size_t n = strlen(*ret); n > 0 && strchr(" \t\r\n", (*ret)[n - 1]); n--)
                (*ret)[n - 1] = '\0';
        return 0;
}

/* NULL: there is none. One that was cut off while it was made says nothing, and so it does to the stub. */
static int read_addon(const struct root *root, const char *path, char **ret, struct err *e) {
        int r = read_line(root, path, ret);

        if (r == -EBADMSG || r == -ENODATA)
                r = (*ret = strdup("")) ? 0 : -ENOMEM;
        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        return 0;
}

static int need_partition(const struct root *root, const char **ret, char ***ret_names, struct err *e) {
        *ret = find_partition(root, ret_names);
        return *ret ? 0 : err_set(e, -ENOENT, ERR_NOT_FOUND, "EFI/Linux",
                                  "no image in EFI/Linux of /boot, /efi or /boot/efi: is the EFI system "
                                  "partition mounted?");
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *addon = NULL;
        _cleanup_strv_ char **names = NULL;
        const char *partition;
        char path[256];
        int r = need_partition(root, &partition, &names, e);

        if (r < 0)
                return r;
        (void) str_format(path, sizeof(path), "%s/" ADDON_FOLDER "/" ADDON, partition);
        r = read_addon(root, path, &addon, e);
        if (r < 0)
                return r;
        for (char **n = names; *n; n++) {
                _cleanup_free_ char *built_in = NULL, *line = NULL;

                r = str_format(path, sizeof(path), "%s/EFI/Linux/%s", partition, *n);
                if (r >= 0)
                        r = read_line(root, path, &built_in);
                if (r == -ENODATA || r == -EBADMSG)
                        continue; /* no kernel, or one that gets its line from elsewhere */
                if (r >= 0)
                        r = asprintf(&line, "%s%s%s", built_in, addon ? " " : "", addon ? addon : "") < 0 ? -ENOMEM : 0;
                if (r >= 0)
                        r = boot_entries_add(&entries, *n, path, line, false);
                if (r < 0)
                        return err_set(e, r, ERR_FAILED, *n, "%s cannot be read: %s", *n, strerror(-r));
        }
        r = kernel_cmdline_read(root, KERNEL_CMDLINE_PLAIN, &entries, e);
        if (r < 0)
                return r;
        /* With an addon, what images to come have inside is not the whole line. */
        if (addon && entries.n > 0 && str_eq(entries.list[entries.n - 1].file, KERNEL_CMDLINE))
                entries.list[entries.n - 1].untouched = true;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static bool is_secure_boot(const struct root *root) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        return root_read(root, SECURE_BOOT, 64, &data, &size) >= 0 && size == 5 && data[4] == 1;
}

/* NULL: addons cannot be used here. */
static const char *find_ukify(const struct root *root) {
        if (is_secure_boot(root) ||
            (root_exists(root, STUBS "/addonx64.efi.stub") <= 0 && root_exists(root, STUBS "/addonaa64.efi.stub") <= 0))
                return NULL;
        return root_exists(root, "/usr/bin/ukify") > 0         ? "ukify" :
               root_exists(root, "/usr/lib/systemd/ukify") > 0 ? "/usr/lib/systemd/ukify" :
                                                                 NULL;
}

/* What is wanted and not in all images by itself. */
static int addon_line(struct boot_edit *edit, const struct boot_entries *images, const char *path, char **ret) {
        _cleanup_free_ char *line = strdup("");
        int r = line ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < edit->n_want; i++) {
                bool everywhere = images->n > 0 && !ledger_owns(edit->before, path, edit->want[i]);
                char *longer;

                for (size_t k = 0; k < images->n; k++)
                        everywhere &= images->list[k].untouched || cmdline_has(images->list[k].line, edit->want[i]);
                if (everywhere)
                        continue;
                if (asprintf(&longer, "%s%s%s", line, *line ? " " : "", edit->want[i]) < 0)
                        return -ENOMEM;
                free(line);
                line = longer;
                r = ledger_own(&edit->after, path, edit->want[i]);
        }
        if (r >= 0 && *line)
                r = ledger_own_file(&edit->after, path);
        if (r >= 0)
                *ret = TAKE_PTR(line);
        return r;
}

static int plan_addon_command(const char *ukify, const char *path, const char *now, const char *line,
                              struct plan *plan) {
        _cleanup_free_ char *output = NULL, *cmdline = NULL, *old_cmdline = NULL;

        if (asprintf(&output, "--output=%s", path) < 0 || asprintf(&cmdline, "--cmdline=%s", line) < 0 ||
            asprintf(&old_cmdline, "--cmdline=%s", now ? now : "") < 0)
                return -ENOMEM;
        const char *build[] = { ukify, "build", cmdline, output, NULL };
        const char *build_old[] = { ukify, "build", old_cmdline, output, NULL };
        const char *remove[] = { "rm", "-f", path, NULL };

        return plan_add_change_command(plan, *line ? "makes the addon for all images" : "removes the addon",
                                       *line ? build : remove, now && *now ? build_old : remove);
}

/* The command may make the folder above as well; both go with the addon, the inner one first. */
static int plan_addon_folder(const struct root *root, const char *folder, struct boot_edit *edit, struct plan *plan) {
        char missing[64];
        int r = 0;

        if (root_exists(root, "%s", folder) != 0)
                return 0;
        (void) str_copy(missing, sizeof(missing), folder);
        for (size_t n = 0; r >= 0 && n < 2 && root_exists(root, "%s", missing) == 0; n++) {
                r = ledger_own_file(&edit->after, missing);
                *strrchr(missing, '/') = '\0';
        }
        return r < 0 ? r : plan_add_command(plan, "the folder for addons", "mkdir", "-p", folder, NULL);
}

static int plan_addon(const struct root *root, const char *ukify, const char *partition, struct boot_edit *edit,
                      struct plan *plan, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries images = {};
        _cleanup_free_ char *now = NULL, *line = NULL;
        char folder[64], path[128];
        int r = read_entries(root, &images, e);

        if (r < 0)
                return r;
        (void) str_format(folder, sizeof(folder), "%s/" ADDON_FOLDER, partition);
        (void) str_format(path, sizeof(path), "%s/" ADDON, folder);
        r = read_addon(root, path, &now, e);
        if (r < 0)
                return r;
        if (now && !ledger_find(edit->before, path))
                return err_set(e, -EEXIST, ERR_REFUSED, path,
                               "%s exists, and the ledger does not say that it is ours; move it away", path);
        r = addon_line(edit, &images, path, &line);
        if (r >= 0 && (now ? !*line || !str_eq(line, now) : *line)) {
                if (*line)
                        r = plan_addon_folder(root, folder, edit, plan);
                if (r >= 0)
                        r = plan_addon_command(ukify, path, now, line, plan);
        }
        return r < 0 ? err_line(path, r, e) : 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        const char *ukify = find_ukify(root), *partition;
        int r = need_partition(root, &partition, &names, e);

        if (r < 0)
                return r;
        /* What was begun in one way is taken back in the same. */
        if (ukify && !ledger_find(edit->before, KERNEL_CMDLINE))
                r = plan_addon(root, ukify, partition, edit, plan, e);
        else
                r = uki_rebuild_plan(root, edit, plan, e);
        return r < 0 ? r : trial_entry_clear(root, edit, plan, e);
}

/* The image of the chosen kernel. NULL: there is none. */
static const char *find_version(char **names, const char *version) {
        for (char **n = names; *n; n++) {
                const char *at = strstr(*n, version);

                if (at && !strchr("0123456789", at[strlen(version)]))
                        return *n;
        }
        return NULL;
}

/* The image that was booted; the only one, when that is not known. */
static const char *find_booted(const struct root *root, char **names) {
        char selected[128] = "";

        (void) efi_loader_text(root, "LoaderEntrySelected", selected, sizeof(selected));
        for (char **n = names; *n; n++)
                if (str_eq(*n, selected))
                        return *n;
        return names[1] ? NULL : names[0];
}

static int err_version(const char *version, const char *partition, struct err *e) {
        return err_set(e, -ENOENT, ERR_NOT_FOUND, "kernel", "[boot] kernel=%s: no image in %s/EFI/Linux is for that version",
                       version, partition);
}

static int plan_kernel(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        const char *partition, *name = NULL;
        int r = need_partition(root, &partition, &names, e);

        if (r < 0)
                return r;
        if (*edit->kernel && !(name = find_version(names, edit->kernel)))
                return err_version(edit->kernel, partition, e);
        return efi_default_plan(root, name, edit, plan, e);
}

static const struct loader_kernel kernel = { .plan = plan_kernel, .verify = efi_default_verify };

/* systemd's stub takes another line than the built-in one, but puts addons behind it all the same. */
static int check_trial(const struct root *root, const struct boot_edit *edit, const char *addon, struct err *e) {
        const struct ledger_file *ours = ledger_find(edit->before, addon);

        if (is_secure_boot(root))
                return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                               "under Secure Boot an image takes no line but its own; --no-trial changes the line of all "
                               "boots at once");
        for (size_t i = 0; ours && i < ours->n_parameters; i++)
                if (!boot_edit_wants(edit, ours->parameters[i]))
                        return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                                       "%s in %s cannot be left out of one boot; --no-trial changes the line of all boots "
                                       "at once", ours->parameters[i], addon);
        return 0;
}

/* An entry of type 1 can start an image with another line. */
static int plan_trial(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *line = NULL, *text = NULL;
        _cleanup_strv_ char **names = NULL;
        const char *partition, *name;
        char path[256], folder[64];
        int r = trial_entry_check_loader(root, e);

        if (r >= 0)
                r = need_partition(root, &partition, &names, e);
        if (r < 0)
                return r;
        (void) str_format(path, sizeof(path), "%s/" ADDON_FOLDER "/" ADDON, partition);
        r = check_trial(root, edit, path, e);
        if (r < 0)
                return r;
        name = *edit->kernel ? find_version(names, edit->kernel) : find_booted(root, names);
        if (!name && *edit->kernel)
                return err_version(edit->kernel, partition, e);
        if (!name)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "EFI/Linux",
                               "no image in %s/EFI/Linux is the one that was booted: restart into one of them first",
                               partition);
        r = str_format(path, sizeof(path), "%s/EFI/Linux/%s", partition, name);
        if (r >= 0)
                r = read_line(root, path, &line);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, name, "the line of %s cannot be read: %s", name, strerror(-r));
        if (asprintf(&text, "title %s\nefi /EFI/Linux/%s\noptions %s\n", name, name, line) < 0)
                return err_line(name, -ENOMEM, e);
        (void) str_format(folder, sizeof(folder), "%s/loader/entries", partition);
        return trial_entry_plan(root, folder, text, edit, plan, e);
}

static const struct loader_trial trial = { .plan = plan_trial, .verify = trial_entry_verify };

const struct loader loader_uki = {
        .name = "uki",
        .title = "unified kernel images",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
        .trial = &trial,
        .kernel = &kernel,
};
