/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/child.h"
#include "base/str.h"
#include "cli/call.h"
#include "lease/survey.h"
#include "wire/varlink.h"

/* The helper gives back by itself this long after the hold, should this process die with the screen or the
 * connection it was started from. */
#define GRACE_SECONDS 10

static void print_help(void) {
        puts("Usage: passthru rehearse DOMAIN [--hold SECONDS] [OPTION]...\n"
             "\n"
             "Lends everything for real, verifies it, waits, and gives it back, without\n"
             "starting the domain. Works when the screen goes black or the connection is\n"
             "lost: the helper gives back by itself.\n"
             "\n"
             "Options:\n"
             "  --hold SECONDS         how long to keep it (default 0, at most 3600)\n"
             "  --device ADDRESS       also this PCI function (repeatable)\n"
             "  --group expand|strict  take the rest of the IOMMU group along, or refuse\n"
             "  --boot-vga             the firmware's display may be lent\n"
             "  --json                 machine-readable output");
}

/* Every knob of the lease has its value, as the host itself shows it. */
static int verify(const struct cli *cli, const char *domain, size_t *ret_n, struct err *e) {
        _cleanup_free_ char(*values)[KNOB_VALUE_MAX] = NULL;
        _cleanup_state_ struct state s = {};
        const struct lease *l;
        int r;

        r = state_load(cli->root, &s, e);
        if (r < 0)
                return r;
        l = state_find_lease(&s, domain);
        if (!l)
                return err_set(e, -ENOENT, ERR_FAILED, domain, "the lease of %s is gone", domain);
        values = calloc(s.n_knobs + 1, sizeof(*values));
        r = values ? state_survey(cli->root, &s, values) : -ENOMEM;
        if (r < 0)
                return err_set(e, r, ERR_FAILED, domain, "what the host has now cannot be read: %s", strerror(-r));
        for (size_t i = 0; i < l->n_claims; i++) {
                const struct knob *k = state_find_knob(&s, l->claims[i].kind, l->claims[i].name);
                const char *now = values[k - s.knobs];

                if (!str_eq(now, k->applied) && !(k->kind->satisfies && k->kind->satisfies(now, k->applied)))
                        return err_set(e, -EIO, ERR_FAILED, k->name, "%s should be '%s' and is '%s'", k->name,
                                       k->applied, now);
        }
        *ret_n = l->n_claims;
        return 0;
}

static int rehearse(const struct cli *cli, const struct request *q, uint64_t hold, struct json_object **ret,
                    struct err *e) {
        _cleanup_json_ struct json_object *lent = NULL, *returned = NULL;
        struct err failure = {};
        uint64_t start = now_usec();
        size_t n = 0;
        int r;

        r = cli_call_lend(cli, q, &lent, e);
        if (r < 0)
                return r;
        r = verify(cli, q->domain, &n, &failure);
        if (!cli->json && r >= 0)
                printf("verified  %zu values read back, %.1f ms after the start; holding %llu s\n", n,
                       (double) (now_usec() - start) / 1000, (unsigned long long) hold);
        (void) fflush(stdout);
        if (r >= 0)
                (void) nanosleep(&(struct timespec) { .tv_sec = (time_t) hold }, NULL);

        /* Given back in any case; the first error is the one that matters. */
        if (cli_call_return(cli, q->domain, &returned, failure.code ? NULL : &failure) < 0 || failure.code) {
                *e = failure;
                return failure.code ? failure.code : -EIO;
        }
        for (size_t i = 0; lent && returned && i < json_object_array_length(returned); i++)
                (void) json_object_array_add(lent, json_object_get(json_object_array_get_idx(returned, i)));
        *ret = TAKE_PTR(lent);
        return 0;
}

int verb_rehearse(struct cli *cli, int argc, char **argv) {
        static const struct option options[] = {
                LEND_OPTIONS,
                { "hold", required_argument, NULL, 'H' },
                {},
        };
        _cleanup_json_ struct json_object *steps = NULL;
        struct lend_options lend = {};
        struct request q;
        uint64_t hold = 0;
        struct err e = {};
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (c == 'h') {
                        print_help();
                        return EXIT_SUCCESS;
                }
                r = cli_lend_option(argv[0], c, optarg, &lend);
                if (r > 1)
                        return r;
                if (r == 1)
                        continue;
                if (c != 'H')
                        return cli_option_error(argv[0], argv);
                if (str_to_u64(optarg, 10, 3600, &hold) < 0)
                        return cli_usage_error(argv[0], "--hold: wanted 0 to 3600 seconds, found '%s'", optarg);
        }
        if (argc - optind != 1)
                return cli_usage_error(argv[0], "wanted one domain");
        lend.domain = argv[optind];
        lend.seconds = hold + GRACE_SECONDS;
        r = cli_need_live(cli, argv[0]);
        if (r != 0)
                return r;

        if (cli_request(cli, &lend, &q, &e) < 0 || rehearse(cli, &q, hold, &steps, &e) < 0)
                return cli_fail(&e);
        if (cli->json)
                return cli_print_steps_json(q.domain, TAKE_PTR(steps));
        puts("Rehearsed: everything was lent, verified and given back.");
        return EXIT_SUCCESS;
}
