/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/step.h"

/* Structured messages to the journal. Fields: MESSAGE, MESSAGE_ID, DOMAIN, DEVICE (the knob's name), and for steps
 * PASSTHRU_KIND, PASSTHRU_FROM, PASSTHRU_TO, PASSTHRU_STATE, PASSTHRU_USEC. */

/* verb is "lend", "return" or "reconcile". */
void journal_step(const char *verb, const struct step *step);

/* The end of a request: e->code 0 is success. */
void journal_result(const char *verb, const char *domain, const struct err *e, uint64_t usec);

/* The helper's own affairs: priority as in syslog(3). */
void journal_note(int priority, const char *fmt, ...) _printf_(2, 3);
