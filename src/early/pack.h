/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/early.h"

/* What goes into an image: the configuration, with where each device is now and what this host boots from. 1: *ret
 * is filled; 0: nothing is configured, so that nothing goes into it. */
int pack_prepare(const struct root *root, struct early *ret, struct err *e);

/* The i-th module that the image needs, each once; NULL: there are no more. */
const char *pack_module(const struct early *early, size_t i);
