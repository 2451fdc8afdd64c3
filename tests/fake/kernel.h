/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fake/tree.h"

/* A kernel for a fake host: writes to driver_override, unbind, bind and drivers_probe change the tree as the real
 * kernel would (drivers/pci/pci-sysfs.c, drivers/base/bus.c). It sits behind root_write_attr by --wrap, so the code
 * under test is what ships. Its switches are shared with forked children.
 *
 * Every write of the code under test (to the host, to the state file, to a pipe) is a step. The process can be killed
 * before any of them, and writes to the host can be made to fail or to hang. One kernel at a time. */

void fake_kernel_start(struct tree *tree);
void fake_kernel_stop(void);

/* Which driver binds to a function when nothing is overridden; the driver is made known (loaded). */
void fake_kernel_native(const char *address, const char *driver);

enum fake_death {
        DEATH_NONE,
        DEATH_GROUP,  /* the whole process group, as systemd does */
        DEATH_SELF,   /* the process that makes the step: a lane's child or the worker */
        DEATH_WORKER, /* the process set by fake_kernel_worker(); a lane's child is told by the kernel */
};

/* Kills at the step with this number (from 1, counted from this call on). */
void fake_kernel_die_at(enum fake_death how, unsigned step);
void fake_kernel_worker(int pid);

/* Steps since the last fake_kernel_die_at(). */
unsigned fake_kernel_steps(void);

enum fake_fault {
        FAULT_NONE,
        FAULT_ERROR,  /* the write answers -error and does nothing */
        FAULT_SHORT,  /* the write takes all but one byte, and does nothing */
        FAULT_IGNORE, /* the write succeeds and does nothing */
        FAULT_HANG,   /* the write does not come back until fake_kernel_release(), and meanwhile neither does a read of that
                       * function's driver_override or uevent: the kernel holds the device's lock in an unbind */
};

/* The next `times` writes to a path that contains this text get the fault. */
void fake_kernel_fail(const char *path_part, enum fake_fault fault, int error, unsigned times);
void fake_kernel_release(void);

/* For other fakes whose functions are steps as well: begin says whether the change may be made, else *ret is what
 * to answer (0 for one that is ignored); after the change comes end. */
bool fake_kernel_begin(const char *path, int *ret);
void fake_kernel_end(void);

/* Writes to unbind since the start that hit a function at the same time as another one of its bus was in work: lanes
 * must make this impossible. */
unsigned fake_kernel_overlaps(void);
