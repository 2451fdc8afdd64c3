/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/topology.h"

/* Reads /sys/devices/system/cpu and /sys/devices/system/node. What a kernel does not show (no cache in some
 * virtual machines) is the CPU's package, and without that the CPU alone. */
int topology_read(const struct root *root, struct topology *ret, struct err *e);
