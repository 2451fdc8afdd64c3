/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "config/boot-settings.h"

#define GROUP_NAME_MAX 33 /* as useradd(8) has it, with the NUL */

/* passthru.conf */
struct settings {
        uint64_t deadline_usec; /* [lease] deadline=: how long one driver may take; default 70 s, 1 s … 10 min */
        uint64_t idle_usec;     /* [helper] idle-exit=: after the last return; default 60 s, 1 s … 1 day */
        uint64_t retry_usec;    /* [helper] retry=: for what could not be given back; default 10 s, 1 s … 1 h */
        char group[GROUP_NAME_MAX]; /* [helper] group=: whose members may see the status; default "", nobody's */
        uint64_t patience_usec; /* [lease] patience=: how long memory may be searched for; default 10 s, 0.5 s … 10
                                 * min, and no longer than three quarters of the deadline */
        struct boot_settings boot;
};

void settings_default(struct settings *ret);

/* Defaults, then the files. Time spans are "90", "90s", "2min", "500ms" (seconds when without a unit). */
int settings_load(const struct root *root, struct settings *ret, struct err *e);
