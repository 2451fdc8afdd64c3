/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/plan.h"

/* Prints a unified diff of one change to standard output, made by diff(1). -ENOENT: diff is not installed. */
int diff_print(const struct plan_change *change);
