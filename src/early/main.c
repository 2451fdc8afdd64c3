/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "config/early-conf.h"
#include "early/pack.h"
#include "early/run.h"

#define EXIT_USAGE 2
#define EXIT_NOTHING 3

static const char help[] = "Usage: passthru-early [--root DIR] [--pack FILE]\n"
                           "\n"
                           "Runs in an initramfs before its udev: reserves the devices of early.conf for\n"
                           "vfio and makes hugepages. Its exit status is 0 then, whatever happens;\n"
                           "passthru=off on the kernel command line turns it off.\n"
                           "\n"
                           "  --pack FILE  for those who make an initramfs: write the early.conf that goes\n"
                           "               into it to FILE, and print the modules that it needs. Exit status\n"
                           "               3: nothing is configured, so nothing goes into it\n"
                           "  --root DIR   the system in DIR\n"
                           "  --help, --version";

/* Whatever umask an image is made with: what others than root may write is not read at boot. */
static int write_file(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        size_t size = strlen(text);

        if (fd < 0)
                return -errno;
        if (write(fd, text, size) != (ssize_t) size)
                return errno ? -errno : -EIO;
        return 0;
}

static int pack(const struct root *root, const char *path) {
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        _cleanup_free_ char *text = NULL;
        struct err e = {};
        const char *name;
        int r;

        r = early ? pack_prepare(root, early, &e) : -ENOMEM;
        if (r == 0)
                return EXIT_NOTHING;
        if (r > 0)
                text = early_conf_format(early);
        if (r < 0 || !text) {
                fprintf(stderr, "passthru-early: nothing is reserved at boot: %s\n",
                        *e.message ? e.message : "out of memory");
                return EXIT_FAILURE;
        }
        r = write_file(path, text);
        if (r < 0) {
                fprintf(stderr, "passthru-early: %s cannot be written: %s\n", path, strerror(-r));
                return EXIT_FAILURE;
        }
        for (size_t i = 0; (name = pack_module(early, i)); i++)
                puts(name);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { "root", required_argument, NULL, 'r' },
                { "pack", required_argument, NULL, 'p' },
                {},
        };
        _cleanup_root_ struct root *root = NULL;
        const char *dir = NULL, *packed = NULL;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        puts(help);
                        return EXIT_SUCCESS;
                case 'V':
                        puts("passthru-early " VERSION);
                        return EXIT_SUCCESS;
                case 'r':
                        dir = optarg;
                        break;
                case 'p':
                        packed = optarg;
                        break;
                default:
                        return EXIT_USAGE;
                }
        if (optind != argc) {
                fprintf(stderr, "%s\n", help);
                return EXIT_USAGE;
        }
        if (root_new(dir, &root) < 0) {
                fprintf(stderr, "passthru-early: %s cannot be opened\n", dir ? dir : "/");
                return packed ? EXIT_FAILURE : EXIT_SUCCESS;
        }
        if (packed)
                return pack(root, packed);
        early_run(root);
        return EXIT_SUCCESS;
}
