/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A PCI function's address, DDDD:BB:SS.F. Domains above ffff exist (Intel VMD: 10000:e0:00.0). */
struct bdf {
        uint32_t domain;
        uint8_t bus;
        uint8_t slot;     /* 0…1f */
        uint8_t function; /* 0…7 */
};

#define BDF_TEXT_MAX 20 /* "ffffffff:ff:1f.7" and NUL, rounded up */

/* Accepts what lspci and sysfs print: "0000:01:00.0" and, without the domain, "01:00.0". Nothing else:
 * -EINVAL, *ret untouched. */
int bdf_parse(const char *s, struct bdf *ret);

/* The sysfs spelling, into a buffer of at least BDF_TEXT_MAX; returns it. */
const char *bdf_format(const struct bdf *a, char *buf);

/* Order by domain, bus, slot, function. */
int bdf_compare(const struct bdf *a, const struct bdf *b);

static inline bool bdf_same_slot(const struct bdf *a, const struct bdf *b) {
        return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot;
}
