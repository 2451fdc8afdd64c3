/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"
#include "model/finding.h"

/* Is this host ready to lend? One row per check in the table of check.c. */

#define CHECKS_MAX 64

/* Runs all checks; *ret_n findings are written to ret (at most CHECKS_MAX). A check that cannot tell says so in a
 * finding of its own; only reads. Returns the worst severity. */
enum severity check_all(const struct root *root, struct finding *ret, size_t *ret_n);
