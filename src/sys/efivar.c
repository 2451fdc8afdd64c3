/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/efivar.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define LOADER_GUID "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
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
