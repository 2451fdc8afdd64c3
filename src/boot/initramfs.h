/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/root.h"

/* The images that this host boots with, made anew when what passthru puts into them has changed. */

struct initramfs_generator {
        const char *name;
        const char *program; /* it is the one when this exists */
        const char *argv[5]; /* makes all images; NULL-terminated */
};

/* Who owns the images. Where several are installed: the one that the system's own hooks call. -ENOENT: none is
 * known; -EOPNOTSUPP: an image of a whole system (ostree), which is not made here. */
int initramfs_generator_find(const struct root *root, const struct initramfs_generator **ret, struct err *e);

/* 1: early.conf or passthru-early are not what went into the images last time, as far as we made them; 0: the
 * same. What early.conf answered. */
int initramfs_is_stale(const struct root *root, struct err *e);

/* One image in /boot; before and after in bytes, 0: there was or is none. */
typedef void (*initramfs_report)(const char *path, uint64_t before, uint64_t after, void *userdata);

/* Has the generator make the images. A copy of each is kept beside it until that is over, since dracut writes over
 * the old one and removes what it could not finish; when it fails, or an image is lost, the old ones are put back.
 * Then what went in is remembered. Caller holds ledger_lock(). -ENOSPC: there is no room for the copies; -EIO. */
int initramfs_rebuild(const struct root *root, const struct initramfs_generator *generator,
                      initramfs_report report, void *userdata, struct err *e);
