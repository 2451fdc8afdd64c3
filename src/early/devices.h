/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/early-result.h"
#include "model/early.h"

/* A device that nobody but its vfio driver may take from now on. */
struct reserved {
        struct bdf address;
        const char *driver;
        size_t item; /* its index in the result */
};

struct reserved_list {
        struct reserved list[EARLY_DEVICES_MAX];
        size_t n;
};

/* Finds each device, asks whether the host can do without it, and writes its driver_override. Each one gets an
 * item in the result, those that are reserved one that is still pending. Does not wait for any driver. */
void devices_reserve(const struct root *root, const struct early *early, const char *cmdline,
                     struct early_result *result, struct reserved_list *ret);

/* What hangs as long as a driver likes, for a child: loads the vfio drivers with the initramfs' modprobe, binds
 * the devices to them, away from a driver that was faster, and calls done for each one with what became of it. */
typedef void (*devices_done)(size_t item, enum early_state state, const char *message, void *userdata);
void devices_bind(const struct root *root, const struct reserved_list *reserved, devices_done done,
                  void *userdata);
