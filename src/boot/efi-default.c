/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/efi-default.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "boot/trial-entry.h"
#include "sys/efivar.h"

#define DEFAULT "LoaderEntryDefault"

/* "": it is not set. */
static void read_default(const struct root *root, char *buf, size_t size) {
        if (efi_loader_text(root, DEFAULT, buf, size) < 0)
                *buf = '\0';
}

int efi_default_plan(const struct root *root, const char *id, struct boot_edit *edit, struct plan *plan, struct err *e) {
        const struct ledger *before = edit->before;
        char now[sizeof(before->default_before)];
        int r;

        read_default(root, now, sizeof(now));
        if (id) {
                r = trial_entry_check_loader(root, e);
                if (r < 0)
                        return r;
                r = str_copy(edit->after.default_id, sizeof(edit->after.default_id), id);
                if (r >= 0)
                        r = str_copy(edit->after.default_before, sizeof(edit->after.default_before),
                                     *before->default_id ? before->default_before : now);
                if (r >= 0)
                        r = plan_add_variable(plan, DEFAULT, *now ? now : NULL, id);
        } else
                r = str_eq(now, before->default_id) ?
                            plan_add_variable(plan, DEFAULT, *now ? now : NULL,
                                              *before->default_before ? before->default_before : NULL) :
                            0;
        return r < 0 ? err_set(e, r, ERR_FAILED, DEFAULT, "the EFI variable %s: %s", DEFAULT, strerror(-r)) : 0;
}

int efi_default_verify(const struct root *root, const struct boot_edit *edit, struct err *e) {
        char now[sizeof(edit->after.default_id)];

        read_default(root, now, sizeof(now));
        return str_eq(now, edit->after.default_id) ?
                       0 :
                       err_set(e, -EIO, ERR_FAILED, DEFAULT, "the EFI variable %s should be '%s' and is '%s'", DEFAULT,
                               edit->after.default_id, now);
}
