/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/command.h"
#include "base/file.h"
#include "base/str.h"
#include "boot/ledger.h"
#include "config/early-conf.h"

#define FOLDER "/boot"
#define COPY_PREFIX ".passthru-"
#define STAMP_NAME "early.packed"
#define STAMP LEDGER_DIRECTORY "/" STAMP_NAME
#define PROGRAM LIBEXECDIR "/passthru/passthru-early"
#define PROGRAM_SIZE_MAX (4U << 20)
#define IMAGES_MAX 64

/* In the order in which they are looked for: Debian's hooks call update-initramfs, whatever else is installed. */
static const struct initramfs_generator generators[] = {
        { "initramfs-tools", "/usr/sbin/update-initramfs", { "update-initramfs", "-u", "-k", "all" } },
        { "mkinitcpio", "/usr/bin/mkinitcpio", { "mkinitcpio", "-P" } },
        { "dracut", "/usr/bin/dracut", { "dracut", "--regenerate-all", "--force" } },
};

int initramfs_generator_find(const struct root *root, const struct initramfs_generator **ret, struct err *e) {
        if (root_exists(root, "/run/ostree-booted") > 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "initramfs",
                               "this is an image-based system, which makes its initramfs when it is built: run "
                               "'rpm-ostree initramfs --enable' once, and 'rpm-ostree initramfs-etc "
                               "--track=" EARLY_CONF_PATH "'");
        for (size_t i = 0; i < ARRAY_SIZE(generators); i++)
                if (root_exists(root, "%s", generators[i].program) > 0) {
                        *ret = &generators[i];
                        return 0;
                }
        return err_set(
                e, -ENOENT, ERR_NOT_FOUND, "initramfs",
                "no update-initramfs, mkinitcpio or dracut is installed: make the initramfs anew by hand, so "
                "that " EARLY_CONF_PATH " gets into it");
}

/* FNV-1a: tells two builds of a program apart, and no more is asked of it. */
static uint64_t hash(const char *data, size_t size) {
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < size; i++)
                h = (h ^ (unsigned char) data[i]) * UINT64_C(0x100000001b3);
        return h;
}

/* What goes in: the configuration and the program. "" when nothing does. Where devices are, and what the host
 * boots from, are of the moment when an image is made. */
static int describe(const struct root *root, char **ret, struct err *e) {
        _cleanup_free_ struct early *early = calloc(1, sizeof(*early));
        _cleanup_free_ char *conf = NULL, *program = NULL;
        size_t size = 0;
        int r;

        if (!early)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = early_conf_load(root, early, e);
        if (r < 0)
                return r;
        if (early_is_empty(early))
                return (*ret = strdup("")) ? 0 : err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        conf = early_conf_format(early);
        r = root_read(root, PROGRAM, PROGRAM_SIZE_MAX, &program, &size);
        if (!conf ||
            asprintf(ret, "%s# passthru-early %016" PRIx64 "\n", conf, r < 0 ? 0 : hash(program, size)) < 0)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        return 0;
}

int initramfs_is_stale(const struct root *root, struct err *e) {
        _cleanup_free_ char *now = NULL, *last = NULL;
        int r;

        r = describe(root, &now, e);
        if (r < 0)
                return r;
        r = root_read(root, STAMP, 256U << 10, &last, NULL);
        if (r == -ENOENT)
                return *now != '\0';
        return r < 0 || !str_eq(now, last);
}

static int remember(const struct root *root, struct err *e) {
        _cleanup_free_ char *now = NULL;
        int r;

        r = describe(root, &now, e);
        if (r < 0)
                return r;
        r = dir_ensure_private(root, LEDGER_DIRECTORY, 0755);
        if (r >= 0)
                r = file_replace(root, LEDGER_DIRECTORY, STAMP_NAME, now, strlen(now), 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, STAMP, STAMP " cannot be written: %s", strerror(-r)) : 0;
}

/* The images, and where their copies are. */
struct image {
        char name[NAME_MAX + 1];
        uint64_t before;
};

struct images {
        int folder;
        struct image list[IMAGES_MAX];
        size_t n;
};

static void images_free(struct images **images) {
        if (*images)
                closep(&(*images)->folder);
        free(*images);
}

static bool is_image(const char *name) {
        return str_starts(name, "initrd.img-") || str_starts(name, "initramfs-") || str_starts(name, "initrd-");
}

static uint64_t size_of(const struct images *images, const char *name) {
        struct stat st;

        return fstatat(images->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)
                       ? (uint64_t) st.st_size
                       : 0;
}

static void copy_name(const char *name, char *buf, size_t size) {
        (void) str_format(buf, size, COPY_PREFIX "%s", name);
}

/* Puts the copy back where the image is missing, else removes it. */
static void tidy(const struct images *images, const char *copy) {
        const char *name = copy + sizeof(COPY_PREFIX) - 1;

        if (size_of(images, name) == 0 && size_of(images, copy) > 0)
                (void) renameat(images->folder, copy, images->folder, name);
        else
                (void) unlinkat(images->folder, copy, 0);
}

/* Ends what an earlier run, which was killed, began. */
static int clean(const struct root *root, const struct images *images) {
        _cleanup_strv_ char **names = NULL;
        int r = root_list(root, &names, FOLDER);

        for (char **name = names; r >= 0 && *name; name++)
                if (str_starts(*name, COPY_PREFIX))
                        tidy(images, *name);
        return r;
}

static int images_list(const struct root *root, struct images *ret, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        int r;

        ret->n = 0;
        ret->folder = root_open(root, FOLDER, O_RDONLY | O_DIRECTORY, 0);
        r = ret->folder < 0 ? ret->folder : clean(root, ret);
        if (r >= 0)
                r = root_list(root, &names, FOLDER);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, FOLDER, FOLDER " cannot be read: %s", strerror(-r));
        for (char **name = names; *name && ret->n < IMAGES_MAX; name++) {
                struct image *image = &ret->list[ret->n];

                image->before = size_of(ret, *name);
                if (is_image(*name) && image->before > 0 && str_copy(image->name, sizeof(image->name), *name) >= 0)
                        ret->n++;
        }
        return 0;
}

static int check_room(const struct images *images, struct err *e) {
        uint64_t wanted = 0, found;
        struct statvfs vfs;

        for (size_t i = 0; i < images->n; i++)
                wanted += images->list[i].before;
        if (fstatvfs(images->folder, &vfs) < 0)
                return err_set(e, -errno, ERR_FAILED, FOLDER, FOLDER ": %s", strerror(errno));
        found = (uint64_t) vfs.f_bavail * vfs.f_frsize;
        if (found >= wanted)
                return 0;
        return err_set(e, -ENOSPC, ERR_FAILED, FOLDER,
                       FOLDER " has %" PRIu64 " MiB of room, and %" PRIu64
                              " are wanted to keep the old images until the "
                              "new ones are there; remove old kernels first",
                       found >> 20, (wanted >> 20) + 1);
}

static int copy(const struct images *images, const struct image *image, struct err *e) {
        _cleanup_close_ int from = -1, to = -1;
        char name[NAME_MAX + 1];
        uint64_t left = image->before;

        copy_name(image->name, name, sizeof(name));
        from = openat(images->folder, image->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        to = openat(images->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        while (from >= 0 && to >= 0 && left > 0) {
                ssize_t n = sendfile(to, from, NULL, left < 1 << 30 ? (size_t) left : 1 << 30);

                if (n <= 0)
                        break;
                left -= (uint64_t) n;
        }
        if (from >= 0 && to >= 0 && left == 0 && fsync(to) == 0)
                return 0;
        return err_set(e, errno ? -errno : -EIO, ERR_FAILED, image->name, FOLDER "/%s cannot be copied: %s",
                       image->name, strerror(errno));
}

static void put_back(const struct images *images) {
        for (size_t i = 0; i < images->n; i++) {
                char name[NAME_MAX + 1];

                copy_name(images->list[i].name, name, sizeof(name));
                if (size_of(images, name) == images->list[i].before)
                        (void) renameat(images->folder, name, images->folder, images->list[i].name);
                else
                        (void) unlinkat(images->folder, name, 0);
        }
        (void) syncfs(images->folder);
}

static int run(const struct root *root, const struct initramfs_generator *generator, struct err *e) {
        _cleanup_free_ char *output = NULL, *chroot = root_is_live(root) ? NULL : root_join(root, "/");
        const char *last;
        int r;

        r = command_run(chroot, NULL, (char *const *) generator->argv, &output);
        if (r == 0)
                return 0;
        if (r < 0)
                return err_set(e, -EIO, ERR_FAILED, generator->name, "%s cannot be run to its end: %s",
                               generator->argv[0], r == -ECHILD ? "a signal ended it" : strerror(-r));
        if (output)
                str_strip(output);
        last = output && strrchr(output, '\n') ? strrchr(output, '\n') + 1 : output;
        return err_set(e, -EIO, ERR_FAILED, generator->name, "%s ended with status %d: %s", generator->argv[0], r,
                       last && *last ? last : "it printed nothing");
}

static int check_images(const struct images *images, struct err *e) {
        for (size_t i = 0; i < images->n; i++)
                if (size_of(images, images->list[i].name) == 0)
                        return err_set(e, -EIO, ERR_FAILED, images->list[i].name, FOLDER "/%s is gone, or empty",
                                       images->list[i].name);
        return 0;
}

int initramfs_rebuild(const struct root *root, const struct initramfs_generator *generator,
                      initramfs_report report, void *userdata, struct err *e) {
        _cleanup_(images_free) struct images *images = calloc(1, sizeof(*images));
        int r;

        if (!images)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = images_list(root, images, e);
        if (r < 0)
                return r;
        r = check_room(images, e);
        for (size_t i = 0; r >= 0 && i < images->n; i++)
                r = copy(images, &images->list[i], e);
        if (r >= 0)
                r = run(root, generator, e);
        if (r >= 0)
                r = check_images(images, e);
        if (r < 0) {
                put_back(images);
                err_append(e, "; the images are as they were before");
                return r;
        }
        (void) syncfs(images->folder);
        for (size_t i = 0; i < images->n; i++) {
                char name[NAME_MAX + 1], path[sizeof(FOLDER) + NAME_MAX + 1];

                copy_name(images->list[i].name, name, sizeof(name));
                (void) unlinkat(images->folder, name, 0);
                (void) str_format(path, sizeof(path), FOLDER "/%s", images->list[i].name);
                if (report)
                        report(path, images->list[i].before, size_of(images, images->list[i].name), userdata);
        }
        return remember(root, e);
}
