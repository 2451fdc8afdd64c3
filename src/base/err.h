/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macro.h"

#define ERR_MESSAGE_MAX 1024

/* What went wrong, for the person who has to mend it. A fixed size, so that it can cross a pipe from a
 * child and needs no owner. */
struct err {
        int code;           /* -errno; 0: nothing went wrong */
        char id[24];        /* one of ERR_*: what a program may act on; the Varlink error is org.passthru.ID */
        char subject[96];   /* the field, device, file or domain that it is about; may be empty */
        char message[ERR_MESSAGE_MAX]; /* wanted, found, what to do next; one line, no final newline */
};

#define ERR_INVALID "InvalidRequest"   /* the request or a file is malformed; subject names the field */
#define ERR_NOT_FOUND "NotFound"       /* a named thing does not exist */
#define ERR_IN_USE "InUse"             /* somebody uses it: processes, mounts, another domain */
#define ERR_REFUSED "Refused"          /* a rule of safety says no */
#define ERR_NOT_SUPPORTED "NotSupported" /* the host cannot do it (no IOMMU, no vfio) */
#define ERR_TIMEOUT "Timeout"          /* a driver did not answer in time */
#define ERR_PERMISSION "PermissionDenied"
#define ERR_FAILED "Failed"            /* everything else */

/* Fills *e (which may be NULL) and returns r, so that a function can end in "return err_set(…)". An error
 * that is already set is replaced. r must be negative. Over-long text is cut. Control characters and
 * bytes that are not UTF-8 become '?', since text from outside ends up in terminals, logs and JSON. */
int err_set(struct err *e, int r, const char *id, const char *subject, const char *fmt, ...) _printf_(5, 6);

/* Puts the formatted text and ": " before the message that *e has. Returns e->code. */
int err_prefix(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Puts the formatted text behind the message that *e has. */
void err_append(struct err *e, const char *fmt, ...) _printf_(2, 3);
