/* SPDX-License-Identifier: GPL-2.0-or-later */

/* systemd-boot with type 1 entries (UAPI.1): the options line of each entry, and /etc/kernel/cmdline for kernels to
 * come, which is always written. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/efi-default.h"
#include "boot/kernel-cmdline.h"
#include "boot/trial-entry.h"
#include "sys/efivar.h"

static enum evidence detect(const struct root *root, char *text, size_t size) {
        bool has_entries = bls_find_folder(root, text, size) >= 0;
        char info[64], stub[64];

        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                if (!str_starts(info, "systemd-boot"))
                        return EVIDENCE_NONE;
                /* Without entries it started a unified kernel image, or the ESP is not mounted: plan says so. */
                return has_entries || efi_loader_text(root, "StubInfo", stub, sizeof(stub)) < 0 ? EVIDENCE_BOOTED :
                                                                                                   EVIDENCE_NONE;
        }
        /* GRUB of Fedora reads the same kind of entries. */
        if (!has_entries || root_exists(root, "/boot/grub2/grub.cfg") > 0)
                return EVIDENCE_NONE;
        for (const char *const *f = boot_folders; *f; f++)
                if (root_exists(root, "%s/EFI/systemd/systemd-bootx64.efi", *f) > 0 ||
                    root_exists(root, "%s/EFI/systemd/systemd-bootaa64.efi", *f) > 0)
                        return EVIDENCE_FILES;
        return EVIDENCE_NONE;
}

/* The ESP and the extended boot partition can both have entries; one of them may be reached by two of the names. */
static bool is_new_folder(const struct root *root, const char *folder, struct stat seen[], size_t *n) {
        _cleanup_close_ int fd = root_open(root, folder, O_RDONLY | O_DIRECTORY, 0);

        if (fd < 0 || fstat(fd, &seen[*n]) < 0)
                return false;
        for (size_t i = 0; i < *n; i++)
                if (seen[i].st_dev == seen[*n].st_dev && seen[i].st_ino == seen[*n].st_ino)
                        return false;
        (*n)++;
        return true;
}

typedef int (*folder_function)(const struct root *root, const struct bls *bls, void *userdata, struct err *e);

static int for_each_folder(const struct root *root, folder_function fn, void *userdata, struct err *e) {
        struct stat seen[4];
        size_t n = 0;
        int r = 0;

        for (const char *const *f = boot_folders; r >= 0 && *f; f++) {
                char folder[64];

                (void) str_format(folder, sizeof(folder), "%s/loader/entries", *f);
                if (is_new_folder(root, folder, seen, &n))
                        r = fn(root, &(struct bls) { .folder = folder }, userdata, e);
        }
        if (n == 0)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "loader/entries",
                               "no loader/entries folder can be read in /boot, /efi or /boot/efi: is the EFI system "
                               "partition mounted, and are you root?");
        return r;
}

static int read_folder(const struct root *root, const struct bls *bls, void *userdata, struct err *e) {
        return bls_read(root, bls, userdata, e);
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r;

        r = for_each_folder(root, read_folder, &entries, e);
        if (r >= 0)
                r = kernel_cmdline_read(root, KERNEL_CMDLINE_PLAIN, &entries, e);
        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

struct planner {
        struct boot_edit *edit;
        struct plan *plan;
        char *model;
};

static int plan_folder(const struct root *root, const struct bls *bls, void *userdata, struct err *e) {
        struct planner *p = userdata;
        _cleanup_free_ char *model = NULL;
        int r = bls_plan(root, bls, p->edit, p->plan, &model, e);

        if (r >= 0 && !p->model)
                p->model = TAKE_PTR(model);
        return r;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        struct planner p = { .edit = edit, .plan = plan };
        int r = for_each_folder(root, plan_folder, &p, e);

        if (r >= 0)
                r = trial_entry_clear(root, edit, plan, e);
        if (r >= 0)
                r = kernel_cmdline_plan(root, edit, p.model, KERNEL_CMDLINE_PLAIN, plan, e);
        free(p.model);
        return r;
}

/* One entry in one of the folders. */
struct search {
        const char *kernel; /* of this version; "": the one that was booted */
        char folder[64];
        char *name, *text; /* found */
        struct err missing; /* why the folders so far do not have it */
};

static void search_done(struct search *s) {
        free(s->name);
        free(s->text);
}

static int search_folder(const struct root *root, const struct bls *bls, void *userdata, struct err *e) {
        struct search *s = userdata;
        int r;

        if (s->text)
                return 0;
        r = *s->kernel ? bls_find_kernel(root, bls, s->kernel, &s->name, &s->text, &s->missing) :
                         bls_find_booted(root, bls, &s->text, &s->missing);
        if (r < 0 && r != -ENOENT && e)
                *e = s->missing;
        return r == -ENOENT ? 0 : r < 0 ? r : str_copy(s->folder, sizeof(s->folder), bls->folder);
}

static int find_entry(const struct root *root, struct search *s, struct err *e) {
        int r = for_each_folder(root, search_folder, s, e);

        if (r < 0 || s->text)
                return r;
        if (e)
                *e = s->missing;
        return -ENOENT;
}

static int plan_trial(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_(search_done) struct search s = { .kernel = edit->kernel };
        int r = trial_entry_check_loader(root, e);

        if (r >= 0)
                r = find_entry(root, &s, e);
        return r < 0 ? r : trial_entry_plan(root, s.folder, s.text, edit, plan, e);
}

static int plan_kernel(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_(search_done) struct search s = { .kernel = edit->kernel };
        int r = *edit->kernel ? find_entry(root, &s, e) : 0;

        return r < 0 ? r : efi_default_plan(root, s.name, edit, plan, e);
}

static const struct loader_kernel kernel = { .plan = plan_kernel, .verify = efi_default_verify };
static const struct loader_trial trial = { .plan = plan_trial, .verify = trial_entry_verify };

const struct loader loader_systemd_boot = {
        .name = "systemd-boot",
        .title = "systemd-boot with loader/entries",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
        .trial = &trial,
        .kernel = &kernel,
};
