/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/knob.h"

/* How the claims of several leases on one knob come together; for a kind's target(). A kind that is exclusive has one
 * claim at most and needs none of these. All return -EINVAL for texts that are not what they combine, -ENAMETOOLONG. */

/* The baseline and all numbers that the claims begin with: for what is used up. */
int combine_sum(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]);
