/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* Replaces a file that the machine boots from, or makes it, or (text NULL) removes it. A power cut leaves the old or the
 * new file, for a reader that replays no journal (GRUB reads ext4 without) and on VFAT, where temporary file and rename
 * lose both. mode and owner of an existing file are kept; a symlink is followed inside the root and its target replaced.
 * mode is for a new file. -EEXIST: it is there already and was to be made. */
int boot_file_replace(const struct root *root, const char *path, const char *text, mode_t mode);
