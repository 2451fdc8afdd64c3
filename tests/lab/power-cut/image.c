/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/macro.h"

/* The entry behind the first n writes of the step; *flushed: the one behind the last flush before that. */
static size_t find_end(const struct log *log, const struct step *step, size_t n, size_t *flushed) {
        size_t i = step->begin + 1;

        *flushed = i;
        for (; n > 0 && i < step->end; i++) {
                if (log->entries[i].data)
                        n--;
                else
                        *flushed = i + 1;
        }
        return i;
}

int image_make(const struct log *log, const struct step *step, size_t n, unsigned seed, uint64_t size,
               const char *file) {
        _cleanup_close_ int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        size_t flushed, end = find_end(log, step, n, &flushed);

        if (fd < 0 || ftruncate(fd, (off_t) size) < 0)
                return -errno;
        for (size_t i = 0; i < end; i++) {
                const struct log_entry *e = &log->entries[i];
                ssize_t bytes = (ssize_t) (e->n_sectors * SECTOR);

                if (!e->data || (seed != 0 && i >= flushed && rand_r(&seed) > RAND_MAX / 2))
                        continue;
                if (pwrite(fd, e->data, (size_t) bytes, (off_t) (e->sector * SECTOR)) != bytes)
                        return -EIO;
        }
        return 0;
}
