/* SPDX-License-Identifier: GPL-2.0-or-later */

/* power-cut cut LOG MARKS STEP vfat|ext4 FOLDER BEFORE      prints "prefixes N, subsets N, lost N, late N", see cut.h
 * power-cut image LOG MARKS STEP WRITES SEED FILE           see image.h
 *
 * LOG is what QEMU wrote, MARKS the sector behind the file system that the guest marks its steps in (struct step).
 * The status is 0 whatever was found, and 1 where nothing could be found out. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cut.h"
#include "image.h"

static int run(const struct log *log, const struct step *step, uint64_t size, char **argv) {
        struct counts n;
        uint64_t writes, seed;
        int r;

        if (str_eq(argv[1], "image")) {
                r = str_to_u64(argv[5], 10, SIZE_MAX, &writes);
                if (r >= 0)
                        r = str_to_u64(argv[6], 10, UINT32_MAX, &seed);
                return r < 0 ? r : image_make(log, step, (size_t) writes, (unsigned) seed, size, argv[7]);
        }
        r = cut_everywhere(log, step, size, str_eq(argv[5], "vfat") ? vfat_read : ext4_read, argv[6], argv[7], &n);
        if (r >= 0)
                printf("prefixes %zu, subsets %zu, lost %zu, late %zu\n", n.prefixes, n.subsets, n.lost, n.late);
        return r;
}

int main(int argc, char **argv) {
        struct log log = {};
        struct step step;
        uint64_t marks;
        int r;

        if (argc != 8) {
                fprintf(stderr, "wanted: power-cut cut|image LOG MARKS STEP …\n");
                return 2;
        }
        r = str_to_u64(argv[3], 10, UINT32_MAX, &marks);
        if (r >= 0)
                r = log_open(argv[2], &log);
        if (r >= 0)
                r = log_find_step(&log, marks, argv[4], &step);
        if (r >= 0)
                r = run(&log, &step, (marks + 1) * SECTOR, argv);
        log_done(&log);
        if (r < 0)
                fprintf(stderr, "%s, %s cannot be replayed: %s\n", argv[2], argv[4], strerror(-r));
        return r < 0;
}
