/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The log of QEMU's blklogwrites driver, in the format of the kernel's dm-log-writes
 * (Documentation/admin-guide/device-mapper/log-writes.rst): what was written to a disk, in the order of completion. */

#define SECTOR 512

struct log_entry {
        uint64_t sector;
        uint64_t n_sectors;
        const uint8_t *data;    /* NULL: no write but a flush */
};

struct log {
        struct log_entry *entries;
        size_t n;
        uint8_t *map;
        size_t size;
};

/* -EBADMSG: no such log, or cut off; -EOPNOTSUPP: it has a discard or a forced unit access, which is not replayed. */
int log_open(const char *file, struct log *ret);
void log_done(struct log *log);

/* A step of the guest: the entries that are its marks. To a sector that no file system has it writes "STEP begin"
 * before the step, "STEP done" as soon as its command has ended, "STEP end" when all is written back. */
struct step {
        size_t begin, done, end;
};

/* -ENOENT: a mark is missing. */
int log_find_step(const struct log *log, uint64_t sector, const char *name, struct step *ret);
