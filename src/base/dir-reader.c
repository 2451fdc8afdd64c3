/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/dir-reader.h"

#include <errno.h>

#include "base/str.h"

int dir_next(struct dir_reader *reader, const struct dirent64 **ret) {
        for (;;) {
                const struct dirent64 *entry;

                if (reader->at == reader->end) {
                        ssize_t n = getdents64(reader->fd, reader->buffer, sizeof(reader->buffer));

                        if (n <= 0)
                                return n < 0 ? -errno : 0;
                        reader->at = 0;
                        reader->end = n;
                }
                entry = (const struct dirent64 *) (reader->buffer + reader->at);
                reader->at += entry->d_reclen;
                if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
                        continue;
                *ret = entry;
                return 1;
        }
}
