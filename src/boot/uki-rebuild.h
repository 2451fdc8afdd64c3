/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"

/* Unified kernel images that take no addon: /etc/kernel/cmdline, from which all images are built anew. */
int uki_rebuild_plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e);
