/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"
#include "model/request.h"

/* Claims governor and energy preference of every cpufreq policy that has one of the domain's CPUs (of all policies
 * where the request says so, or the domain is not pinned). Refused: words that a policy does not offer, a host
 * without cpufreq. Only reads. On an error *lease may hold some claims and is to be dropped. */
int plan_cpufreq(const struct root *root, const struct request *q, struct lease *lease, struct err *e);
