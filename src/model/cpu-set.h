/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define CPU_SET_MAX 1024 /* numbers from 0 to one less */

/* A set of CPUs, or of NUMA nodes: small numbers. */
struct cpu_set {
        uint64_t bits[CPU_SET_MAX / 64];
};

/* "0-3,8", as the kernel prints it, and libvirt's "0-3,^2" (all but 2). "" is the empty set. -EINVAL, or -ERANGE
 * for a number that is too high. */
int cpu_set_parse(const char *s, struct cpu_set *ret);

/* "0000ffff,ffffffff": a mask in hexadecimal words of 32 bits, the highest first. */
int cpu_set_parse_mask(const char *s, struct cpu_set *ret);

/* The kernel's spelling, "0-3,8". -ENAMETOOLONG when it does not fit. */
int cpu_set_format(const struct cpu_set *set, char *buf, size_t size);
int cpu_set_format_mask(const struct cpu_set *set, char *buf, size_t size);

void cpu_set_add(struct cpu_set *set, unsigned n);
bool cpu_set_has(const struct cpu_set *set, unsigned n);
bool cpu_set_is_empty(const struct cpu_set *set);
unsigned cpu_set_count(const struct cpu_set *set);
bool cpu_set_equal(const struct cpu_set *a, const struct cpu_set *b);
bool cpu_set_is_subset(const struct cpu_set *part, const struct cpu_set *whole);

/* The lowest number, at least `from`; -1: none. */
int cpu_set_next(const struct cpu_set *set, unsigned from);

/* Each changes *set. */
void cpu_set_unite(struct cpu_set *set, const struct cpu_set *other);
void cpu_set_intersect(struct cpu_set *set, const struct cpu_set *other);
void cpu_set_subtract(struct cpu_set *set, const struct cpu_set *other);
