/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "config/boot-settings.h"
#include "model/cmdline.h"

#define WANTED_MAX 32
#define WANTED_TEXT_MAX 256

/* The kernel parameters that the configuration asks for, on this host. */
struct wanted {
        char text[WANTED_MAX][WANTED_TEXT_MAX];
        const char *list[WANTED_MAX]; /* points into text */
        size_t n;
        char note[256]; /* why something that people expect is not there; may be "" */
};

/* Looks at the firmware's tables and the installed kernels: intel_iommu=on only where a kernel needs it, and never
 * amd_iommu=on, which is no valid value. Whether all of it would work: boot/validate.h. */
int wanted_find(const struct root *root, const struct boot_settings *settings, struct wanted *ret, struct err *e);
