/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/root.h"

/* What all verbs share. */
struct cli {
        struct root *root;
        bool json;
};

#define EXIT_USAGE 2
#define EXIT_PENDING 2 /* changes would be made */

/* A verb gets its own name as argv[0], prints what it has to say, and returns the exit status. */
typedef int (*verb_main)(struct cli *cli, int argc, char **argv);

int verb_boot(struct cli *cli, int argc, char **argv);
int verb_check(struct cli *cli, int argc, char **argv);
int verb_cpu(struct cli *cli, int argc, char **argv);
int verb_device(struct cli *cli, int argc, char **argv);
int verb_groups(struct cli *cli, int argc, char **argv);
int verb_lend(struct cli *cli, int argc, char **argv);
int verb_log(struct cli *cli, int argc, char **argv);
int verb_rehearse(struct cli *cli, int argc, char **argv);
int verb_return(struct cli *cli, int argc, char **argv);
int verb_status(struct cli *cli, int argc, char **argv);

/* Prints "passthru: MESSAGE" to standard error and returns EXIT_FAILURE. */
int cli_fail(const struct err *e);

/* A mistake on the command line: message, a hint to --help, EXIT_USAGE. */
int cli_usage_error(const char *verb, const char *fmt, ...) _printf_(2, 3);

/* What getopt_long refused ('?'): an error that names it. */
int cli_option_error(const char *verb, char **argv);

/* For verbs that take no arguments of their own: 0 or the exit status. */
int cli_no_arguments(int argc, char **argv);

/* For verbs that change the running host: they know no other root. 0 or the exit status. */
int cli_need_live(const struct cli *cli, const char *verb);

/* Pretty JSON and a newline on standard output. Takes o over. Returns EXIT_SUCCESS; EXIT_FAILURE when o is NULL. */
int cli_print_json(struct json_object *o);
