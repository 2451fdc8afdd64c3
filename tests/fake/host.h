/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "fake/cpus.h"
#include "fake/kernel.h"
#include "fake/memory.h"
#include "lease/lease.h"

/* The host that the lease tests share:
 *   00:02.0 boot VGA, group 1
 *   01:00.0 + 01:00.1 GPU and its sound, group 12
 *   02:00.0, 03:00.0 NVMe, groups 13 and 14
 *   00:13.0 port + 04:00.0 NVMe + 04:00.1 network, all in group 15
 * four CPUs (fake/cpus.h), and two nodes of 4 GiB each, of which 3 GiB are free and node 0 has HOST_POOL pages of
 * 2 MiB that nobody uses. */
#define HOST_POOL 64
struct host {
        struct tree *tree;
        const struct root *root;
        struct reconciler rec; /* reports to steps */
        struct step steps[64];
        size_t n_steps;
        char cpus[1024]; /* the baseline of fake/cpus.h */
};

void host_start(struct host *h);
void host_stop(struct host *h);

/* Lets go on what hangs, and waits until nothing of it writes into the tree any more. */
void host_release(void);

/* "driver override", "-" for none of either: "nvme -". Static buffer. */
const char *host_binding(const struct host *h, const char *address);

/* Fails the test unless every device has the binding that host_start made, every pool its size, and all that has
 * to do with CPUs is as it was. */
void host_assert_baseline(const struct host *h);

/* The same, and the state has no lease and no knob left. */
void host_assert_nothing_lent(const struct host *h);

/* All devices' bindings and the pools in one text, for comparison. buf holds 512 bytes. */
const char *host_snapshot(const struct host *h, char *buf);

/* A request for the devices (NULL-terminated list). */
void request_make(struct request *q, const char *domain, ...) __attribute__((sentinel));

/* Pins it to these CPUs and wants all of them for itself. */
void request_isolation(struct request *q, const char *cpus);

/* Adds this much memory in pages of 2 MiB, of a node or (-1) of any. */
void request_memory(struct request *q, int node, uint64_t mib);
