/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/cpu-set.h"

/* The CPUs that run at present. */
int cpus_online(const struct root *root, struct cpu_set *ret, struct err *e);

/* Those that are named like this in /sys/devices/system/cpu: "possible", "isolated". Missing: the empty set. */
int cpus_listed(const struct root *root, const char *name, struct cpu_set *ret);
