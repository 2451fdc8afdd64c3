/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/request.h"
#include "wire/varlink.h"

#define PASSTHRU_INTERFACE "org.passthru"

#define REQUEST_SECONDS_MAX 86400
#define REQUEST_SET_TEXT_MAX 4096 /* the longest list of 1024 numbers */

/* The interface's description as varlinkctl shows it: types, methods Lend, Return, Reconcile, Status, errors. */
extern const char passthru_interface_description[];

/* The parameters of Lend. New object, or NULL when out of memory. Fields that have their default are left out. */
struct json_object *request_to_json(const struct request *q);

/* The reverse, for bytes from outside: every field is checked for type and range, an unknown field is an error
 * (dnf5daemon CVE-2024-1929), e->subject names the field ("devices[2].id"). null is a field that is left out. A
 * UUID becomes lower case: it is a key. o must be an object, as the wire's parameters are. *ret untouched on an
 * error. */
int request_from_json(struct json_object *o, struct request *ret, struct err *e);

/* The one parameter of Return: a domain's name or UUID (in lower case). */
int return_from_json(struct json_object *o, char *ret_domain, size_t size, struct err *e);

/* Reconcile and Status have no parameters. */
int nothing_from_json(struct json_object *o, struct err *e);
