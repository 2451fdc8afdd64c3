/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/pe.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTIONS_MAX 256
#define DOS_HEADER_SIZE 64
#define DOS_PE_OFFSET 0x3c

/* On disk, little-endian; the sections follow the optional header. */
struct pe_header {
        char magic[4]; /* "PE\0\0" */
        uint16_t machine, n_sections;
        uint32_t time, symbols, n_symbols;
        uint16_t optional_size, flags;
} __attribute__((packed));

struct pe_section {
        char name[8]; /* without a NUL where it has 8 characters */
        uint32_t virtual_size, virtual_address, raw_size, raw_offset;
        uint32_t relocations, lines;
        uint16_t n_relocations, n_lines;
        uint32_t flags;
} __attribute__((packed));

static int read_at(int fd, void *buf, size_t size, uint64_t offset) {
        ssize_t n = pread(fd, buf, size, (off_t) offset);

        return n < 0 ? -errno : (size_t) n == size ? 0 : -EBADMSG;
}

static int find_section(int fd, const char *name, struct pe_section *ret) {
        char dos[DOS_HEADER_SIZE];
        struct pe_header h;
        uint32_t at;
        int r = read_at(fd, dos, sizeof(dos), 0);

        if (r < 0 || memcmp(dos, "MZ", 2) != 0)
                return r < 0 ? r : -EBADMSG;
        memcpy(&at, dos + DOS_PE_OFFSET, sizeof(at));
        at = le32toh(at);
        r = read_at(fd, &h, sizeof(h), at);
        if (r < 0 || memcmp(h.magic, "PE\0", 4) != 0 || le16toh(h.n_sections) > SECTIONS_MAX)
                return r < 0 ? r : -EBADMSG;
        for (size_t i = 0; i < le16toh(h.n_sections); i++) {
                struct pe_section s;

                r = read_at(fd, &s, sizeof(s), (uint64_t) at + sizeof(h) + le16toh(h.optional_size) + i * sizeof(s));
                if (r < 0)
                        return r;
                if (strncmp(s.name, name, sizeof(s.name)) == 0) {
                        *ret = s;
                        return 0;
                }
        }
        return -ENODATA;
}

int pe_section_text(const struct root *root, const char *path, const char *section, size_t max, char **ret) {
        _cleanup_close_ int fd = root_open(root, path, O_RDONLY, 0);
        _cleanup_free_ char *text = NULL;
        struct pe_section s;
        size_t size;
        int r = fd < 0 ? fd : find_section(fd, section, &s);

        if (r < 0)
                return r;
        /* The raw size is rounded up to the file's alignment; the virtual one is not. */
        size = le32toh(s.virtual_size) < le32toh(s.raw_size) ? le32toh(s.virtual_size) : le32toh(s.raw_size);
        if (size > max)
                return -EFBIG;
        text = calloc(1, size + 1);
        if (!text)
                return -ENOMEM;
        r = read_at(fd, text, size, le32toh(s.raw_offset));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
