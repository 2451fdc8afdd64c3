/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _must_check_ __attribute__((warn_unused_result))

/* Defines NAMEp(), a cleanup function for a variable of type TYPE (a pointer). */
#define DEFINE_CLEANUP(type, func)                \
        static inline void func##p(type *p) {     \
                if (*p)                           \
                        func(*p);                 \
        }

void freep(void *p);
void closep(int *fd);

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

/* Hands the value out and leaves the variable empty, so that its cleanup does nothing. */
#define TAKE(var, empty)                  \
        ({                                \
                __typeof__(var) _t = var; \
                var = empty;              \
                _t;                       \
        })
#define TAKE_PTR(p) TAKE(p, NULL)
#define TAKE_FD(fd) TAKE(fd, -1)
