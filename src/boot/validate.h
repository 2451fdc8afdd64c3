/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "boot/loader.h"
#include "boot/wanted.h"
#include "config/boot-settings.h"

/* Refuses what would not do what it says, or would stop the boot: parameters that no installed kernel knows, hugepages that
 * this machine does not have or a foreign parameter takes away, parameters that belong to another tool. entries: the lines
 * that the loader has now. force: also what could not stop a boot. Each error says the way out.
 *
 * Sources: drivers/pci/pci.c (config_acs since 6.11), mm/hugetlb.c (each size once; hugetlb_cma= turns boot-time gigantic
 * pages off), tuned's bootloader plugin. */
int wanted_validate(const struct root *root, const struct boot_settings *settings, const struct wanted *wanted,
                    const struct ledger *ledger, const struct boot_entries *entries, bool force, struct err *e);
