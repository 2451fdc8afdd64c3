/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/libpci.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/macro.h"

static _Thread_local struct {
        jmp_buf env;
        char message[256];
} trap;

static void on_error(char *msg, ...) _printf_(1, 2) __attribute__((noreturn));
static void on_error(char *msg, ...) {
        va_list ap;

        va_start(ap, msg);
        (void) vsnprintf(trap.message, sizeof(trap.message), msg, ap);
        va_end(ap);
        longjmp(trap.env, 1);
}

static void on_message(char *msg, ...) _printf_(1, 2);
static void on_message(char *msg, ...) {
        (void) msg;
}

int libpci_call(void (*call)(void *), void *arg) {
        if (setjmp(trap.env))
                return -EIO;
        call(arg);
        return 0;
}

const char *libpci_message(void) {
        return trap.message;
}

struct pci_access *libpci_new(void) {
        struct pci_access *access = pci_alloc();

        access->error = on_error;
        access->warning = on_message;
        access->debug = on_message;
        return access;
}
