/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"
#include "model/request.h"

/* Turns the memory of a request into claims of *lease: for each node and page size as many pages as the pool
 * lacks. Pages that are free but promised to a lease whose domain has not taken them yet are not counted on.
 * Refused before anything is changed: nodes and page sizes that do not exist, more than a node has in all. Only
 * reads. On an error *lease may hold some claims and is to be dropped. */
int plan_memory(const struct root *root, const struct request *q, const struct state *s, struct lease *lease,
                struct err *e);
