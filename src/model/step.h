/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define KNOB_KIND_MAX 24
#define KNOB_NAME_MAX 64
#define KNOB_VALUE_MAX 256

/* How the work on one knob went. */
enum step_state {
        STEP_PLANNED,   /* dry run: would be done */
        STEP_WORKING,   /* not through yet: done of total */
        STEP_DONE,      /* written and read back */
        STEP_UNCHANGED, /* had the wanted value already */
        STEP_FOREIGN,   /* somebody else changed it meanwhile: left alone */
        STEP_DECLINED,  /* the host refuses it, err says why; the lease does without */
        STEP_FAILED,    /* err says why; it is tried again later */
        STEP_STUCK,     /* a driver does not answer; nothing is asked of this knob until it does */
};

struct step {
        char kind[KNOB_KIND_MAX];
        char name[KNOB_NAME_MAX];
        char from[KNOB_VALUE_MAX];
        char to[KNOB_VALUE_MAX];
        char domain[NAME_LENGTH_MAX + 1]; /* whom the knob is, or was last, lent to */
        enum step_state state;
        bool repeated; /* it failed before with the same message */
        uint64_t usec; /* how long it took */
        uint64_t done, total; /* STEP_WORKING only; in the kind's own unit */
        struct err err;
};

/* For people: an address says by itself what it is, "24" does not: "irq 24". buf holds STEP_LABEL_MAX bytes;
 * returns it. */
#define STEP_LABEL_MAX (KNOB_KIND_MAX + KNOB_NAME_MAX)
const char *step_label(const char *kind, const char *name, char buf[static STEP_LABEL_MAX]);

/* "planned", "done", … as in the Varlink interface. */
const char *step_state_name(enum step_state state);
