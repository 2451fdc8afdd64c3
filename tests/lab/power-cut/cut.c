/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cut.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "folder.h"

#define STATES_MAX 10000000
#define SHOWN_MAX 5

struct replay {
        const struct log *log;
        const struct step *step;
        struct disk disk;
        folder_read *read;
        const char *path;
        struct folder before, after, now;
        struct counts counts;
};

/* Takes entries up to a flush, or to end; *i: behind all of them. */
static int take_writes(struct replay *p, size_t *i, size_t end, size_t *n) {
        size_t from = *i;
        int r;

        while (*i < end && p->log->entries[*i].data)
                ++*i;
        *n = *i - from;
        r = disk_write(&p->disk, p->log->entries + from, *n);
        if (*i < end)
                ++*i;
        return r;
}

static int forward(struct replay *p, size_t from, size_t to) {
        size_t n;
        int r = 0;

        while (r >= 0 && from < to) {
                r = take_writes(p, &from, to, &n);
                if (r >= 0)
                        disk_flush(&p->disk);
        }
        return r;
}

static void show(const struct replay *p, size_t from, const char *name) {
        const struct disk *d = &p->disk;

        fprintf(stderr, "%s %s: entries 0 to %zu", name,
                folder_find(&p->now, name) ? "is neither old nor new" : "is not there", from);
        if (d->prefix >= 0)
                fprintf(stderr, " and the next %zd", d->prefix);
        for (size_t i = 0; d->prefix < 0 && i < d->n_torn; i++)
                if (d->torn[i].chosen >= 0)
                        fprintf(stderr, ", sector %llu %zd of %zu", (unsigned long long) d->torn[i].sector,
                                d->torn[i].chosen, d->torn[i].n);
        fputc('\n', stderr);
}

/* from: entries before it are there for good. */
static void judge(struct replay *p, size_t from, bool late) {
        const char *odd = "the folder";

        if (p->read(&p->disk, p->path, &p->now) >= 0)
                odd = folder_odd(&p->now, &p->before, &p->after);
        if (odd) {
                if (p->counts.lost++ < SHOWN_MAX)
                        show(p, from, odd);
        } else if (late && folder_odd(&p->now, &p->after, &p->after))
                p->counts.late++;
}

/* late: the command had ended before the last of these writes. Any of them may be outstanding then. */
static int cut_between_flushes(struct replay *p, size_t from, size_t n, bool late) {
        for (size_t k = 1; k <= n; k++) {
                disk_prefix(&p->disk, k);
                judge(p, from, false);
                p->counts.prefixes++;
        }
        disk_first(&p->disk);
        do {
                judge(p, from, late);
                if (p->disk.too_many || ++p->counts.subsets == STATES_MAX) {
                        fprintf(stderr, "entry %zu of the log: more states than can be tried\n", from);
                        return -EOVERFLOW;
                }
        } while (disk_next(&p->disk));
        return 0;
}

static int cut(struct replay *p) {
        size_t i = p->step->begin + 1;
        int r = 0;

        while (r >= 0 && i < p->step->end) {
                size_t from = i, n;

                r = take_writes(p, &i, p->step->end, &n);
                if (r >= 0)
                        r = cut_between_flushes(p, from, n, i > p->step->done);
                disk_flush(&p->disk);
        }
        return r;
}

/* What the entries are before and after the step. */
static int find_texts(struct replay *p, uint64_t size) {
        int r = disk_new(size, &p->disk);

        if (r >= 0)
                r = forward(p, 0, p->step->end);
        if (r >= 0)
                r = p->read(&p->disk, p->path, &p->after);
        disk_done(&p->disk);
        if (r >= 0)
                r = disk_new(size, &p->disk);
        if (r >= 0)
                r = forward(p, 0, p->step->begin + 1);
        if (r >= 0)
                r = p->read(&p->disk, p->path, &p->before);
        return r;
}

static int save_texts(const struct folder *folder, const char *to) {
        for (size_t i = 0; i < folder->n; i++) {
                const struct folder_file *f = &folder->files[i];
                char path[PATH_MAX];
                FILE *file;

                if (str_format(path, sizeof(path), "%s/%s", to, f->name) < 0)
                        return -ENAMETOOLONG;
                file = fopen(path, "w");
                if (!file || fwrite(f->text, 1, f->size, file) != f->size || fclose(file) != 0)
                        return -EIO;
        }
        return 0;
}

int cut_everywhere(const struct log *log, const struct step *step, uint64_t size, folder_read *read,
                   const char *path, const char *before, struct counts *ret) {
        struct replay p = { .log = log, .step = step, .read = read, .path = path };
        int r = find_texts(&p, size);

        if (r >= 0)
                r = save_texts(&p.before, before);
        if (r >= 0)
                r = cut(&p);
        disk_done(&p.disk);
        if (r >= 0)
                *ret = p.counts;
        return r;
}
