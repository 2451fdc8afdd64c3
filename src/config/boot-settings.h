/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "config/ini.h"

#define HUGEPAGE_POOLS_MAX 4
#define KERNEL_VERSION_MAX 64

/* What passthru.conf says about the kernel that boots next:
 *
 *   [iommu]       enable=auto|on|off      passthrough=no|yes
 *   [acs]         override=downstream,multifunction,id:8086:1901      config=0011101@pci:0:0
 *   [hugepages]   1G=4      2M=0:512,1:512
 *   [vfio]        ids=10de:2206,10de:1aef
 *   [parameters]  extra=any kernel parameters
 *   [boot]        kernel=6.8.0-acso      which of the installed kernels boots by default */
struct boot_settings {
        enum { IOMMU_AUTO, IOMMU_ON, IOMMU_OFF } iommu;
        bool passthrough;
        char acs_override[512];
        char acs_config[256];
        struct {
                char size[8];
                char count[64]; /* a number, or NODE:NUMBER,… */
        } pools[HUGEPAGE_POOLS_MAX];
        size_t n_pools;
        char vfio_ids[256];
        char extra[1024];
        char kernel[KERNEL_VERSION_MAX]; /* "": the boot loader's own choice */
};

/* Handles an entry of these sections: 1. 0: it is of another section. Negative: *e says what was wanted. */
int boot_settings_entry(const struct ini_entry *entry, struct boot_settings *settings, struct err *e);
