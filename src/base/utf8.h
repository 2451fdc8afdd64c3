/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macro.h"

/* How many bytes at the start of s are valid UTF-8 (Unicode's table 3-7: no over-long form, no surrogate,
 * nothing above U+10FFFF); the whole string is when this is its length. */
size_t utf8_span(const char *s);

/* Replaces every byte that is not part of valid UTF-8 by '?', in place. */
void utf8_repair(char *s);
