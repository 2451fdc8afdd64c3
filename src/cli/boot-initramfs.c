/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "boot/initramfs.h"

static void on_image(const char *path, uint64_t before, uint64_t after, void *userdata) {
        (void) userdata;
        printf("%s: %" PRIu64 " KiB, was %" PRIu64 " KiB\n", path, after / 1024, before / 1024);
}

static void print_command(const struct initramfs_generator *generator) {
        printf("run:");
        for (const char *const *a = generator->argv; *a; a++)
                printf(" %s", *a);
        puts("   (early.conf changed, and it is a part of the initramfs)");
}

int boot_show_initramfs(const struct boot *b) {
        const struct initramfs_generator *generator;
        struct err e = {};
        int r;

        r = initramfs_is_stale(b->cli->root, &e);
        if (r == 0)
                return EXIT_SUCCESS;
        if (r > 0)
                r = initramfs_generator_find(b->cli->root, &generator, &e);
        if (r < 0)
                return cli_fail(&e);
        if (!b->cli->json)
                print_command(generator);
        return EXIT_PENDING;
}

int boot_apply_initramfs(const struct boot *b) {
        const struct initramfs_generator *generator;
        _cleanup_close_ int lock = -1;
        struct err e = {};
        int r;

        r = ledger_lock(b->cli->root, &lock, &e);
        if (r >= 0)
                r = initramfs_is_stale(b->cli->root, &e);
        if (r == 0)
                return EXIT_SUCCESS;
        if (r > 0)
                r = initramfs_generator_find(b->cli->root, &generator, &e);
        if (r < 0)
                return cli_fail(&e);
        print_command(generator);
        if (!root_is_live(b->cli->root) && !b->options->chroot) {
                puts("It still has to run inside of the image.");
                return EXIT_SUCCESS;
        }
        if (!boot_ask(b))
                return EXIT_FAILURE;
        puts("making the initramfs; this takes a while");
        (void) fflush(stdout);
        if (initramfs_rebuild(b->cli->root, generator, on_image, NULL, &e) < 0)
                return cli_fail(&e);
        puts("Done. What is reserved takes effect at the next boot.");
        return EXIT_SUCCESS;
}
