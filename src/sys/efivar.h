/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* A text that the boot loader left in an EFI variable of systemd's vendor GUID (systemd.io/BOOT_LOADER_INTERFACE):
 * "LoaderInfo", "StubInfo", "LoaderEntrySelected", … UTF-16 becomes ASCII, other characters '?'.
 * Errors: -ENOENT not set, or no EFI; -EBADMSG not a text; -ENAMETOOLONG. */
int efi_loader_text(const struct root *root, const char *name, char *buf, size_t size);

/* Sets such a text (ASCII), or (NULL) deletes it: what systemd-boot does at the next boot ("LoaderEntryOneShot"). A
 * machine that does not run has no firmware: in its tree the file is written that its kernel would show.
 * Errors: -EOPNOTSUPP no EFI; -ENAMETOOLONG; what the firmware says: -ENOSPC, -EROFS, … Deleting what is not set is
 * no error. */
int efi_loader_set(const struct root *root, const char *name, const char *text);
