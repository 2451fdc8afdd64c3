/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/grubenv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/str.h"

#define HEADER "# GRUB Environment Block\n"

int grubenv_load(const struct root *root, const char *path, char **ret, struct err *e) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = root_read(root, path, GRUBENV_SIZE, &text, &size);

        if (r == -ENOENT) {
                *ret = NULL;
                return 0;
        }
        if (r < 0 && r != -EFBIG)
                return err_set(e, r, ERR_FAILED, path, "%s cannot be read: %s", path, strerror(-r));
        if (r < 0 || size != GRUBENV_SIZE || strlen(text) != size)
                return err_set(e, -EBADMSG, ERR_FAILED, path,
                               "%s does not have the 1024 bytes that GRUB wants; make it anew with '%s %s create'", path,
                               strstr(path, "/grub2/") ? "grub2-editenv" : "grub-editenv", path);
        *ret = TAKE_PTR(text);
        return 0;
}

const char *grubenv_get(const char *text, const char *name, size_t *ret_length) {
        size_t n = strlen(name);

        for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line ? 1 : 0)
                if (strncmp(line, name, n) == 0 && line[n] == '=') {
                        *ret_length = strcspn(line + n + 1, "\n");
                        return line + n + 1;
                }
        return NULL;
}

int grubenv_set(const char *text, const char *name, const char *value, char **ret) {
        size_t length, head, n = strlen(name);
        const char *old, *rest, *end;
        char *out;
        int size;

        if (value && strpbrk(value, "\\\n"))
                return -EINVAL;
        if (!text)
                text = HEADER;
        end = text + strlen(text);
        while (end > text && end[-1] == '#')
                end--;
        old = grubenv_get(text, name, &length);
        head = (size_t) ((old ? old - n - 1 : end) - text);
        rest = old ? old + length + (old[length] == '\n') : end;
        out = malloc(GRUBENV_SIZE + 1);
        if (!out)
                return -ENOMEM;
        size = snprintf(out, GRUBENV_SIZE + 1, "%.*s%s%s%s%s%.*s", (int) head, text, value ? name : "",
                        value ? "=" : "", value ? value : "", value ? "\n" : "", (int) (end - rest), rest);
        if (size > GRUBENV_SIZE) {
                free(out);
                return -ENOSPC;
        }
        memset(out + size, '#', (size_t) (GRUBENV_SIZE - size));
        out[GRUBENV_SIZE] = '\0';
        *ret = out;
        return 0;
}

bool grubenv_is_empty(const char *text) {
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (*line != '#')
                        return false;
        return true;
}

int grubenv_check_writable(const struct root *root, const char *path, struct err *e) {
        _cleanup_free_ char *folder = strndup(path, (size_t) (strrchr(path, '/') - path));
        _cleanup_close_ int fd = -1;
        const char *why = NULL;
        struct statfs fs;
        struct stat st;

        if (!folder)
                return err_set(e, -ENOMEM, ERR_FAILED, path, "out of memory");
        fd = root_open(root, folder, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0) {
                int r = fd < 0 ? fd : -errno;

                return err_set(e, r, ERR_FAILED, folder, "%s: %s", folder, strerror(-r));
        }
        if (fs.f_type != EXT4_SUPER_MAGIC && fs.f_type != XFS_SUPER_MAGIC && fs.f_type != MSDOS_SUPER_MAGIC)
                why = "a file system that GRUB only reads";
        else if (root_exists(root, "/sys/dev/block/%u:%u/dm", major(st.st_dev), minor(st.st_dev)) > 0)
                why = "LVM or encryption, which GRUB only reads";
        else if (root_exists(root, "/sys/dev/block/%u:%u/md", major(st.st_dev), minor(st.st_dev)) > 0)
                why = "RAID, which GRUB only reads";
        if (!why)
                return 0;
        return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                       "%s is on %s, so GRUB could not note that the line was tried, and would try it for ever; "
                       "--no-trial changes the line of all boots at once", path, why);
}
