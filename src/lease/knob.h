/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/root.h"
#include "model/step.h"

#define KNOB_LANE_MAX 48
#define KNOB_IDENTITY_MAX 48

/* All that decides which value a knob should have. */
struct knob_view {
        const char *baseline; /* before passthru first touched it */
        const char *applied;  /* what was set last; the baseline when nothing was */
        const char *current;  /* what it is now; equals applied unless somebody else changed it */
        const char *const *claims;
        size_t n_claims; /* 0: give back */
};

/* A change that the engine asks for. */
struct knob_write {
        const struct root *root;
        const char *name;
        const char *value;
        uint64_t until_usec; /* CLOCK_BOOTTIME: what comes bit by bit is tried until then */
        void (*progress)(uint64_t done, uint64_t total, void *userdata);
        void *userdata; /* of progress */
};

/* One kind of thing on the host that can be lent. Values are short texts, whose syntax is the kind's own; the
 * engine only compares and stores them. read and write run in a disposable child (base/child.h): they may hang
 * without harm. All return 0 or -errno with *e set. */
struct knob_kind {
        const char *name;

        /* Lower phases are set first when lending, and last when giving back. */
        unsigned phase;

        /* Only one lease may claim it. */
        bool exclusive;

        /* A host that refuses the value of a claim is told of, and in the way of no lease: the knob is "declined".
         */
        bool optional;

        /* Which of them there are is for the host to say: another set of claims does not make it another request.
         */
        bool ambient;

        bool (*name_is_valid)(const char *name);
        bool (*value_is_valid)(const char *value); /* for claims, as the state file may hold them */

        int (*read)(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e);

        /* Sets the value and returns 0; or 1 when the value can no longer be had and the host chose another one,
         * which is then as good (the driver of the baseline is gone). -EBUSY, -EAGAIN: not now. */
        int (*write)(const struct knob_write *w, struct err *e);

        /* f(baseline, claims): lease/combine.h has the ways in which several claims of one knob come together. */
        int (*target)(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]);

        /* While claimed, and once target() was set: current is as good. NULL: equal texts only. */
        bool (*satisfies)(const char *current, const char *target);

        /* Somebody else changed it since it was applied: it is left alone. NULL: when current is not applied. */
        bool (*is_foreign)(const struct knob_view *view);

        /* For what others may add to and take from at the same time as we do: works the difference between current
         * and applied into both the baseline and applied. Then the kind's read must never hang, as it is asked for
         * outside of a child. NULL: a difference is foreign. */
        int (*rebase)(const char *current, char baseline[static KNOB_VALUE_MAX],
                      char applied[static KNOB_VALUE_MAX]);

        /* What the claim brought stays on the host after its lease: once that is there, makes it a part of the
         * baseline and no longer of the claim. NULL: nothing ever stays. */
        int (*keep)(char claim[static KNOB_VALUE_MAX], char baseline[static KNOB_VALUE_MAX]);

        /* Knobs of one lane are written one after another, lanes in parallel. From the name alone. */
        void (*lane)(const char *name, char ret[static KNOB_LANE_MAX]);

        /* What stands behind the name: when it is another thing later, nothing is given back to it. NULL: a name is
         * enough. Runs in a child like read. */
        int (*identify)(const struct root *root, const char *name, char ret[static KNOB_IDENTITY_MAX], struct err *e);
};

/* NULL when there is no such kind. */
const struct knob_kind *knob_kind_find(const char *name);

/* One per file knob-*.c */
extern const struct knob_kind knob_d3cold;
extern const struct knob_kind knob_epp;
extern const struct knob_kind knob_governor;
extern const struct knob_kind knob_hugepages;
extern const struct knob_kind knob_irq;
extern const struct knob_kind knob_pci_driver;
extern const struct knob_kind knob_reset_method;
extern const struct knob_kind knob_runtime_pm;
extern const struct knob_kind knob_service;
extern const struct knob_kind knob_slice;
extern const struct knob_kind knob_vtconsole;
extern const struct knob_kind knob_workqueue;
