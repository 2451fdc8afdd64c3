/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "fake/tree.h"

/* The CPUs of a fake host: four of them, two in each node and package core, a cpufreq policy for each, interrupts,
 * the unbound workqueues' mask, and a systemd with its top-level slices: IRQ 24   nvme0q1, any CPU IRQ 26 nvme0q2
 * on CPU 3, placed by the kernel: writes answer EIO IRQ 25   eth0 on CPU 2 only            IRQ 27   nobody's
 *   system.slice user.slice init.scope own.slice machine.slice, of which user.slice may use 0-2 only */

void fake_cpus_start(struct tree *tree);
void fake_cpus_stop(void);

/* Two services, "a.service" and "b.service", that run. */
bool fake_service_is_active(const char *name);

/* All that a lease may change, in one text of less than 1024 bytes. buf holds 1024 bytes; returns it. */
const char *fake_cpus_snapshot(char *buf);

/* systemd forgets to take a restriction out of the cgroup (systemd#43846). */
void fake_cpus_forgetful(bool yes);

/* To be called before a file is read: what a cgroup may really use follows from what it was given, also when the
 * process that changed it was killed right after. */
void fake_cpus_refresh(const char *path);

/* What a write does: 0 or -errno; 1: the path is none of this file's. */
int fake_cpus_write(const char *path, const char *value);
