/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"
#include "model/request.h"

/* Claims how the devices that were asked for are reset and put to sleep. Refused: a reset method that the device
 * does not offer, a device without the attribute. Only reads, but can hang like every read of a device. On an
 * error *lease may hold some claims and is to be dropped. */
int plan_tuning(const struct root *root, const struct request *q, struct lease *lease, struct err *e);
