/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* What the helper of the benchmark shares with the program that measures. */
struct usage {
        uint64_t answers;  /* signals answered */
        uint64_t cpu_usec; /* the helper and all workers it has waited for */
        uint64_t idle;     /* it has no workers */
};
