/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"
#include "model/request.h"

/* Turns the devices of a request into claims of *lease, after every check that can be made before the first write:
 * the address exists and has the expected ids; it is an endpoint in an IOMMU group; it is not the boot VGA unless
 * allowed; nothing uses it; the rest of its group comes along or, with GROUP_STRICT, is not in the way.
 * Loads the vfio modules, unless q->dry_run; else only reads. Can hang: run it in a child. On an error *lease may hold
 * some claims and is to be dropped. */
int plan_devices(const struct root *root, const struct request *q, const struct state *s, struct lease *lease,
                 struct err *e);

/* After the devices were bound: every group of the lease's devices is one that VFIO accepts. Never hangs. */
int verify_groups(const struct root *root, const struct lease *lease, struct err *e);
