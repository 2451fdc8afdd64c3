/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/call.h"
#include "wire/varlink.h"

static void print_help(void) {
        puts("Usage: passthru lend DOMAIN [OPTION]...\n"
             "       passthru lend --device ADDRESS... [OPTION]...\n"
             "\n"
             "Lends what the domain's definition and profile name, or the devices given.\n"
             "A domain start does this by itself; this is for trying, and without libvirt.\n"
             "\n"
             "Options:\n"
             "  --device ADDRESS       also this PCI function, 0000:01:00.0 (repeatable)\n"
             "  --for SECONDS          give back by itself after that time\n"
             "  --group expand|strict  take the rest of the IOMMU group along, or refuse\n"
             "  --boot-vga             the firmware's display may be lent\n"
             "  --dry-run              check and show, change nothing\n"
             "  --json                 machine-readable output");
}

int verb_lend(struct cli *cli, int argc, char **argv) {
        static const struct option options[] = {
                LEND_OPTIONS,
                { "dry-run", no_argument, NULL, 'n' },
                { "for", required_argument, NULL, 'f' },
                {},
        };
        _cleanup_json_ struct json_object *steps = NULL;
        struct lend_options lend = {};
        struct request q;
        struct err e = {};
        int c, r;

        while ((c = getopt_long(argc, argv, "hn", options, NULL)) >= 0) {
                if (c == 'h') {
                        print_help();
                        return EXIT_SUCCESS;
                }
                r = cli_lend_option(argv[0], c, optarg, &lend);
                if (r > 1)
                        return r;
                if (r == 1)
                        continue;
                if (c == 'n')
                        lend.dry_run = true;
                else if (c != 'f')
                        return cli_option_error(argv[0], argv);
                else if (str_to_u64(optarg, 10, 86400, &lend.seconds) < 0 || lend.seconds == 0)
                        return cli_usage_error(argv[0], "--for: wanted 1 to 86400 seconds, found '%s'", optarg);
        }
        if (argc - optind > 1)
                return cli_usage_error(argv[0], "wanted one domain, found '%s' too", argv[optind + 1]);
        lend.domain = argv[optind];
        if (!lend.domain && lend.n_devices == 0)
                return cli_usage_error(argv[0], "wanted a domain or --device ADDRESS");
        r = cli_need_live(cli, argv[0]);
        if (r != 0)
                return r;

        if (cli_request(cli, &lend, &q, &e) < 0 || cli_call_lend(cli, &q, &steps, &e) < 0)
                return cli_fail(&e);
        if (cli->json)
                return cli_print_steps_json(q.domain, TAKE_PTR(steps));
        if (!q.dry_run)
                printf("Lent to %s. 'passthru return %s' takes it back.\n", q.domain, q.domain);
        return EXIT_SUCCESS;
}
