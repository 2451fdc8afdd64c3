/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* The kernel arguments in /run/ostree/staged-deployment, the deployment that becomes the default at shutdown and has
 * no boot loader entry yet: a GVariant dictionary (a{sv}), of which the member "kargs" (as) is taken. *ret: the line,
 * caller frees. -EBADMSG: there is no such member, or it is damaged. */
int ostree_staged_line(const char *data, size_t size, char **ret);
