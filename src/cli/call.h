/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"
#include "model/request.h"

/* What a verb may ask of "lend" and "rehearse". */
struct lend_options {
        const char *domain; /* may be NULL when there are devices */
        struct bdf devices[REQUEST_DEVICES_MAX];
        size_t n_devices;
        bool boot_vga, strict, dry_run;
        uint64_t seconds;
};

/* Puts the request together from libvirt's definition of the domain, its profile and the options. A domain that
 * nobody knows, or that borrows nothing, is an error that says where was looked. */
int cli_request(const struct cli *cli, const struct lend_options *options, struct request *ret, struct err *e);

/* Call the helper's method, printing each step as it is done (with --json: nothing). *ret_steps (may be NULL) is the
 * caller's. */
int cli_call_lend(const struct cli *cli, const struct request *q, struct json_object **ret_steps, struct err *e);
int cli_call_return(const struct cli *cli, const char *domain, struct json_object **ret_steps, struct err *e);

/* {"version": 1, "domain": …, "steps": […]}. Takes the steps over. */
int cli_print_steps_json(const char *domain, struct json_object *steps);

/* The option parsers that lend and rehearse share: 1 the option was one of them, 0 not, EXIT_USAGE with a message. */
#define LEND_OPTIONS                                            \
        { "device", required_argument, NULL, 'd' },             \
        { "boot-vga", no_argument, NULL, 'b' },                 \
        { "group", required_argument, NULL, 'g' },              \
        { "help", no_argument, NULL, 'h' }
int cli_lend_option(const char *verb, int c, const char *value, struct lend_options *options);
