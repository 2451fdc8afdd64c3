/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "base/root.h"

/* The text of one section of a PE file (unified kernel images and their addons), at most max bytes, up to its first
 * NUL. Only the headers and this section are read. Caller frees. -ENODATA: no such section; -EBADMSG: no PE file. */
int pe_section_text(const struct root *root, const char *path, const char *section, size_t max, char **ret);
