/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRUB where grub-mkconfig reads drop-ins (Debian, Ubuntu): one file of ours in /etc/default/grub.d appends to
 * GRUB_CMDLINE_LINUX_DEFAULT, which recovery entries do not get. The user's own file is never written. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/grub-shell.h"
#include "sys/efivar.h"

#define DROP_IN_FOLDER "/etc/default/grub.d"
#define DROP_IN DROP_IN_FOLDER "/passthru.cfg"
#define CONFIG "/boot/grub/grub.cfg"

static enum evidence detect(const struct root *root, char *text, size_t size) {
        _cleanup_free_ char *mkconfig = NULL;
        char info[64];

        if (root_exists(root, CONFIG) <= 0 || root_exists(root, "/etc/default/grub") <= 0 ||
            root_read(root, "/usr/sbin/grub-mkconfig", 1U << 20, &mkconfig, NULL) < 0 ||
            !strstr(mkconfig, "/default/grub.d"))
                return EVIDENCE_NONE;
        if (efi_loader_text(root, "LoaderInfo", info, sizeof(info)) >= 0) {
                (void) str_format(text, size, "LoaderInfo says %s", info);
                return str_starts(info, "GRUB") ? EVIDENCE_BOOTED : EVIDENCE_FILES;
        }
        (void) str_copy(text, size, CONFIG);
        return EVIDENCE_FILES;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r = grub_cfg_read(root, CONFIG, &entries, e);

        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int drop_in_text(struct boot_edit *edit, char **ret, struct err *e) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        int r = f ? grub_check_wanted(edit, e) : -ENOMEM;

        if (f)
                fputs("# Written by 'passthru boot apply' from /etc/passthru/passthru.conf: change it there.\n"
                      "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT", f);
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++) {
                char quoted[6 * PARAMETER_TEXT_MAX];

                r = grub_quote_for_sh(edit->want[i], quoted, sizeof(quoted));
                if (r >= 0) {
                        fprintf(f, " %s", quoted);
                        r = ledger_own(&edit->after, DROP_IN, edit->want[i]);
                }
        }
        if (f) {
                fputs("\"\n", f);
                if (fclose(f) != 0)
                        r = -ENOMEM;
        }
        if (r < 0) {
                free(text);
                return r;
        }
        *ret = text;
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        int r;

        r = root_read(root, DROP_IN, 1U << 16, &before, NULL);
        if (r < 0 && r != -ENOENT)
                return err_set(e, r, ERR_FAILED, DROP_IN, "%s cannot be read: %s", DROP_IN, strerror(-r));
        if (before && !ledger_find(edit->before, DROP_IN))
                return err_set(e, -EEXIST, ERR_REFUSED, DROP_IN,
                               "%s exists, and the ledger does not say that it is ours; move it away", DROP_IN);
        if (edit->n_want > 0) {
                r = drop_in_text(edit, &after, e);
                if (r < 0)
                        return r;
                r = ledger_own_file(&edit->after, DROP_IN);
        }
        if (r >= 0 || r == -ENOENT)
                r = plan_add_change(plan, DROP_IN, before, after, 0644);
        if (r >= 0 && !plan_is_empty(plan))
                r = plan_add_command(plan, "writes " CONFIG, "update-grub", NULL);
        return r < 0 ? err_set(e, r, ERR_FAILED, DROP_IN, "%s: %s", DROP_IN, strerror(-r)) : 0;
}

const struct loader loader_grub = {
        .name = "grub",
        .title = "GRUB with " DROP_IN_FOLDER,
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
