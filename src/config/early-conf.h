/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/early.h"

/* early.conf: what is reserved when the host boots.
 *
 *   [device 0000:01:00.0]
 *   id=10de:2206             required: addresses move when cards are added
 *   subsystem=1458:4037
 *   driver=vfio-pci          or a variant driver
 *   force=no|yes             also the firmware's or the only display, or a card of a network root
 *   idle=vfio|host           host: the booted system gives it to its own driver while nothing borrows it
 *
 *   [hugepages]
 *   1G=0:2,1:2               NODE:NUMBER, or one number for wherever the kernel finds them
 *
 * In the copy that goes into an image there is also
 *
 *   [device …]  path=0000:00:1c.4/00.0      where it was then
 *   [image]     keep=0000:00:1d.0/00.0 /    a device that the host booted from, and what it held; more than once
 */

#define EARLY_CONF "early.conf"
#define EARLY_CONF_PATH "/etc/passthru/" EARLY_CONF

/* As ini_load. All or nothing: *ret is untouched on an error. */
int early_conf_load(const struct root *root, struct early *ret, struct err *e);

/* One text; file is used in messages only. */
int early_conf_parse(const char *file, const char *text, size_t size, struct early *ret, struct err *e);

/* The text that early_conf_parse reads as the same. Caller frees; NULL: out of memory. */
char *early_conf_format(const struct early *early);
