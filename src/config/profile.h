/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/request.h"

/* domains/NAME.conf: what the domain XML cannot say, and all there is for a lease without libvirt.
 *
 *   [domain]
 *   group=expand|strict
 *   boot-vga=no|yes
 *   hugepages=8G 2M 0-1            amount, page size and nodes, instead of what the XML says
 *   cpus=2-5                       where its vCPUs run, likewise
 *   hugepages-keep=never|always   pages that had to be added stay after the domain's end
 *   governor=performance           of the CPUs that the domain's vCPUs are pinned to
 *   epp=performance                their energy/performance preference
 *   cpufreq-scope=domain|all       both for all CPUs of the host
 *   isolate=no|yes                 the host's own work stays off the CPUs of <cputune>
 *   stop-services=display-manager.service   stopped in this order, started again in the reverse one
 *
 *   [device 0000:01:00.0]
 *   id=10de:2206            refuse when another device is at this address
 *   subsystem=1458:4037
 *   driver=vfio-pci         or a variant driver; only vfio drivers are taken
 *
 *   reset-method=flr        how it is reset while it is lent, of what its reset_method offers
 *   d3cold=no|yes           whether it may lose all power while it is lent
 *   runtime-pm=on|auto      on: it is never suspended while it is lent
 *
 * A [device] section adds the device when the request lacks it. */

/* Applies the profile of q->domain to q. No profile: nothing changes. *ret_found (may be NULL) says whether
 * there was one. Errors name the file, line and what was wanted. */
int profile_apply(const struct root *root, struct request *q, bool *ret_found, struct err *e);
