/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* The kernel's part of a rebind in the tree that tree.c made: driver_override, unbind and drivers_probe do what they
 * do in sysfs, with as few system calls as can be: both sides pay the same for it. */
int bench_write(const struct root *root, const char *path, const char *value);

/* BENCH_ROOT of the environment; aborts without it. */
struct root *bench_root(void);
