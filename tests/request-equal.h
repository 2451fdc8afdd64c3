/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/request.h"

static inline bool request_device_equal(const struct request_device *a, const struct request_device *b) {
        return bdf_compare(&a->address, &b->address) == 0 && a->has_id == b->has_id &&
               a->has_subsystem == b->has_subsystem && pci_id_equal(&a->id, &b->id) &&
               pci_id_equal(&a->subsystem, &b->subsystem) && str_eq(a->driver, b->driver) &&
               str_eq(a->reset_method, b->reset_method) && str_eq(a->d3cold, b->d3cold) &&
               str_eq(a->runtime_pm, b->runtime_pm);
}

static inline bool request_equal(const struct request *a, const struct request *b) {
        if (!str_eq(a->domain, b->domain) || !str_eq(a->uuid, b->uuid) || a->n_devices != b->n_devices ||
            a->group != b->group || a->boot_vga != b->boot_vga || a->dry_run != b->dry_run ||
            a->seconds != b->seconds)
                return false;
        if (a->n_memory != b->n_memory || a->keep_hugepages != b->keep_hugepages)
                return false;
        if (!cpu_set_equal(&a->cpus, &b->cpus) || !str_eq(a->governor, b->governor) || !str_eq(a->epp, b->epp) ||
            a->cpufreq_all != b->cpufreq_all || a->isolate != b->isolate || a->n_services != b->n_services)
                return false;
        for (size_t i = 0; i < a->n_services; i++)
                if (!str_eq(a->services[i], b->services[i]))
                        return false;
        for (size_t i = 0; i < a->n_memory; i++)
                if (a->memory[i].kib != b->memory[i].kib || a->memory[i].page_kib != b->memory[i].page_kib ||
                    a->memory[i].interleave != b->memory[i].interleave ||
                    !cpu_set_equal(&a->memory[i].nodes, &b->memory[i].nodes))
                        return false;
        for (size_t i = 0; i < a->n_devices; i++)
                if (!request_device_equal(&a->devices[i], &b->devices[i]))
                        return false;
        return true;
}
