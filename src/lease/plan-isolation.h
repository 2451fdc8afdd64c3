/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"
#include "model/request.h"

/* Every CPU that the domain is pinned to runs. Else -ENODEV, with those that do not. */
int plan_check_cpus(const struct root *root, const struct request *q, struct err *e);

/* Claims that the host's own work stays off the domain's CPUs: of every top-level slice and scope but
 * machine.slice, of all interrupts that may come to these CPUs, of those to come, and of the kernel's unbound
 * workers; and that irqbalance is stopped. Refused: a domain that is not pinned, and one that together with what
 * is lent would leave the host without a CPU. Only reads. On an error *lease may hold some claims and is to be
 * dropped. */
int plan_isolation(const struct root *root, const struct request *q, const struct state *s, struct lease *lease,
                   struct err *e);
