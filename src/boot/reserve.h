/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/early.h"
#include "model/plan.h"

/* Which devices are reserved when the host boots: early.conf, edited as text. What is not about a device that is
 * named stays, byte for byte. */

/* Makes the plan that reserves these devices, and (expand) what else is in their IOMMU groups; without expand,
 * such a device is an error. An entry for the same address is replaced. settings: force, idle_host and the driver
 * of each. Errors: -ENODEV; -EPERM what reserve_check() refuses, or a group of which only a part is named. */
int reserve_plan(const struct root *root, const struct bdf *addresses, size_t n, bool expand,
                 const struct early_device *settings, struct plan *plan, struct err *e);

/* Makes the plan that takes them out again, with what is listed of their groups. -ENOENT: one is not listed;
 * -EPERM: it is in another file than EARLY_CONF_PATH. */
int release_plan(const struct root *root, const struct bdf *addresses, size_t n, struct plan *plan, struct err *e);

/* Writes it. -ESTALE: somebody else changed the file since. */
int reserve_apply(const struct root *root, const struct plan *plan, struct err *e);
