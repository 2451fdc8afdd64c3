/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "fake/kernel.h"
#include "lease/lease.h"

/* The host that the lease tests share:
 *   00:02.0 boot VGA, group 1
 *   01:00.0 + 01:00.1 GPU and its sound, group 12
 *   02:00.0, 03:00.0 NVMe, groups 13 and 14
 *   00:13.0 port + 04:00.0 NVMe + 04:00.1 network, all in group 15 */
struct host {
        struct tree *tree;
        const struct root *root;
        struct reconciler rec; /* reports to steps */
        struct step steps[64];
        size_t n_steps;
};

void host_start(struct host *h);
void host_stop(struct host *h);

/* "driver override", "-" for none of either: "nvme -". Static buffer. */
const char *host_binding(const struct host *h, const char *address);

/* Fails the test unless every device has the binding that host_start made. */
void host_assert_baseline(const struct host *h);

/* All devices' bindings in one text, for comparison. buf holds 512 bytes. */
const char *host_snapshot(const struct host *h, char *buf);

/* A request for the devices (NULL-terminated list). */
void request_make(struct request *q, const char *domain, ...) __attribute__((sentinel));
