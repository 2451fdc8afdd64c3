/* SPDX-License-Identifier: GPL-2.0-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "helper/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "base/message-id.h"

void journal_step(const char *verb, const struct step *step) {
        char label[STEP_LABEL_MAX];
        int priority = step->state == STEP_FAILED || step->state == STEP_STUCK       ? LOG_ERR
                       : step->state == STEP_FOREIGN || step->state == STEP_DECLINED ? LOG_WARNING
                                                                                     : LOG_INFO;

        (void) sd_journal_send(
                "MESSAGE=%s %s: %s '%s' → '%s' %s (%.1f ms)%s%s", verb, step->domain,
                step_label(step->kind, step->name, label), step->from, step->to, step_state_name(step->state),
                (double) step->usec / 1000, *step->err.message ? ": " : "", step->err.message,
                "MESSAGE_ID=" MESSAGE_ID_STEP, "PRIORITY=%d", priority, "DOMAIN=%s", step->domain, "DEVICE=%s",
                step->name, "PASSTHRU_VERB=%s", verb, "PASSTHRU_KIND=%s", step->kind, "PASSTHRU_FROM=%s",
                step->from, "PASSTHRU_TO=%s", step->to, "PASSTHRU_STATE=%s", step_state_name(step->state),
                "PASSTHRU_USEC=%llu", (unsigned long long) step->usec, NULL);
}

void journal_result(const char *verb, const char *domain, const struct err *e, uint64_t usec) {
        (void) sd_journal_send("MESSAGE=%s %s: %s (%.1f ms)", verb, domain, e->code < 0 ? e->message : "done",
                               (double) usec / 1000, "MESSAGE_ID=" MESSAGE_ID_RESULT, "PRIORITY=%d",
                               e->code < 0 ? LOG_ERR : LOG_INFO, "DOMAIN=%s", domain, "PASSTHRU_VERB=%s", verb,
                               "PASSTHRU_STATE=%s", e->code < 0 ? "failed" : "done", "PASSTHRU_USEC=%llu",
                               (unsigned long long) usec, NULL);
}

void journal_note(int priority, const char *fmt, ...) {
        char message[1200];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);
        (void) sd_journal_send("MESSAGE=%s", message, "PRIORITY=%d", priority, NULL);
}
