/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "base/message-id.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/table.h"

#define ENTRIES_MAX 4096

/* The kernel's own messages are shown this long after the last step too: a reset that fails shows late. */
#define KERNEL_AFTER_USEC 2000000U

static void journal_closep(sd_journal **j) {
        sd_journal_close(*j);
}

/* A copy of FIELD= of the current entry; "" when it has none. */
static void field(sd_journal *j, const char *name, char *buf, size_t size) {
        const void *data;
        size_t n, skip = strlen(name) + 1;

        *buf = '\0';
        if (sd_journal_get_data(j, name, &data, &n) < 0 || n < skip)
                return;
        n -= skip;
        if (n >= size)
                n = size - 1;
        memcpy(buf, (const char *) data + skip, n);
        buf[n] = '\0';
        str_printable(buf);
}

/* Finds the span from the last lend (of the domain, if given) to the last thing that was done after it. */
static int find_span(sd_journal *j, const char *domain, uint64_t *ret_from, uint64_t *ret_to) {
        uint64_t from = 0, to = 0;
        char match[NAME_LENGTH_MAX + 16];
        bool in_lend = false;
        int r;

        sd_journal_flush_matches(j);
        if ((r = sd_journal_add_match(j, "MESSAGE_ID=" MESSAGE_ID_STEP, 0)) < 0 ||
            (r = sd_journal_add_match(j, "MESSAGE_ID=" MESSAGE_ID_RESULT, 0)) < 0)
                return r;
        if (domain) {
                (void) str_format(match, sizeof(match), "DOMAIN=%s", domain);
                r = sd_journal_add_match(j, match, 0);
                if (r < 0)
                        return r;
        }
        r = sd_journal_seek_tail(j);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ENTRIES_MAX && (r = sd_journal_previous(j)) > 0; i++) {
                char verb[16], id[40];
                uint64_t usec;

                field(j, "PASSTHRU_VERB", verb, sizeof(verb));
                field(j, "MESSAGE_ID", id, sizeof(id));
                /* A lend's steps come before its result; another result before them is an older request. */
                if (in_lend && (!str_eq(verb, "lend") || str_eq(id, MESSAGE_ID_RESULT)))
                        break;
                if (sd_journal_get_realtime_usec(j, &usec) < 0)
                        continue;
                from = usec;
                to = to ? to : usec;
                in_lend |= str_eq(verb, "lend");
        }
        if (r < 0)
                return r;
        *ret_from = from;
        *ret_to = to;
        return to ? 1 : 0;
}

static void add_json(struct json_object *list, uint64_t usec, const char *source, const char *message) {
        struct json_object *o = json_object_new_object();

        json_object_object_add(o, "realtime", json_object_new_int64((int64_t) usec));
        json_object_object_add(o, "source", json_object_new_string(source));
        json_object_object_add(o, "message", json_object_new_string(message));
        json_object_array_add(list, o);
}

static void add_row(struct table *t, uint64_t usec, uint64_t from, const char *source, const char *message) {
        time_t seconds = (time_t) (usec / 1000000);
        char clock[16] = "", after[24];
        struct tm tm;

        if (localtime_r(&seconds, &tm))
                (void) strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
        (void) str_format(after, sizeof(after), "+%.1f ms", (double) (usec - from) / 1000);
        table_row(t, clock, after, source, message);
}

/* Both kinds of entries in the order of time. */
static int show_span(sd_journal *j, const char *domain, uint64_t from, uint64_t to, struct table *t,
                     struct json_object *list) {
        int r;

        sd_journal_flush_matches(j);
        if ((r = sd_journal_add_match(j, "MESSAGE_ID=" MESSAGE_ID_STEP, 0)) < 0 ||
            (r = sd_journal_add_match(j, "MESSAGE_ID=" MESSAGE_ID_RESULT, 0)) < 0 ||
            (r = sd_journal_add_disjunction(j)) < 0 || (r = sd_journal_add_match(j, "_TRANSPORT=kernel", 0)) < 0 ||
            (r = sd_journal_seek_realtime_usec(j, from)) < 0)
                return r;
        for (size_t i = 0; i < ENTRIES_MAX && (r = sd_journal_next(j)) > 0; i++) {
                char message[2048], transport[16], who[NAME_LENGTH_MAX + 1];
                bool kernel;
                uint64_t usec;

                if (sd_journal_get_realtime_usec(j, &usec) < 0 || usec < from)
                        continue;
                field(j, "_TRANSPORT", transport, sizeof(transport));
                kernel = str_eq(transport, "kernel");
                if (usec > to + (kernel ? KERNEL_AFTER_USEC : 0))
                        break;
                field(j, "DOMAIN", who, sizeof(who));
                if (!kernel && domain && !str_eq(who, domain))
                        continue;
                field(j, "MESSAGE", message, sizeof(message));
                if (list)
                        add_json(list, usec, kernel ? "kernel" : "passthru", message);
                else
                        add_row(t, usec, from, kernel ? "kernel" : "passthru", message);
        }
        return r < 0 ? r : 0;
}

static int open_journal(struct cli *cli, sd_journal **ret) {
        _cleanup_free_ char *path = NULL;

        if (root_is_live(cli->root))
                return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY);
        path = root_join(cli->root, "/");
        return path ? sd_journal_open_directory(ret, path, SD_JOURNAL_OS_ROOT) : -ENOMEM;
}

int verb_log(struct cli *cli, int argc, char **argv) {
        _cleanup_table_ struct table *t = table_new("TIME", "AFTER", "FROM", "MESSAGE", NULL);
        _cleanup_(journal_closep) sd_journal *j = NULL;
        struct json_object *list = NULL, *o;
        const char *domain = argc > 1 ? argv[1] : NULL;
        uint64_t from, to;
        struct err e = {};
        int r;

        if (domain && (str_eq(domain, "--help") || str_eq(domain, "-h"))) {
                puts("Usage: passthru log [DOMAIN] [--json] [--root DIR]\n"
                     "\n"
                     "The time line of the last lend and what followed, from the journal: each value\n"
                     "that was set, how long it took, and the kernel's messages between them.\n"
                     "\n"
                     "Options:\n"
                     "  --json      machine-readable output\n"
                     "  --root DIR  read the journal of the system in DIR");
                return EXIT_SUCCESS;
        }
        if (argc > 2 || (domain && !name_is_valid(domain)))
                return cli_usage_error(argv[0], "wanted at most one domain");

        r = open_journal(cli, &j);
        if (r >= 0)
                r = find_span(j, domain, &from, &to);
        if (r > 0) {
                list = cli->json ? json_object_new_array() : NULL;
                r = show_span(j, domain, from, to, t, list);
                if (r >= 0 && cli->json) {
                        o = json_object_new_object();
                        json_object_object_add(o, "version", json_object_new_int(1));
                        json_object_object_add(o, "entries", list);
                        return cli_print_json(o);
                }
                if (r >= 0) {
                        table_print(t, TABLE_WRAP);
                        return EXIT_SUCCESS;
                }
        }
        if (r == 0)
                (void) err_set(&e, -ENODATA, ERR_NOT_FOUND, domain,
                               "the journal has no lend%s%s; it shows only what your user may read (try sudo)",
                               domain ? " of " : "", domain ? domain : "");
        else
                (void) err_set(&e, r, ERR_FAILED, NULL, "the journal cannot be read: %s", strerror(-r));
        return cli_fail(&e);
}
