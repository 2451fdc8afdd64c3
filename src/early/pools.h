/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/early-result.h"
#include "model/early.h"

/* "hugepages 1G 0": size and node. */
void pool_name(const struct early_pool *pool, char *buf, size_t size);

/* Makes the pool as large as it is wanted, never smaller; message says how many pages it has. For a child: the
 * kernel moves memory about until it has them. */
enum early_state pool_fill(const struct root *root, const struct early_pool *pool, char *message, size_t size);
