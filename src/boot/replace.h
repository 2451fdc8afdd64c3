/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <limits.h>

#include "base/root.h"

/* Replaces a file that the machine boots from, or makes it (and the last folder of its path), or (text NULL) removes
 * it. A power cut leaves the old or the new file, for a reader that replays no journal (GRUB reads ext4 without) and
 * on VFAT: temporary file and rename lose both there. mode and owner of an existing file are kept; a symlink is
 * followed inside the root and its target replaced. mode is for a new file. After an error the file may hold either
 * text. */
int boot_file_replace(const struct root *root, const char *path, const char *text, mode_t mode);

/* Removes what a boot_file_replace() that was killed left beside this file or another one of its folder. */
int boot_folder_clean(const struct root *root, const char *path);

/* Removes a folder if it is empty; else, and where it is none, nothing happens. */
void boot_folder_remove(const struct root *root, const char *path);

/* Opens the folder that the file itself is in, links resolved inside the root, and gives its name there. */
int boot_file_folder(const struct root *root, const char *path, char name[static NAME_MAX + 1]);
