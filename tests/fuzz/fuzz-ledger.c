/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The ledger: whatever was accepted is written and read back as the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_ledger_ struct ledger l = {}, again = {};
        _cleanup_free_ char *first = NULL, *second = NULL;
        struct err e = {};

        if (ledger_parse((const char *) data, size, &l, &e) < 0) {
                want(*e.message && l.n_files == 0);
                return 0;
        }
        first = ledger_format(&l);
        want(ledger_parse(first, strlen(first), &again, &e) == 0);
        second = ledger_format(&again);
        want(strcmp(first, second) == 0 && l.n_files == again.n_files);
        return 0;
}
