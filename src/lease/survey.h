/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/state.h"

/* What the host shows for each knob of the state now: ret has s->n_knobs elements. Read in a child, since a driver that
 * hangs keeps its readers waiting for ever: SURVEY_SILENT stands for what gave no answer within a second, SURVEY_GONE for
 * what cannot be read. -ENOMEM, or a child could not be started. */
#define SURVEY_SILENT "does not answer"
#define SURVEY_GONE "gone"
int state_survey(const struct root *root, const struct state *s, char (*ret)[KNOB_VALUE_MAX]);
