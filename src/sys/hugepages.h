/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/cpu-set.h"

/* The pools of huge pages, one for each NUMA node and page size (kernel:
 * Documentation/admin-guide/mm/hugetlbpage.rst). */

#define HUGEPAGE_KIB_MAX (UINT64_C(16) << 20) /* 16 GiB, the largest of any architecture */

struct hugepages {
        uint64_t total; /* persistent ones; those above what was asked for (surplus) go by themselves */
        uint64_t free;
};

/* The nodes that have memory. -EOPNOTSUPP: the kernel does not show any (no CONFIG_NUMA). */
int hugepages_nodes(const struct root *root, struct cpu_set *ret, struct err *e);

/* What a domain gets that names no size. */
int hugepages_default_kib(const struct root *root, uint64_t *ret, struct err *e);

/* -ENODEV: there is no such node, or no pages of this size; neither hangs. */
int hugepages_read(const struct root *root, unsigned node, uint64_t kib, struct hugepages *ret, struct err *e);

/* Makes the pool this large. Pages that are in use are not taken away: -EBUSY then, with what is free given back.
 * Growing goes from gentle to firm until until_usec (CLOCK_BOOTTIME) or until several tries in a row bring
 * nothing, and calls progress(pages added, pages to add). Short of it: -ENOMEM with the numbers, and what was got
 * stays: the caller decides. May take long. */
int hugepages_set(const struct root *root, unsigned node, uint64_t kib, uint64_t count, uint64_t until_usec,
                  void (*progress)(uint64_t done, uint64_t total, void *userdata), void *userdata, struct err *e);

/* "2 MiB", "1 GiB": buf holds 24 bytes; returns it. */
const char *kib_format(uint64_t kib, char buf[static 24]);
