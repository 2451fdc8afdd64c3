/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/call.h"
#include "wire/varlink.h"

int verb_return(struct cli *cli, int argc, char **argv) {
        _cleanup_json_ struct json_object *steps = NULL;
        struct err e = {};
        int r;

        if (argc == 2 && (str_eq(argv[1], "--help") || str_eq(argv[1], "-h"))) {
                puts("Usage: passthru return DOMAIN [--json]\n"
                     "\n"
                     "Gives back to the host what the domain (name or UUID) has. What is still in use\n"
                     "is given back as soon as it no longer is.\n"
                     "\n"
                     "Options:\n"
                     "  --json  machine-readable output");
                return EXIT_SUCCESS;
        }
        if (argc != 2)
                return cli_usage_error(argv[0], "wanted one domain, as 'passthru status' shows them");
        r = cli_need_live(cli, argv[0]);
        if (r != 0)
                return r;
        if (cli_call_return(cli, argv[1], &steps, &e) < 0)
                return cli_fail(&e);
        if (cli->json)
                return cli_print_steps_json(argv[1], TAKE_PTR(steps));
        printf("%s has nothing of this host.\n", argv[1]);
        return EXIT_SUCCESS;
}
