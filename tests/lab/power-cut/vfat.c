/* SPDX-License-Identifier: GPL-2.0-or-later */

/* FAT32 as a firmware reads it (Microsoft's "FAT: General Overview of On-Disk Format", 1.03): the first of the tables,
 * long names where their parts are complete and belong to the short one. But a file whose clusters are marked free is
 * none: fsck cuts it off, and the next write takes them. */

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "folder.h"

#define ENTRY 32
#define END_OF_CHAIN 0x0ffffff8u
#define PART 13                 /* characters in one entry of a long name */
#define PARTS_MAX 20
#define CLUSTER_MAX 65536

enum {
        ATTRIBUTE_VOLUME = 0x08,
        ATTRIBUTE_FOLDER = 0x10,
        ATTRIBUTE_LONG = 0x0f,
        FREE_END = 0x00,
        FREE = 0xe5,
        LAST_PART = 0x40,
        LOWER_NAME = 0x08,
        LOWER_EXTENSION = 0x10,
};

struct vfat {
        struct disk *disk;
        uint64_t table, data;   /* bytes from the disk's begin */
        uint32_t cluster;       /* bytes */
        uint32_t root, n_clusters;
};

struct entry {
        char name[256];
        uint8_t attributes;
        uint32_t first, size;
};

static uint16_t get16(const uint8_t *p) {
        return (uint16_t) (p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p) {
        return get16(p) | (uint32_t) get16(p + 2) << 16;
}

static int vfat_open(struct disk *disk, struct vfat *ret) {
        uint8_t b[SECTOR];
        uint32_t reserved, table_size, total;
        int r = disk_read(disk, 0, b, sizeof(b));

        if (r < 0)
                return r;
        reserved = get16(b + 14);
        table_size = get32(b + 36);
        total = get32(b + 32);
        if (b[510] != 0x55 || b[511] != 0xaa || get16(b + 11) != SECTOR || b[13] == 0 || b[16] == 0 ||
            get16(b + 22) != 0 || total < reserved + b[16] * table_size)
                return -EBADMSG;
        *ret = (struct vfat) {
                .disk = disk,
                .table = (uint64_t) reserved * SECTOR,
                .data = (reserved + (uint64_t) b[16] * table_size) * SECTOR,
                .cluster = (uint32_t) b[13] * SECTOR,
                .root = get32(b + 44),
                .n_clusters = (total - reserved - b[16] * table_size) / b[13],
        };
        return ret->cluster <= CLUSTER_MAX ? 0 : -EBADMSG;
}

static bool is_cluster(const struct vfat *v, uint32_t cluster) {
        return cluster >= 2 && cluster - 2 < v->n_clusters;
}

/* 0 at the end of the chain. */
static int next_cluster(const struct vfat *v, uint32_t *cluster) {
        uint8_t b[4];
        uint32_t next;
        int r = disk_read(v->disk, v->table + (uint64_t) *cluster * 4, b, sizeof(b));

        if (r < 0)
                return r;
        next = get32(b) & 0x0fffffff;
        if (next >= END_OF_CHAIN)
                next = 0;
        else if (!is_cluster(v, next))
                return -EBADMSG;
        *cluster = next;
        return 0;
}

/* What stands at offset of a cluster. */
static int read_cluster(const struct vfat *v, uint32_t cluster, uint32_t offset, void *buffer, size_t size) {
        if (!is_cluster(v, cluster))
                return -EBADMSG;
        return disk_read(v->disk, v->data + (uint64_t) (cluster - 2) * v->cluster + offset, buffer, size);
}

/* Names */

static uint8_t checksum(const uint8_t *short_name) {
        uint8_t sum = 0;

        for (int i = 0; i < 11; i++)
                sum = (uint8_t) ((sum << 7 | sum >> 1) + short_name[i]);
        return sum;
}

/* The parts of a long name come last to first, right in front of the short one. */
struct long_name {
        uint16_t characters[PARTS_MAX * PART + 1];
        uint8_t checksum;
        unsigned next;          /* number of the part that must come, 0: all are there */
        bool begun;
};

static void add_part(struct long_name *l, const uint8_t *e) {
        static const uint8_t places[PART] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
        unsigned number = e[0] & 0x3f;

        if (e[0] & LAST_PART) {
                *l = (struct long_name) { .checksum = e[13], .next = number, .begun = number <= PARTS_MAX };
        }
        if (!l->begun || number == 0 || number != l->next || e[13] != l->checksum) {
                l->begun = false;
                return;
        }
        for (unsigned i = 0; i < PART; i++)
                l->characters[(number - 1) * PART + i] = get16(e + places[i]);
        l->next--;
}

static void take_long(const struct long_name *l, char *name) {
        size_t n = 0;

        /* What is not ASCII is not in the names of this test. */
        for (; n < 255 && l->characters[n] != 0 && l->characters[n] != 0xffff; n++)
                name[n] = l->characters[n] < 0x80 ? (char) l->characters[n] : '?';
        name[n] = '\0';
}

static char lower(uint8_t c, bool is_lower) {
        return (char) (is_lower && c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

static void take_short(const uint8_t *e, char *name) {
        size_t n = 0;

        for (int i = 0; i < 8 && e[i] != ' '; i++)
                name[n++] = lower(e[i], e[12] & LOWER_NAME);
        if (e[8] != ' ')
                name[n++] = '.';
        for (int i = 8; i < 11 && e[i] != ' '; i++)
                name[n++] = lower(e[i], e[12] & LOWER_EXTENSION);
        name[n] = '\0';
}

/* Folders */

typedef int entry_found(const struct vfat *v, const struct entry *entry, void *userdata);

/* Calls found() for each entry until it returns non-zero, and returns that. */
static int each_entry(const struct vfat *v, uint32_t cluster, entry_found *found, void *userdata) {
        struct long_name l = {};
        int r = 0;

        for (uint32_t n = 0; r == 0 && cluster != 0 && n < v->n_clusters; n++) {
                for (uint32_t offset = 0; r == 0 && offset < v->cluster; offset += ENTRY) {
                        struct entry entry;
                        uint8_t e[ENTRY];

                        r = read_cluster(v, cluster, offset, e, sizeof(e));
                        if (r < 0 || e[0] == FREE_END)
                                return r;
                        if (e[0] != FREE && e[11] == ATTRIBUTE_LONG) {
                                add_part(&l, e);
                                continue;
                        }
                        if (e[0] != FREE && !(e[11] & ATTRIBUTE_VOLUME)) {
                                entry.attributes = e[11];
                                entry.first = (uint32_t) get16(e + 20) << 16 | get16(e + 26);
                                entry.size = get32(e + 28);
                                if (l.begun && l.next == 0 && l.checksum == checksum(e))
                                        take_long(&l, entry.name);
                                else
                                        take_short(e, entry.name);
                                r = found(v, &entry, userdata);
                        }
                        l.begun = false;
                }
                if (r == 0)
                        r = next_cluster(v, &cluster);
        }
        return r;
}

struct wanted {
        const char *name;
        uint32_t first;
};

static int find_folder(const struct vfat *v, const struct entry *entry, void *userdata) {
        struct wanted *w = userdata;

        (void) v;
        if (!(entry->attributes & ATTRIBUTE_FOLDER) || strcasecmp(entry->name, w->name) != 0)
                return 0;
        w->first = entry->first;
        return 1;
}

static int read_file(const struct vfat *v, const struct entry *entry, struct folder_file *f) {
        uint32_t cluster = entry->first, done = 0;
        int r = 0;

        if (entry->size >= sizeof(f->text))
                return -EFBIG;
        while (r >= 0 && done < entry->size) {
                uint32_t n = entry->size - done < v->cluster ? entry->size - done : v->cluster;

                r = read_cluster(v, cluster, 0, f->text + done, n);
                done += n;
                if (r >= 0)
                        r = next_cluster(v, &cluster);
        }
        if (r >= 0 && cluster != 0)
                r = -EBADMSG;
        f->size = entry->size;
        return r;
}

static int take_file(const struct vfat *v, const struct entry *entry, void *userdata) {
        struct folder *folder = userdata;
        struct folder_file *f = &folder->files[folder->n];

        if ((entry->attributes & ATTRIBUTE_FOLDER) || !folder_wants(entry->name))
                return 0;
        if (folder->n == FOLDER_FILES_MAX)
                return -ENOSPC;
        (void) str_copy(f->name, sizeof(f->name), entry->name);
        if (read_file(v, entry, f) >= 0)
                folder->n++;
        return 0;
}

int vfat_read(struct disk *disk, const char *path, struct folder *ret) {
        struct wanted wanted = {};
        struct vfat v;
        char names[256], *name, *rest = names;
        int r = vfat_open(disk, &v);

        ret->n = 0;
        if (r < 0)
                return r;
        wanted.first = v.root;
        r = str_copy(names, sizeof(names), path);
        while (r >= 0 && (name = strsep(&rest, "/"))) {
                wanted.name = name;
                r = each_entry(&v, wanted.first, find_folder, &wanted);
                if (r == 0)
                        r = -ENOENT;
        }
        return r < 0 ? r : each_entry(&v, wanted.first, take_file, ret);
}
