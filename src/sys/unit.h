/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/cpu-set.h"

/* systemd's units through its D-Bus interface (org.freedesktop.systemd1); only on the running host. */

/* Sets AllowedCPUs= until the next boot. cpus NULL: as if it had never been set; systemd leaves what is in the
 * cgroup then on some versions (systemd#43846), so set all CPUs first. systemd writes the cgroup after it has
 * answered: read it back. -EOPNOTSUPP: not the running host, or no systemd. -ENODEV: no such unit. */
int unit_set_cpus(const struct root *root, const char *unit, const struct cpu_set *cpus, struct err *e);

/* Active: running, or about to be. Both -ENODEV: there is no such unit; -EOPNOTSUPP as above. */
int unit_is_active(const struct root *root, const char *unit, bool *ret, struct err *e);

/* Starts or stops it and waits until that is through: as long as systemd lets it take. -EIO: it did not start, or
 * stop. */
int unit_set_active(const struct root *root, const char *unit, bool active, struct err *e);

/* Starts one that does its work and ends (a oneshot service), and waits until it is through. How it ended is not asked.
 * -ETIMEDOUT. */
int unit_run(const struct root *root, const char *unit, uint64_t timeout_usec, struct err *e);

/* "NAME.slice", "NAME.scope" of [A-Za-z0-9:_.\-]: what a top-level cgroup may be called. */
bool unit_name_is_valid(const char *name);
