/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ext4 as GRUB reads it: the library opens a file system that wants its journal replayed as it is, and is told to look
 * at no checksum. */

#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "folder.h"

static struct struct_io_manager manager;

static errcode_t channel_open(const char *name, int flags, io_channel *ret) {
        io_channel channel = calloc(1, sizeof(*channel));

        (void) flags;
        if (!channel)
                return EXT2_ET_NO_MEMORY;
        channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
        channel->manager = &manager;
        channel->name = strdup(name);
        channel->block_size = 1024;
        channel->refcount = 1;
        /* The only way to hand the disk through is the name. */
        if (!channel->name || sscanf(name, "%p", &channel->private_data) != 1) {
                free(channel->name);
                free(channel);
                return EXT2_ET_NO_MEMORY;
        }
        *ret = channel;
        return 0;
}

static errcode_t channel_close(io_channel channel) {
        if (--channel->refcount > 0)
                return 0;
        free(channel->name);
        free(channel);
        return 0;
}

static errcode_t channel_set_block_size(io_channel channel, int size) {
        channel->block_size = size;
        return 0;
}

/* A negative count is one of bytes. */
static errcode_t channel_read64(io_channel channel, unsigned long long block, int count, void *data) {
        size_t size = count < 0 ? (size_t) -count : (size_t) count * (size_t) channel->block_size;

        return disk_read(channel->private_data, block * (uint64_t) channel->block_size, data, size) < 0 ?
                       EXT2_ET_SHORT_READ :
                       0;
}

static errcode_t channel_read(io_channel channel, unsigned long block, int count, void *data) {
        return channel_read64(channel, block, count, data);
}

static errcode_t channel_flush(io_channel channel) {
        (void) channel;
        return 0;
}

static struct struct_io_manager manager = {
        .magic = EXT2_ET_MAGIC_IO_MANAGER,
        .name = "a disk at a power cut",
        .open = channel_open,
        .close = channel_close,
        .set_blksize = channel_set_block_size,
        .read_blk = channel_read,
        .read_blk64 = channel_read64,
        .flush = channel_flush,
};

struct reading {
        ext2_filsys fs;
        struct folder *folder;
};

static int read_file(ext2_filsys fs, ext2_ino_t inode, struct folder_file *f) {
        ext2_file_t file;
        unsigned int n = 0;
        errcode_t e;

        if (ext2fs_file_open(fs, inode, 0, &file))
                return -EIO;
        e = ext2fs_file_read(file, f->text, sizeof(f->text), &n);
        ext2fs_file_close(file);
        f->size = n;
        return e || n == sizeof(f->text) ? -EIO : 0;
}

static int take(struct ext2_dir_entry *entry, int offset, int block_size, char *block, void *userdata) {
        struct reading *reading = userdata;
        struct folder *folder = reading->folder;
        struct folder_file *f = &folder->files[folder->n];
        int n = ext2fs_dirent_name_len(entry);

        (void) offset, (void) block_size, (void) block;
        if (folder->n == FOLDER_FILES_MAX)
                return DIRENT_ABORT;
        memcpy(f->name, entry->name, (size_t) n);
        f->name[n] = '\0';
        if (folder_wants(f->name) && read_file(reading->fs, entry->inode, f) >= 0)
                folder->n++;
        return 0;
}

int ext4_read(struct disk *disk, const char *path, struct folder *ret) {
        struct reading reading = { .folder = ret };
        ext2_ino_t inode;
        char name[32];
        errcode_t e;

        (void) str_format(name, sizeof(name), "%p", (void *) disk);
        ret->n = 0;
        if (ext2fs_open(name, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS, 0, 0, &manager, &reading.fs))
                return -EIO;
        e = ext2fs_namei(reading.fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &inode);
        if (!e)
                e = ext2fs_dir_iterate(reading.fs, inode, 0, NULL, take, &reading);
        ext2fs_free(reading.fs);
        return e ? -EIO : 0;
}
