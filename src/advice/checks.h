/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/root.h"
#include "model/finding.h"

/* The checks, a file for each part. Each fills in *f and returns 0, or -errno when it cannot tell. */

/* checks-kernel.c: firmware and kernel */
int check_cpu_virtualization(const struct root *root, struct finding *f);
int check_iommu_firmware(const struct root *root, struct finding *f);
int check_iommu_active(const struct root *root, struct finding *f);
int check_unsafe_interrupts(const struct root *root, struct finding *f);
int check_vfio_module(const struct root *root, struct finding *f);
int check_modprobe_ids(const struct root *root, struct finding *f);

/* checks-devices.c */
int check_groups_shared(const struct root *root, struct finding *f);
int check_display_left(const struct root *root, struct finding *f);

/* checks-libvirt.c */
int check_libvirt(const struct root *root, struct finding *f);
int check_hook_installed(const struct root *root, struct finding *f);
int check_hook_seen(const struct root *root, struct finding *f);
int check_hook_others(const struct root *root, struct finding *f);

/* checks-early.c */
int check_early_boot(const struct root *root, struct finding *f);

/* checks-passthru.c */
int check_socket(const struct root *root, struct finding *f);
int check_configuration(const struct root *root, struct finding *f);
int check_state(const struct root *root, struct finding *f);
