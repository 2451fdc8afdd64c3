/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macro.h"

enum severity {
        SEVERITY_OK,
        SEVERITY_NOTE,    /* worth knowing */
        SEVERITY_WARNING, /* works, with a loss or a risk */
        SEVERITY_ERROR,   /* lending will fail */
};

/* The result of one check. */
struct finding {
        const char *id; /* stable, "iommu-active": may be used by scripts */
        const char *part; /* "kernel", "devices", …: for grouping */
        enum severity severity;
        char evidence[1024]; /* the file and the value that were found */
        char remedy[256];    /* an exact command or setting; "" when there is nothing to do */
};

/* "ok", "note", "warning", "error" */
const char *severity_name(enum severity severity);

/* Fills in the result; id and part stay. Returns 0, so that a check can end in it. */
int finding_set(struct finding *f, enum severity severity, const char *remedy, const char *evidence_fmt, ...)
        _printf_(4, 5);
