/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/pci-device.h"

/* Who uses a PCI function now, so that taking its driver away would hurt: the kernel unbinds a disk with a
 * mounted file system without a word. */
enum holder_kind {
        HOLDER_PROCESS, /* an open file descriptor on one of its device nodes; sound controls, input devices and the like
                         * do not count: desktops have all of them open, and survive their hot unplug */
        HOLDER_MOUNT,   /* a mounted file system, through partitions, dm, md, btrfs as well */
        HOLDER_SWAP,
        HOLDER_STACK,   /* a block device built on it: device-mapper, md, bcache */
        HOLDER_CLAIM,   /* open(O_EXCL) says busy and none of the above explains it: ZFS, multipath, … */
        HOLDER_ROUTE,   /* the default route leaves through it */
        HOLDER_VFIO,    /* a process has the VFIO group or device open: a running virtual machine */
};

struct holder {
        enum holder_kind kind;
        int pid;           /* HOLDER_PROCESS, HOLDER_VFIO; else 0 */
        char what[160];    /* "Xorg", "/home", "swap on /dev/nvme0n1p3", "default route through eth0", … */
        char node[64];     /* through which node: "/dev/dri/card1", "/dev/nvme0n1p2", "eth0" */
};

struct holders {
        struct holder *list;
        size_t n;
};
void holders_done(struct holders *holders);
#define _cleanup_holders_ _cleanup_(holders_done)

/* Finds all holders of the devices (one scan of /proc for all of them) and appends them; *ret must be empty or
 * valid, ret[i] belongs to devices[i]. Order: kinds as above, then pid. A process counts once for each device;
 * we ourselves do not count; over 256 of one device are dropped. Errors: -ENOMEM, what reading the mounts
 * answered. What cannot be read (a process that ended meanwhile) is skipped. Not found: memory that is still
 * mapped after its file was closed, and what only another mount or network namespace shows (an exclusive open
 * of a disk shows all the same, as HOLDER_CLAIM). Seeing the files of other users' processes takes
 * CAP_SYS_PTRACE. */
int holders_find(const struct root *root, const struct pci_device *const *devices, size_t n, struct holders *ret,
                 struct err *e);

/* "used by Xorg (pid 812, /dev/dri/card1), mounted at /home (/dev/nvme1n1p1)": at most size bytes; what does
 * not fit is counted ("and 4 more"). Returns buf. */
const char *holders_describe(const struct holders *holders, char *buf, size_t size);
