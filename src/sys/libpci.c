/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/libpci.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

static void call_scan(void *access) {
        pci_init(access);
        pci_scan_bus(access);
}

static int scan(unsigned method, const char *parameter, const char *value, struct pci_access **ret,
                struct err *e) {
        _cleanup_(pci_cleanupp) struct pci_access *access = libpci_new();
        int r;

        access->method = method;
        if (pci_set_param(access, (char *) parameter, (char *) value) < 0)
                return err_set(e, -EIO, ERR_FAILED, "", "libpci was built without its parameter %s", parameter);
        r = libpci_call(call_scan, access);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "", "cannot list PCI functions: %s", libpci_message());

        *ret = TAKE_PTR(access);
        return 0;
}

int libpci_scan_host(const struct root *root, struct pci_access **ret, struct err *e) {
        _cleanup_free_ char *path = root_join(root, "/sys/bus/pci");

        if (!path)
                return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory");
        return scan(PCI_ACCESS_SYS_BUS_PCI, "sysfs.path", path, ret, e);
}

int libpci_scan_dump(const char *path, struct pci_access **ret, struct err *e) {
        return scan(PCI_ACCESS_DUMP, "dump.name", path, ret, e);
}
