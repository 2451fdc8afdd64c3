/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRUB with boot loader entries (Fedora, RHEL). The line stands in three places, and all of them are edited: the
 * entries, /etc/kernel/cmdline for kernels to come, and /etc/default/grub, from which any run of grub2-mkconfig
 * writes the other two anew. We never run it: it damages entries (cockpit#18382). RHEL 8's entries say $kernelopts, a
 * variable in grubenv: there, that is edited instead, as text and in place of "grub2-editenv", so that it is shown,
 * kept and taken back like the other files. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/grub-default.h"
#include "boot/grub-shell.h"
#include "boot/grubenv.h"
#include "boot/kernel-cmdline.h"
#include "model/cmdline.h"
#include "sys/efivar.h"

#define ENTRIES "/boot/loader/entries"
#define GRUBENV "/boot/grub2/grubenv"
#define VARIABLE "GRUB_CMDLINE_LINUX"

static bool is_rescue(const char *name) {
        return strstr(name, "-0-rescue");
}

static enum evidence detect(const struct root *root, char *text, size_t size) {
        _cleanup_strv_ char **names = NULL;
        char blscfg[8], info[64];

        if (grub_default_get(root, "GRUB_ENABLE_BLSCFG", blscfg, sizeof(blscfg)) < 0 ||
            root_list(root, &names, ENTRIES) < 0 || !*names)
                return EVIDENCE_NONE;
        /* Where it is not set, the distributions that had a switch to turn it on have new-kernel-pkg. */
        if (!str_eq(blscfg, "true") && (*blscfg || root_exists(root, "/boot/grub2/grub.cfg") <= 0 ||
                                        root_exists(root, "/usr/sbin/new-kernel-pkg") > 0))
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "GRUB") ? EVIDENCE_BOOTED : EVIDENCE_FILES;
        }
        (void) str_copy(text, size, "GRUB_ENABLE_BLSCFG and " ENTRIES);
        return EVIDENCE_FILES;
}

static int plan_grubenv(const char *env, const char *kernelopts, struct boot_edit *edit, struct plan *plan,
                        struct err *e) {
        _cleanup_free_ char *edited = NULL, *after = NULL;
        int r;

        if (strchr(kernelopts, '\\'))
                return err_set(e, -EINVAL, ERR_REFUSED, GRUBENV,
                               "kernelopts in %s has escapes; set it without backslashes "
                               "(grub2-editenv - set \"kernelopts=…\")", GRUBENV);
        r = boot_edit_line(edit, GRUBENV, kernelopts, &edited);
        if (r >= 0)
                r = grubenv_set(env, "kernelopts", edited, &after);
        if (r == -ENOSPC)
                return err_set(e, r, ERR_REFUSED, GRUBENV,
                               "%s takes 1024 bytes, and more would be needed; shorten kernelopts or the wanted parameters",
                               GRUBENV);
        if (r >= 0)
                r = plan_add_change(plan, GRUBENV, env, after, 0644);
        return r < 0 ? err_line(GRUBENV, r, e) : 0;
}

/* The value of $kernelopts; NULL: it is not set. */
static int load_kernelopts(const struct root *root, char **ret_env, char **ret, struct err *e) {
        const char *value;
        size_t length;
        int r = grubenv_load(root, GRUBENV, ret_env, e);

        if (r < 0)
                return r;
        value = grubenv_get(*ret_env, "kernelopts", &length);
        if (!value)
                return 0;
        *ret = strndup(value, length);
        return *ret ? 0 : err_line(GRUBENV, -ENOMEM, e);
}

/* All places */

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *env = NULL, *kernelopts = NULL;
        int r = load_kernelopts(root, &env, &kernelopts, e);

        if (r >= 0)
                r = bls_read(root, &(struct bls) { .folder = ENTRIES, .untouched = is_rescue, .grub = true,
                                                   .kernelopts = kernelopts }, &entries, e);
        if (r >= 0)
                r = kernel_cmdline_read(root, KERNEL_CMDLINE_GRUB, &entries, e);
        if (r >= 0)
                r = grub_default_read(root, GRUB_DEFAULT, VARIABLE, "the next grub2-mkconfig", &entries, e);
        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

/* grubenv's value is no script, but reaches the same shell as the entries. */
static int check_grubenv(const struct boot_edit *edit, struct err *e) {
        for (size_t i = 0; i < edit->n_want; i++) {
                char quoted[PARAMETER_QUOTED_MAX];

                if (grub_quote(edit->want[i], quoted, sizeof(quoted)) >= 0 && !str_eq(quoted, edit->want[i]))
                        return err_set(e, -EINVAL, ERR_INVALID, edit->want[i],
                                       "'%s': GRUB changes this parameter when it stands in grubenv; write it "
                                       "without ; & | < > { } and the like", edit->want[i]);
        }
        return 0;
}

/* The first entry's line, without what GRUB would put in: that is added to new entries by others. */
static int model_line(const char *first, char **ret) {
        int r = cmdline_remove(first, "$tuned_params", ret);

        if (r >= 0 && strchr(*ret, '$')) {
                free(*ret);
                *ret = NULL;
        }
        return r;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *env = NULL, *kernelopts = NULL, *first = NULL, *model = NULL;
        int r = load_kernelopts(root, &env, &kernelopts, e);

        if (r >= 0)
                r = bls_check_wanted(edit, e);
        if (r >= 0 && kernelopts)
                r = check_grubenv(edit, e);
        if (r >= 0 && kernelopts)
                r = plan_grubenv(env, kernelopts, edit, plan, e);
        if (r >= 0)
                r = bls_plan(root, &(struct bls) { .folder = ENTRIES, .untouched = is_rescue, .grub = true,
                                                   .kernelopts = kernelopts }, edit, plan, &first, e);
        if (r < 0)
                return r;
        if (first) {
                r = model_line(first, &model);
                if (r < 0)
                        return err_line(KERNEL_CMDLINE, r, e);
        }
        r = kernel_cmdline_plan(root, edit, model, KERNEL_CMDLINE_GRUB, plan, e);
        return r < 0 ? r : grub_default_plan(root, edit, VARIABLE, plan, e);
}

const struct loader loader_grub_bls = {
        .name = "grub-bls",
        .title = "GRUB with " ENTRIES,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
