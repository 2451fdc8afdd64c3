/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/str.h"

#define LOG_MAGIC UINT64_C(0x6a736677736872)
#define LOG_VERSION 1

#define FLAG_FLUSH UINT64_C(1)

struct super {
        uint64_t magic, version, n_entries;
        uint32_t sector_size;
};

struct head {
        uint64_t sector, n_sectors, flags, data_length;
};

static int map(const char *file, struct log *log) {
        _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < SECTOR)
                return -EBADMSG;
        log->size = (size_t) st.st_size;
        log->map = mmap(NULL, log->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (log->map == MAP_FAILED) {
                log->map = NULL;
                return -errno;
        }
        return 0;
}

static int read_entries(struct log *log) {
        struct super super;
        size_t at = SECTOR;

        memcpy(&super, log->map, sizeof(super));
        if (le64toh(super.magic) != LOG_MAGIC || le64toh(super.version) != LOG_VERSION ||
            le32toh(super.sector_size) != SECTOR || le64toh(super.n_entries) > log->size / SECTOR)
                return -EBADMSG;
        log->n = (size_t) le64toh(super.n_entries);
        log->entries = calloc(log->n + 1, sizeof(*log->entries));
        if (!log->entries)
                return -ENOMEM;
        for (size_t i = 0; i < log->n; i++) {
                struct log_entry *e = &log->entries[i];
                struct head head;

                if (log->size - at < SECTOR)
                        return -EBADMSG;
                memcpy(&head, log->map + at, sizeof(head));
                at += SECTOR;
                if (le64toh(head.flags) == FLAG_FLUSH)
                        continue;
                if (head.flags != 0)
                        return -EOPNOTSUPP;
                *e = (struct log_entry) { le64toh(head.sector), le64toh(head.n_sectors), log->map + at };
                if (e->n_sectors > (log->size - at) / SECTOR)
                        return -EBADMSG;
                at += e->n_sectors * SECTOR;
        }
        return 0;
}

int log_open(const char *file, struct log *ret) {
        struct log log = {};
        int r = map(file, &log);

        if (r >= 0)
                r = read_entries(&log);
        if (r < 0) {
                log_done(&log);
                return r;
        }
        *ret = log;
        return 0;
}

void log_done(struct log *log) {
        free(log->entries);
        if (log->map)
                munmap(log->map, log->size);
        *log = (struct log) {};
}

static int find_mark(const struct log *log, uint64_t sector, const char *name, const char *what, size_t *ret) {
        char wanted[64];
        int r = str_format(wanted, sizeof(wanted), "%s %s\n", name, what);

        for (size_t i = 0; r >= 0 && i < log->n; i++) {
                const struct log_entry *e = &log->entries[i];

                if (e->data && e->sector == sector && memcmp(e->data, wanted, strlen(wanted)) == 0) {
                        *ret = i;
                        return 0;
                }
        }
        return r < 0 ? r : -ENOENT;
}

int log_find_step(const struct log *log, uint64_t sector, const char *name, struct step *ret) {
        struct step step;
        int r = find_mark(log, sector, name, "begin", &step.begin);

        if (r >= 0)
                r = find_mark(log, sector, name, "done", &step.done);
        if (r >= 0)
                r = find_mark(log, sector, name, "end", &step.end);
        if (r >= 0)
                *ret = step;
        return r;
}
