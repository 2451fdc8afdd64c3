/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/request.h"

/* What a profile and our element in a domain's metadata both say, under the same keys. -EINVAL: *e names the key,
 * what was wanted and what was found; nothing was changed. */

/* group, boot-vga, hugepages, hugepages-keep, cpus, governor, epp, cpufreq-scope, isolate, stop-services */
int option_set_domain(struct request *q, const char *key, const char *value, struct err *e);

/* id, subsystem, driver, reset-method, d3cold, runtime-pm */
int option_set_device(struct request_device *d, const char *key, const char *value, struct err *e);
