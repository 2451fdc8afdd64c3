/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* Replaces or makes the file dir/name so that a reader, or a crash, sees either the old or the new content:
 * temporary file in the same folder, fsync, rename, fsync of the folder. name has no slash. On an error the
 * old file stands and the temporary one is gone. Not for VFAT, where this order loses files at a power cut
 * (measured; see DESIGN.md). */
int file_replace(const struct root *root, const char *dir, const char *name, const char *data, size_t size,
                 mode_t mode);

/* Makes a directory with this mode if it is missing. A directory that exists must belong to us (the effective
 * user) and must not be writable by anyone else: otherwise -EPERM. The parent must exist. */
int dir_ensure_private(const struct root *root, const char *path, mode_t mode);
