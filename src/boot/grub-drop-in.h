/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* Our file among those that Debian's grub-mkconfig reads behind /etc/default/grub. */
#define GRUB_DROP_IN "/etc/default/grub.d/passthru.cfg"

/* Adds, changes or removes it; entries: the lines that GRUB has now. The command for grub.cfg is the caller's. */
int grub_drop_in_plan(const struct root *root, const struct boot_entries *entries, struct boot_edit *edit,
                      struct plan *plan, struct err *e);
