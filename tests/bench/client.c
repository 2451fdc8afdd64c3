/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Linked into the hook: it finds the helper of the benchmark. */

#include <stdlib.h>

#include "wire/client.h"

int __real_varlink_connect(const char *path, struct varlink **ret, struct err *e);
int __wrap_varlink_connect(const char *path, struct varlink **ret, struct err *e);

int __wrap_varlink_connect(const char *path, struct varlink **ret, struct err *e) {
        (void) path;
        return __real_varlink_connect(getenv("BENCH_SOCKET"), ret, e);
}
