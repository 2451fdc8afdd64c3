/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

const char *severity_name(enum severity severity) {
        static const char *const names[] = {
                [SEVERITY_OK] = "ok",
                [SEVERITY_NOTE] = "note",
                [SEVERITY_WARNING] = "warning",
                [SEVERITY_ERROR] = "error",
        };

        return names[severity];
}

int finding_set(struct finding *f, enum severity severity, const char *remedy, const char *evidence_fmt, ...) {
        va_list ap;

        va_start(ap, evidence_fmt);
        (void) vsnprintf(f->evidence, sizeof(f->evidence), evidence_fmt, ap);
        va_end(ap);
        str_printable(f->evidence);
        f->severity = severity;
        (void) str_copy(f->remedy, sizeof(f->remedy), remedy);
        return 0;
}
