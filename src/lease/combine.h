/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/knob.h"

/* How the claims of several leases on one knob come together; for a kind's target(). A kind that is exclusive has
 * one claim at most and needs none of these. All return -EINVAL for texts that are not what they combine,
 * -ENAMETOOLONG. */

/* The claim that stands first in the order (NULL-terminated); claims that are not in it come after those that are,
 * the first lease's first. Without a claim the baseline. */
int combine_first(const struct knob_view *view, const char *const *order, char ret[static KNOB_VALUE_MAX]);

/* The CPUs that the baseline and all claims have in common; where the baseline has none of them, those that the
 * claims have in common. all (may be NULL) is the word for every CPU, which only the baseline is. */
int combine_intersection(const struct knob_view *view, const char *all, char ret[static KNOB_VALUE_MAX]);

/* The baseline and all numbers that the claims begin with: for what is used up. */
int combine_sum(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]);
