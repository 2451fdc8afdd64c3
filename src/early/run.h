/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"

/* The whole work in an initramfs. Whatever goes wrong is logged and written down; the boot goes on after a second
 * at the latest, and what is not through by then goes on beside it for a minute at most. */
void early_run(const struct root *root);
