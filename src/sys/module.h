/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/root.h"

/* Loads a kernel module with what it depends on, as modprobe does (aliases, options, soft dependencies), unless
 * /sys/module shows that it is loaded or built in: then libkmod is not even opened. Never unloads. Only the
 * running host can load; for any other root a missing module is -EOPNOTSUPP. Install commands of modprobe.d are
 * not run: a module that has one is refused with -EPERM.
 * Errors: -EINVAL no name of a module, -ENOENT no such module (package to look for in *e), -EPERM,
 * -EKEYREJECTED (Secure Boot), what the kernel answered. */
int module_ensure(const struct root *root, const char *name, struct err *e);

/* The names of the modules that would load for a PCI function, as "nouveau nvidia", in the order of the kernel's
 * lookup; "" when there is none, or the host has no index of its modules. What modprobe.d blacklists is left out,
 * except under a root of its own. Returns buf. */
const char *module_for_device(const struct root *root, const char *address, char *buf, size_t size);

/* True when /sys/module/NAME exists ('-' and '_' are the same). */
bool module_is_loaded(const struct root *root, const char *name);

/* What the answer r of the kernel or libkmod for a module means for the person. Returns r. */
int module_explain(const char *name, int r, struct err *e);
