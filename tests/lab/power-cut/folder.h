/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "disk.h"

#define FOLDER_FILES_MAX 32
#define FOLDER_TEXT_MAX 8192

/* What a boot loader finds in a folder. */
struct folder {
        struct folder_file {
                char name[256];
                char text[FOLDER_TEXT_MAX];
                size_t size;
        } files[FOLDER_FILES_MAX];
        size_t n;
};

/* Read files whose name ends in ".conf", as a boot loader does: no journal is replayed, no checksum looked at. A file
 * that cannot be read is left out, as a loader leaves it out. Errors: the folder cannot be read. */
typedef int folder_read(struct disk *disk, const char *path, struct folder *ret);
folder_read vfat_read, ext4_read;

bool folder_wants(const char *name);

const struct folder_file *folder_find(const struct folder *folder, const char *name);

/* The name of a file that is neither as in a nor as in b (which stands for: none), or NULL. */
const char *folder_odd(const struct folder *folder, const struct folder *a, const struct folder *b);
