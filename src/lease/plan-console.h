/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"
#include "model/request.h"

/* For a host with one display: claims that the services of the request are stopped, in their order, and, where the
 * display that the firmware booted with is lent, that no text console is drawn on it. Refused: a service that does
 * not exist. Only reads. On an error *lease may hold some claims and is to be dropped. */
int plan_console(const struct root *root, const struct request *q, struct lease *lease, struct err *e);
