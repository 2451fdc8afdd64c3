/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macro.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void freep(void *p) {
        free(*(void **) p);
}

void closep(int *fd) {
        int saved = errno;

        if (*fd >= 0)
                close(*fd);
        errno = saved;
}
