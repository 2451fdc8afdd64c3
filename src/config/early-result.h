/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/early.h"

/* What passthru-early did, for the booted system. It lives in /run, which the initramfs hands over. */

#define EARLY_RESULT_DIRECTORY "/run/passthru"
#define EARLY_RESULT_NAME "early"

enum early_state {
        EARLY_DONE,    /* the device is reserved, the pages are there; as a whole: early.conf was followed */
        EARLY_OFF,     /* passthru=off; only as a whole */
        EARLY_LEFT,    /* left alone, and why */
        EARLY_FAILED,  /* tried, and what went wrong */
        EARLY_PENDING, /* is not through yet; after a minute, it never was */
};

/* One device or pool. */
struct early_item {
        char name[48]; /* "device 0000:01:00.0", "hugepages 1G 0" */
        enum early_state state;
        char message[384];
};

#define EARLY_ITEMS_MAX (EARLY_DEVICES_MAX + EARLY_POOLS_MAX)

struct early_result {
        enum early_state state;
        char message[384]; /* EARLY_FAILED: why nothing could be done */
        uint64_t msec;     /* how long it took; the boot waits for a second of it at most */
        struct early_item items[EARLY_ITEMS_MAX];
        size_t n_items;
};

/* "done", "off", "left alone", "failed", "pending" */
const char *early_state_name(enum early_state state);

/* NULL when there is no room. */
struct early_item *early_result_add(struct early_result *result, const char *name, enum early_state state);

/* directory: EARLY_RESULT_DIRECTORY as the root sees it; made when missing. */
int early_result_save(const struct root *root, const char *directory, const struct early_result *result);

/* 1: read; 0: this boot had none; -EINVAL: damaged. */
int early_result_load(const struct root *root, struct early_result *ret, struct err *e);
