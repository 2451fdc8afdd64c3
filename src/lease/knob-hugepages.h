/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/knob.h"

/* The texts of the kind "hugepages", for the planner. */

/* "node0/hugepages-2048kB". Both: -EINVAL, -ENAMETOOLONG. */
int pool_name(unsigned node, uint64_t kib, char ret[static KNOB_NAME_MAX]);
int pool_parse(const char *name, unsigned *ret_node, uint64_t *ret_kib);

struct pool_claim {
        uint64_t added, needed; /* pages; added of those needed were not free */
        bool keep;              /* the added ones stay when the lease ends */
};
int pool_claim_format(const struct pool_claim *c, char ret[static KNOB_VALUE_MAX]);
int pool_claim_parse(const char *value, struct pool_claim *ret);
