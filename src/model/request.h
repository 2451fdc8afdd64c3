/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/cpu-set.h"
#include "model/pci-device.h"

#define REQUEST_DEVICES_MAX 64
#define REQUEST_MEMORY_MAX 64
#define CPUFREQ_WORD_MAX 24
#define RESET_METHOD_MAX 64
#define REQUEST_SERVICES_MAX 16
#define SERVICE_NAME_MAX 64
#define REQUEST_KIB_MAX (UINT64_C(1) << 40) /* 1 PiB */
#define UUID_TEXT_MAX 37

/* One PCI function that a domain wants. */
struct request_device {
        struct bdf address;
        bool has_id, has_subsystem; /* refuse when the host shows another one at this address */
        struct pci_id id;
        struct pci_id subsystem;
        char driver[DRIVER_NAME_MAX]; /* a vfio driver; "" means vfio-pci */
        char reset_method[RESET_METHOD_MAX]; /* while it is lent; "" leaves it */
        char d3cold[4];                      /* "0": never, "1": may lose all power; "" leaves it */
        char runtime_pm[8];                  /* "on": never suspended, "auto"; "" leaves it */
};

/* Memory in huge pages, for one of the domain's NUMA nodes or for all of it. */
struct request_memory {
        uint64_t kib;
        uint64_t page_kib;    /* 0: what the host has by default */
        struct cpu_set nodes; /* of the host: on these only; empty: wherever there is room */
        bool interleave;      /* the same amount on each of the nodes */
};

/* What to do with endpoints of the same IOMMU group that were not asked for. */
enum group_policy {
        GROUP_EXPAND, /* lend them too */
        GROUP_STRICT, /* refuse */
};

/* All that a domain wants to borrow: plain values, checked, no paths and no commands. */
struct request {
        char domain[NAME_LENGTH_MAX + 1];
        char uuid[UUID_TEXT_MAX]; /* "" for a lease without libvirt: the name is its key */
        struct request_device devices[REQUEST_DEVICES_MAX];
        size_t n_devices;
        struct request_memory memory[REQUEST_MEMORY_MAX];
        size_t n_memory;
        bool keep_hugepages;             /* the host keeps what had to be added */
        struct cpu_set cpus;             /* that the domain's vCPUs are pinned to; empty: not pinned */
        char governor[CPUFREQ_WORD_MAX]; /* of these CPUs; "" leaves it */
        char epp[CPUFREQ_WORD_MAX];      /* energy/performance preference, likewise */
        bool cpufreq_all;                /* both for all CPUs of the host */
        bool isolate;                    /* the host's own work stays off these CPUs */
        char services[REQUEST_SERVICES_MAX][SERVICE_NAME_MAX]; /* stopped while it is lent, in this order */
        size_t n_services;
        enum group_policy group;
        bool boot_vga;     /* the firmware's display may be lent */
        bool dry_run;      /* plan and check only */
        uint64_t seconds;  /* give back by itself after this time; 0: at Return only */
};

/* Nothing to borrow: no connection is needed. */
static inline bool request_is_empty(const struct request *q) {
        return q->n_devices == 0 && q->n_memory == 0 && !*q->governor && !*q->epp && !q->isolate &&
               q->n_services == 0;
}

/* A governor's or an energy preference's name: 1 to CPUFREQ_WORD_MAX - 1 of [a-z0-9_]. */
bool cpufreq_word_is_valid(const char *s);

/* Names as the kernel has them in reset_method ("flr", "device_specific bus"): lower-case words with single
 * spaces. */
bool reset_method_is_valid(const char *s);

/* "NAME.service" of [A-Za-z0-9:_.@\-], and none that lending itself needs: passthru's, libvirt's, D-Bus, systemd's
 * own. */
bool service_name_is_valid(const char *s);

/* Adds a device, or returns the one with this address that is there already. NULL when full. */
struct request_device *request_add(struct request *q, const struct bdf *address);
