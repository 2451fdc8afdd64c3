/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"

/* "passthru device idle": gives those devices that early.conf reserves with idle=host to the drivers that the host
 * has for them. From then on they are lent and taken back as any other. Those that are lent, in use, or no longer
 * as the initramfs left them stay. Exit status. */
int device_idle(struct cli *cli);
