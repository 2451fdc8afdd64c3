/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/root.h"

/* The installed kernels, and what comes with them. */

#define CONFIG_ACS_VERSION 611 /* pci=config_acs= (drivers/pci/pci.c) */

/* Calls fn with the text of each /boot/PREFIX-VERSION and, where distributions keep them beside the modules, of each
 * /lib/modules/VERSION/PREFIX, until it returns true. *found: there is one. */
bool kernels_any_file(const struct root *root, const char *prefix, bool (*fn)(const char *text), bool *found);

/* The newest version that is installed: 100 * 6 + 11 for 6.11. 0: none is known. */
unsigned kernels_newest(const struct root *root);

/* The kernel that runs ignores this parameter: it lacks the ACS patch, is older than the parameter, or the value is none.
 * False when that cannot be told. */
bool kernel_ignores(const struct root *root, const char *parameter);
