/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "log.h"

/* Makes a file that holds what was on the disk after the first n writes of the step. seed, if not 0: each of those that
 * no flush has followed may be missing. */
int image_make(const struct log *log, const struct step *step, size_t n, unsigned seed, uint64_t size,
               const char *file);
