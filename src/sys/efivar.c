/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/efivar.h"

#include <efivar/efivar.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define LOADER_GUID "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define TEXT_MAX 255
#define ATTRIBUTES_SIZE 4 /* efivarfs puts a 32-bit word of attributes before the value */

/* Read as a file and not through libefivar, whose place of the variables is fixed when a program starts: captured hosts
 * have them elsewhere. */
int efi_loader_text(const struct root *root, const char *name, char *buf, size_t size) {
        _cleanup_free_ char *data = NULL;
        char path[128];
        size_t n, out = 0;
        int r;

        r = str_format(path, sizeof(path), VARIABLES "/%s-" LOADER_GUID, name);
        if (r >= 0)
                r = root_read(root, path, 4096, &data, &n);
        if (r < 0)
                return r;
        if (n < ATTRIBUTES_SIZE + 2 || n % 2 != 0)
                return -EBADMSG;
        for (size_t i = ATTRIBUTES_SIZE; i < n; i += 2) {
                unsigned c = (unsigned char) data[i] | (unsigned) (unsigned char) data[i + 1] << 8;

                if (c == 0)
                        break;
                if (out + 1 >= size)
                        return -ENAMETOOLONG;
                buf[out++] = c >= 0x20 && c < 0x7f ? (char) c : '?';
        }
        buf[out] = '\0';
        return 0;
}

/* An attribute word, UTF-16 and its NUL. */
struct value {
        unsigned char bytes[ATTRIBUTES_SIZE + 2 * (TEXT_MAX + 1)];
        size_t size;
};

static int encode(const char *text, struct value *ret) {
        size_t n = strlen(text);

        if (n > TEXT_MAX)
                return -ENAMETOOLONG;
        *ret = (struct value) { .size = ATTRIBUTES_SIZE + 2 * (n + 1) };
        ret->bytes[0] = EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS;
        for (size_t i = 0; i < n; i++)
                ret->bytes[ATTRIBUTES_SIZE + 2 * i] = (unsigned char) text[i];
        return 0;
}

static int set_in_tree(const struct root *root, const char *name, const char *text) {
        _cleanup_close_ int folder = -1, fd = -1;
        struct value value;
        char file[128];
        int r;

        folder = root_open(root, VARIABLES, O_RDONLY | O_DIRECTORY, 0);
        if (folder < 0)
                return folder == -ENOENT ? -EOPNOTSUPP : folder;
        r = str_format(file, sizeof(file), "%s-" LOADER_GUID, name);
        if (r < 0)
                return r;
        if (!text)
                return unlinkat(folder, file, 0) < 0 && errno != ENOENT ? -errno : 0;
        r = encode(text, &value);
        if (r < 0)
                return r;
        fd = openat(folder, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, value.bytes, value.size) < 0)
                return -errno;
        return 0;
}

/* libefivar's errno; some of its errors are not from the kernel and leave none. */
static int error(void) {
        return errno > 0 ? -errno : -EIO;
}

int efi_loader_set(const struct root *root, const char *name, const char *text) {
        static const efi_guid_t guid = EFI_GUID(0x4a67b082, 0x0a4c, 0x41cf, 0xb6c7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f);
        struct value value;
        int r;

        if (!root_is_live(root))
                return set_in_tree(root, name, text);
        if (!efi_variables_supported())
                return -EOPNOTSUPP;
        errno = 0;
        if (!text)
                return efi_del_variable(guid, name) < 0 && errno != ENOENT ? error() : 0;
        r = encode(text, &value);
        if (r < 0)
                return r;
        if (efi_set_variable(guid, name, value.bytes + ATTRIBUTES_SIZE, value.size - ATTRIBUTES_SIZE, value.bytes[0],
                             0644) < 0)
                return error();
        return 0;
}
