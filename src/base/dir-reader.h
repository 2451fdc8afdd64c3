/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <dirent.h>
#include <sys/types.h>

/* Reads an open directory. Not readdir(3): for each directory it makes four system calls and a buffer of 32 KiB.
 * Starts as { .fd = fd }; the caller closes fd. */
struct dir_reader {
        int fd;
        ssize_t at, end;
        _Alignas(struct dirent64) char buffer[2048];
};

/* 1 and the next entry, which lives until the next call, "." and ".." left out; 0 at the end; -errno. */
int dir_next(struct dir_reader *reader, const struct dirent64 **ret);
