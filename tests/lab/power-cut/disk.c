/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int disk_new(uint64_t size, struct disk *ret) {
        /* Mostly holes, as the file was: no memory is set aside for those. */
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED)
                return -errno;
        *ret = (struct disk) { .flushed = p, .n_sectors = size / SECTOR };
        disk_first(ret);
        return 0;
}

void disk_done(struct disk *disk) {
        if (disk->flushed)
                munmap(disk->flushed, disk->n_sectors * SECTOR);
        free(disk->writes);
        free(disk->torn);
        *disk = (struct disk) {};
}

static int by_sector(const void *a, const void *b) {
        const struct disk_write *x = a, *y = b;

        if (x->sector != y->sector)
                return x->sector < y->sector ? -1 : 1;
        return x->order < y->order ? -1 : x->order > y->order;
}

static const uint8_t *content(const struct disk *disk, const struct disk_torn *t, size_t version) {
        return version > 0 ? disk->writes[t->first + version - 1].data : disk->flushed + t->sector * SECTOR;
}

/* Writes that change nothing are left out: they make no state. */
static void find_torn(struct disk *disk) {
        size_t n = 0;

        for (size_t i = 0; i < disk->n_writes; i++) {
                struct disk_write w = disk->writes[i];
                struct disk_torn *t = disk->n_torn > 0 ? &disk->torn[disk->n_torn - 1] : NULL;

                if (!t || t->sector != w.sector) {
                        t = &disk->torn[disk->n_torn];
                        *t = (struct disk_torn) { .sector = w.sector, .first = n };
                }
                if (memcmp(content(disk, t, t->n), w.data, SECTOR) == 0)
                        continue;
                if (t->n++ == 0)
                        disk->n_torn++;
                disk->writes[n++] = w;
        }
        disk->n_writes = n;
}

int disk_write(struct disk *disk, const struct log_entry *entries, size_t n) {
        size_t total = 0, k = 0;

        for (size_t i = 0; i < n; i++) {
                const struct log_entry *e = &entries[i];

                if (e->sector > disk->n_sectors || e->n_sectors > disk->n_sectors - e->sector)
                        return -EIO;
                total += e->n_sectors;
        }
        disk->writes = calloc(total + 1, sizeof(*disk->writes));
        disk->torn = calloc(total + 1, sizeof(*disk->torn));
        if (!disk->writes || !disk->torn)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const struct log_entry *e = &entries[i];

                for (uint64_t s = 0; s < e->n_sectors; s++)
                        disk->writes[k++] = (struct disk_write) { e->sector + s, i, e->data + s * SECTOR };
        }
        disk->n_writes = total;
        qsort(disk->writes, total, sizeof(*disk->writes), by_sector);
        find_torn(disk);
        disk_first(disk);
        return 0;
}

void disk_flush(struct disk *disk) {
        for (size_t i = 0; i < disk->n_writes; i++)
                memcpy(disk->flushed + disk->writes[i].sector * SECTOR, disk->writes[i].data, SECTOR);
        free(disk->writes);
        free(disk->torn);
        disk->writes = NULL;
        disk->torn = NULL;
        disk->n_writes = disk->n_torn = 0;
        disk_first(disk);
}

static void restart(struct disk *disk) {
        for (size_t i = 0; i < disk->n_torn; i++)
                disk->torn[i].chosen = -1;
        disk->depth = 0;
}

void disk_first(struct disk *disk) {
        disk->prefix = -1;
        disk->n_choices = 0;
        restart(disk);
}

void disk_prefix(struct disk *disk, size_t n_entries) {
        disk_first(disk);
        disk->prefix = (ssize_t) n_entries;
}

bool disk_next(struct disk *disk) {
        while (disk->n_choices > 0 &&
               disk->choices[disk->n_choices - 1].value + 1 == disk->choices[disk->n_choices - 1].n)
                disk->n_choices--;
        if (disk->n_choices == 0)
                return false;
        disk->choices[disk->n_choices - 1].value++;
        restart(disk);
        return true;
}

static size_t choose(struct disk *disk, const struct disk_torn *t) {
        size_t n = 0;

        if (disk->prefix >= 0) {
                while (n < t->n && disk->writes[t->first + n].order < (size_t) disk->prefix)
                        n++;
                return n;
        }
        if (disk->depth == DISK_CHOICES_MAX) {
                disk->too_many = true;
                return 0;
        }
        if (disk->depth == disk->n_choices) {
                disk->choices[disk->n_choices].n = t->n + 1;
                disk->choices[disk->n_choices++].value = 0;
        }
        return disk->choices[disk->depth++].value;
}

static int compare_torn(const void *key, const void *element) {
        const uint64_t *sector = key;
        const struct disk_torn *t = element;

        return *sector < t->sector ? -1 : *sector > t->sector;
}

static const uint8_t *read_sector(struct disk *disk, uint64_t sector) {
        struct disk_torn *t = NULL;

        if (disk->n_torn > 0)
                t = bsearch(&sector, disk->torn, disk->n_torn, sizeof(*t), compare_torn);
        if (!t)
                return disk->flushed + sector * SECTOR;
        if (t->chosen < 0)
                t->chosen = (ssize_t) choose(disk, t);
        return content(disk, t, (size_t) t->chosen);
}

int disk_read(struct disk *disk, uint64_t offset, void *buffer, size_t size) {
        uint8_t *to = buffer;

        if (offset > disk->n_sectors * SECTOR || size > disk->n_sectors * SECTOR - offset)
                return -EIO;
        while (size > 0) {
                size_t skip = offset % SECTOR, n = SECTOR - skip < size ? SECTOR - skip : size;

                memcpy(to, read_sector(disk, offset / SECTOR) + skip, n);
                to += n;
                offset += n;
                size -= n;
        }
        return 0;
}
