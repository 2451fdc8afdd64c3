/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

/* A disk at a power cut: what was flushed is there, and of what was not each sector may or may not be. That leaves 2^n
 * states of n sectors, but a reader can only tell those apart that differ in sectors it reads. So the choice is made
 * when a sector is first read, and disk_next() goes on to the next choice: the reader sees all it could see, each
 * once. */

#define DISK_CHOICES_MAX 64

/* A write to one sector that no flush has followed. */
struct disk_write {
        uint64_t sector;
        size_t order;
        const uint8_t *data;
};

/* A sector that has such writes: one of the contents 0 (as flushed) to n, of which 1 to n are writes[first...]. */
struct disk_torn {
        uint64_t sector;
        size_t first, n;
        ssize_t chosen;
};

struct disk {
        uint8_t *flushed;
        uint64_t n_sectors;
        struct disk_write *writes;
        struct disk_torn *torn;
        size_t n_writes, n_torn;

        ssize_t prefix;         /* at least 0: no choice, all writes whose order is below it are there */
        struct {
                size_t value, n;
        } choices[DISK_CHOICES_MAX];
        size_t n_choices, depth;
        bool too_many;          /* a reader wanted more choices: not every state was seen */
};

/* All zeroes, of size bytes. */
int disk_new(uint64_t size, struct disk *ret);
void disk_done(struct disk *disk);

/* Takes writes of the log that no flush lies between; they are outstanding until disk_flush(). */
int disk_write(struct disk *disk, const struct log_entry *entries, size_t n);

/* All that is outstanding is there for good. */
void disk_flush(struct disk *disk);

/* A state for a reader that starts anew: the first, that of a prefix, the next (false: there is none). */
void disk_first(struct disk *disk);
void disk_prefix(struct disk *disk, size_t n_entries);
bool disk_next(struct disk *disk);

/* -EIO: behind the end. */
int disk_read(struct disk *disk, uint64_t offset, void *buffer, size_t size);
