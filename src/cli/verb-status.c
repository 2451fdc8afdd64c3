/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/child.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/status-early.h"
#include "cli/table.h"
#include "lease/survey.h"
#include "wire/client.h"
#include "wire/interface.h"

static int print_json(const struct root *root, const struct state *s, char (*now)[KNOB_VALUE_MAX]) {
        struct json_object *o = state_to_json(s), *knobs = NULL;

        if (o && json_object_object_get_ex(o, "knobs", &knobs))
                for (size_t i = 0; i < s->n_knobs; i++)
                        json_object_object_add(json_object_array_get_idx(knobs, i), "now",
                                               json_object_new_string(now[i]));
        json_object_object_add(o, "early", status_early_to_json(root));
        json_object_object_add(o, "version", json_object_new_int(1));
        return cli_print_json(o);
}

static void print_leases(const struct state *s) {
        _cleanup_table_ struct table *t = table_new("DOMAIN", "STATE", "SINCE", "ENDS IN", "CLAIMS", NULL);

        for (size_t i = 0; i < s->n_leases; i++) {
                const struct lease *l = &s->leases[i];
                time_t since = (time_t) (l->since_usec / 1000000);
                char when[32] = "", ends[32] = "-", claims[16];
                uint64_t now = now_usec();
                struct tm tm;

                if (localtime_r(&since, &tm))
                        (void) strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
                if (l->until_usec)
                        (void) str_format(ends, sizeof(ends), "%llu s", (unsigned long long)
                                          (l->until_usec > now ? (l->until_usec - now) / 1000000 : 0));
                (void) str_format(claims, sizeof(claims), "%zu", l->n_claims);
                table_row(t, l->domain, l->state == LEASE_LENT ? "lent" : "lending", when, ends, claims);
        }
        table_print(t, TABLE_WRAP);
}

/* All whose claims it has, "-" when it only waits to be given back. */
static void list_claimants(const struct state *s, const struct knob *k, char *buf, size_t size) {
        size_t used = 0;

        (void) str_copy(buf, size, "-");
        for (size_t i = 0; i < s->n_leases; i++)
                if (lease_find_claim(&s->leases[i], k->kind, k->name)) {
                        if (str_format(buf + used, size - used, "%s%s", used ? " " : "", s->leases[i].domain) < 0)
                                break;
                        used = strlen(buf);
                }
}

static void print_knobs(const struct state *s, char (*now)[KNOB_VALUE_MAX]) {
        _cleanup_table_ struct table *t = table_new("KIND", "KNOB", "BASELINE", "NOW", "FOR", "STATE", NULL);

        for (size_t i = 0; i < s->n_knobs; i++) {
                const struct knob *k = &s->knobs[i];
                char state[600], claimants[300];

                (void) str_format(state, sizeof(state), "%s%s%s",
                                  k->pending    ? "pending"
                                  : k->declined ? "declined"
                                                : "lent",
                                  *k->message ? ": " : "", k->message);
                list_claimants(s, k, claimants, sizeof(claimants));
                table_row(t, k->kind->name, k->name, k->baseline, now[i], claimants, state);
        }
        if (s->n_leases > 0)
                putchar('\n');
        table_print(t, TABLE_WRAP);
}

/* The state file is root's. Members of the group that may read ask the helper, whose reply is the file's
 * content but for the version. */
static int state_ask(struct state *ret, struct err *e) {
        _cleanup_varlink_ struct varlink *v = NULL;
        _cleanup_json_ struct json_object *reply = NULL;
        const char *text;
        size_t size;
        int r;

        r = varlink_connect(HELPER_SOCKET, &v, e);
        if (r < 0)
                return r;
        r = varlink_call(v, PASSTHRU_INTERFACE ".Status", NULL, NULL, NULL, &reply, e);
        if (r < 0)
                return r;
        (void) json_object_object_add(reply, "version", json_object_new_int(STATE_VERSION));
        text = json_object_to_json_string_length(reply, JSON_C_TO_STRING_PLAIN, &size);
        return text ? state_parse(text, size, ret, e) : err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
}

int verb_status(struct cli *cli, int argc, char **argv) {
        _cleanup_free_ char(*now)[KNOB_VALUE_MAX] = NULL;
        _cleanup_state_ struct state s = {};
        struct err e = {};
        int r;

        r = cli_no_arguments(argc, argv);
        if (r != 0)
                return r;
        r = state_load(cli->root, &s, &e);
        if (r == -EACCES && root_is_live(cli->root))
                r = state_ask(&s, &e);
        if (r < 0)
                return cli_fail(&e);
        now = calloc(s.n_knobs + 1, sizeof(*now));
        r = now ? state_survey(cli->root, &s, now) : -ENOMEM;
        if (r < 0) {
                (void) err_set(&e, r, ERR_FAILED, NULL, "what the host has now cannot be read: %s", strerror(-r));
                return cli_fail(&e);
        }
        if (cli->json)
                return print_json(cli->root, &s, now);
        if (s.n_leases == 0 && s.n_knobs == 0) {
                puts("Nothing is lent.");
                status_print_early(cli->root);
                return EXIT_SUCCESS;
        }
        print_leases(&s);
        print_knobs(&s, now);
        status_print_early(cli->root);
        return EXIT_SUCCESS;
}
