/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/root.h"

/* Loads a kernel module as modprobe does, by systemd's modprobe@NAME.service, unless /sys/module shows that it
 * is loaded or built in: then nobody is asked. Never unloads. Only the running host can load; for any other
 * root a missing module is -EOPNOTSUPP. Errors: -EINVAL no name of a module, -ENOENT modprobe did not load it
 * (*e says where to look), -ETIMEDOUT not within a minute, what D-Bus or systemd answered. */
int module_ensure(const struct root *root, const char *name, struct err *e);

/* The names of the modules that would load for a PCI function, as "nouveau nvidia", in the order of the kernel's
 * lookup; "" when there is none, or the host has no index of its modules. What modprobe.d blacklists is left out,
 * except under a root of its own. Returns buf. */
const char *module_for_device(const struct root *root, const char *address, char *buf, size_t size);

/* True when /sys/module/NAME exists ('-' and '_' are the same). */
bool module_is_loaded(const struct root *root, const char *name);
