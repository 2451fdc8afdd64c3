/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/ostree-staged.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEY "kargs" /* with its NUL */
#define TYPE "\0as" /* ends a variant that holds a list of strings */
#define TYPE_SIZE 3
#define ALIGNMENT 8

/* GVariant's offsets have the smallest size that holds the container's. */
static size_t offset_size(size_t container) {
        return container <= UINT8_MAX ? 1 : container <= UINT16_MAX ? 2 : 4;
}

static size_t read_offset(const char *data, size_t size) {
        size_t value = 0;

        for (size_t i = size; i-- > 0;)
                value = value << 8 | (unsigned char) data[i];
        return value;
}

/* A list is its strings, each with a NUL, and then the offset of each one's end. True when this is one. */
static bool list_is_valid(const char *list, size_t size, size_t *ret_strings) {
        size_t width = offset_size(size), strings, n = 0, end = 0;

        if (size < width + 1)
                return false;
        strings = read_offset(list + size - width, width);
        if (strings == 0 || strings > size || (size - strings) % width != 0)
                return false;
        for (const char *table = list + strings; table < list + size; table += width, n++) {
                size_t next = read_offset(table, width);

                if (next <= end || next > strings || list[next - 1] != '\0' || strlen(list + end) + 1 != next - end)
                        return false;
                end = next;
        }
        *ret_strings = strings;
        return n > 0 && end == strings;
}

/* The strings with spaces between them. */
static int join(const char *list, size_t strings, char **ret) {
        char *line = malloc(strings);

        if (!line)
                return -ENOMEM;
        memcpy(line, list, strings);
        for (size_t i = 0; i + 1 < strings; i++)
                if (!line[i])
                        line[i] = ' ';
        *ret = line;
        return 0;
}

int ostree_staged_line(const char *data, size_t size, char **ret) {
        const char *end = data + size, *key = data;

        while ((key = memmem(key, (size_t) (end - key), KEY, sizeof(KEY)))) {
                size_t at = ((size_t) (key - data) + sizeof(KEY) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                const char *type = at < size ? data + at : end;
                size_t strings;

                /* An argument may begin with "as" too: the first end that makes a whole list is it. */
                while ((type = memmem(type, (size_t) (end - type), TYPE, TYPE_SIZE))) {
                        if (list_is_valid(data + at, (size_t) (type - data) - at, &strings))
                                return join(data + at, strings, ret);
                        type++;
                }
                key++;
        }
        return -EBADMSG;
}
