/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "boot/apply.h"
#include "boot/wanted.h"
#include "cli/cli.h"
#include "cli/diff.h"
#include "cli/table.h"
#include "config/settings.h"
#include "model/cmdline.h"

#define EXIT_PENDING 2 /* "plan": changes would be made */

struct boot_options {
        const char *loader;
        bool yes, force, chroot, no_trial;
};

/* All that the four sub-verbs need; nothing of it is written to. */
struct boot {
        const struct cli *cli;
        const struct boot_options *options;
        const struct loader *loader;
        struct wanted wanted;
        struct ledger ledger;
        struct boot_edit edit;
        struct plan plan;
};

static void boot_done(struct boot *b) {
        ledger_done(&b->ledger);
        ledger_done(&b->edit.after);
        plan_done(&b->plan);
}

static void print_help(void) {
        puts("Usage: passthru boot plan|apply|revert|status [OPTION]...\n"
             "\n"
             "Brings the kernel command line to what passthru.conf says, in the files of\n"
             "the boot loader. What passthru did not write is never changed.\n"
             "\n"
             "  plan    show every change as a diff, and the commands; exit status 2: there\n"
             "          are changes, 0: there are none\n"
             "  apply   make them\n"
             "  revert  take out what passthru put in, and nothing else\n"
             "  status  each parameter: wanted, configured, running\n"
             "\n"
             "Options:\n"
             "  --no-trial     write at once (apply; trial boots are not there yet)\n"
             "  --yes          do not ask\n"
             "  --loader NAME  this boot loader, instead of the one that was found\n"
             "  --force        also what the installed kernels seem to ignore\n"
             "  --root DIR     an image: files are edited, commands are named\n"
             "  --chroot       with --root: commands run inside of it\n"
             "  --json         machine-readable output (plan, status)");
}

/* A machine that was moved to another boot loader: what is edited in the files of the old one has no effect. Where the
 * evidence points to nothing certain, the ledger decides. */
static int check_same_loader(const struct boot *b, struct err *e) {
        const struct loader *now;

        if (loader_find(b->cli->root, NULL, &now, NULL) < 0 || now == b->loader)
                return 0;
        return err_set(e, -EXDEV, ERR_REFUSED, "loader",
                       "our parameters are in the files of %s, and this machine seems to boot with %s now: 'passthru boot "
                       "revert' takes them out there; or say --loader %s to stay with it", b->loader->name, now->name,
                       b->loader->name);
}

/* Finds the loader and what it takes to get from what is to what is wanted (nothing: revert). */
static int boot_plan(struct boot *b, bool revert, struct err *e) {
        struct settings settings;
        const char *name;
        int r;

        r = ledger_load(b->cli->root, &b->ledger, e);
        if (r >= 0 && !revert) {
                settings_default(&settings);
                r = settings_load(b->cli->root, &settings, e);
                if (r >= 0)
                        r = wanted_find(b->cli->root, &settings.boot, b->options->force, &b->wanted, e);
        }
        if (r < 0)
                return r;
        name = b->options->loader                              ? b->options->loader :
               b->ledger.n_files > 0 || b->ledger.unfinished ? b->ledger.loader :
                                                                 NULL;
        r = loader_find(b->cli->root, name, &b->loader, e);
        if (r < 0) {
                for (size_t i = 0; r == -ENOENT && i < b->wanted.n; i++)
                        err_append(e, "%s%s", i == 0 ? ": " : " ", b->wanted.list[i]);
                return r;
        }
        if (!revert && !b->options->loader) {
                r = check_same_loader(b, e);
                if (r < 0)
                        return r;
        }
        b->edit = (struct boot_edit) { .want = b->wanted.list, .n_want = b->wanted.n, .before = &b->ledger };
        return loader_plan(b->loader, b->cli->root, &b->edit, &b->plan, e);
}

/* As a shell takes it for one word. */
static void print_word(const char *word) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=:,+@%";

        if (*word && !word[strspn(word, plain)]) {
                printf(" %s", word);
                return;
        }
        fputs(" '", stdout);
        for (; *word; word++)
                printf(*word == '\'' ? "'\\''" : "%c", *word);
        putchar('\'');
}

static void print_commands(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_commands; i++) {
                printf("run:");
                for (char *const *a = plan->commands[i].argv; *a; a++)
                        print_word(*a);
                printf("   (%s)\n", plan->commands[i].why);
        }
}

/* A scalar that somebody else set to another value loses, since ours comes behind it: nobody should learn that after the
 * restart. */
static void print_overrides(const struct boot *b) {
        _cleanup_boot_entries_ struct boot_entries entries = {};

        if (b->loader->read(b->cli->root, &entries, NULL) < 0)
                return;
        for (size_t p = 0; p < b->wanted.n; p++)
                for (size_t i = 0; i < entries.n; i++) {
                        const struct boot_entry *entry = &entries.list[i];
                        struct token t;

                        if (entry->untouched || ledger_owns(&b->ledger, entry->file, b->wanted.list[p]) ||
                            !cmdline_overridden_by(entry->line, b->wanted.list[p], &t))
                                continue;
                        printf("Note: %.*s in '%s' is not ours, and will be overridden by %s.\n", (int) t.length, t.start,
                               entry->name, b->wanted.list[p]);
                        break; /* once for each parameter is enough */
                }
}

static int print_plan(const struct boot *b) {
        if (b->plan.unfinished)
                puts("An earlier run was cut off; this one finishes it.");
        for (size_t i = 0; i < b->plan.n_changes; i++) {
                int r = diff_print(&b->plan.changes[i]);

                if (r < 0) {
                        fprintf(stderr, "passthru: the changes cannot be shown: diff: %s\n", strerror(-r));
                        return r;
                }
        }
        print_commands(&b->plan);
        print_overrides(b);
        return 0;
}

static struct json_object *plan_to_json(const struct boot *b) {
        struct json_object *o = json_object_new_object(), *changes = json_object_new_array(),
                           *commands = json_object_new_array();

        for (size_t i = 0; i < b->plan.n_changes; i++) {
                const struct plan_change *c = &b->plan.changes[i];
                struct json_object *change = json_object_new_object();

                json_object_object_add(change, "path", json_object_new_string(c->path));
                json_object_object_add(change, "before", c->before ? json_object_new_string(c->before) : NULL);
                json_object_object_add(change, "after", c->after ? json_object_new_string(c->after) : NULL);
                json_object_array_add(changes, change);
        }
        for (size_t i = 0; i < b->plan.n_commands; i++) {
                struct json_object *argv = json_object_new_array();

                for (char *const *a = b->plan.commands[i].argv; *a; a++)
                        json_object_array_add(argv, json_object_new_string(*a));
                json_object_array_add(commands, argv);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "loader", json_object_new_string(b->loader->name));
        json_object_object_add(o, "unfinished", json_object_new_boolean(b->plan.unfinished));
        json_object_object_add(o, "changes", changes);
        json_object_object_add(o, "commands", commands);
        return o;
}

static int boot_show_plan(struct boot *b) {
        struct err e = {};

        if (boot_plan(b, false, &e) < 0)
                return cli_fail(&e);
        if (b->cli->json)
                (void) cli_print_json(plan_to_json(b));
        else if (plan_is_empty(&b->plan))
                printf("%s: nothing to do.\n", b->loader->title);
        else if (print_plan(b) < 0)
                return EXIT_FAILURE;
        if (*b->wanted.note && !b->cli->json)
                printf("Note: %s.\n", b->wanted.note);
        return plan_is_empty(&b->plan) ? EXIT_SUCCESS : EXIT_PENDING;
}

static bool confirm(const struct boot *b) {
        char answer[16];

        if (b->options->yes)
                return true;
        if (!isatty(STDIN_FILENO)) {
                fputs("passthru: nobody is there to ask; --yes answers\n", stderr);
                return false;
        }
        printf("Make these changes? [y/N] ");
        (void) fflush(stdout);
        return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static void on_apply(enum apply_event event, const char *what, void *userdata) {
        static const char *const words[] = {
                [APPLY_WRITE] = "writing",
                [APPLY_RUN] = "running",
                [APPLY_VERIFY] = "reading back",
                [APPLY_UNDO] = "undoing",
        };

        (void) userdata;
        printf("%s %s\n", words[event], what);
        (void) fflush(stdout);
}

static int boot_apply(struct boot *b, bool revert) {
        struct apply apply = {
                .root = b->cli->root,
                .run_commands = root_is_live(b->cli->root) || b->options->chroot,
                .report = on_apply,
        };
        _cleanup_close_ int lock = -1;
        struct err e = {};

        if (!revert && !b->options->no_trial)
                return cli_usage_error("boot", "a trial boot, which would be the default, is not there yet; --no-trial "
                                               "changes the line for all boots at once");
        if (ledger_lock(b->cli->root, &lock, &e) < 0 || boot_plan(b, revert, &e) < 0)
                return cli_fail(&e);
        if (plan_is_empty(&b->plan)) {
                printf("%s: nothing to do.\n", b->loader->title);
                return EXIT_SUCCESS;
        }
        if (print_plan(b) < 0 || !confirm(b))
                return EXIT_FAILURE;
        apply.loader = b->loader;
        /* A terminal that goes away, or a reader of what we print, is no reason to stop half-way. An interrupt ends the
         * command that runs, which then is taken back. */
        (void) signal(SIGHUP, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGINT, SIG_IGN);
        if (plan_apply(&apply, &b->plan, &b->edit, &e) < 0)
                return cli_fail(&e);
        puts(apply.run_commands || b->plan.n_commands == 0 ? "Done. It takes effect at the next boot." :
                                  "Done. The commands above still have to run inside of the image.");
        return EXIT_SUCCESS;
}

/* Status */

static int running_line(const struct root *root, char **ret) {
        int r = root_read(root, "/proc/cmdline", 2 * CMDLINE_MAX, ret, NULL);

        if (r >= 0)
                (*ret)[strcspn(*ret, "\n")] = '\0';
        return r;
}

/* "yes", "no", or in how many of the entries. */
static const char *configured_in(const struct boot_entries *entries, const char *parameter, char *buf, size_t size) {
        size_t has = 0, all = 0;

        for (size_t i = 0; i < entries->n; i++) {
                all += !entries->list[i].untouched;
                has += !entries->list[i].untouched && cmdline_has(entries->list[i].line, parameter);
        }
        (void) str_format(buf, size, has == all ? "yes" : has == 0 ? "no" : "%zu of %zu", has, all);
        return buf;
}

static const char *verdict(const char *configured, const char *running, const char *parameter, char *buf, size_t size) {
        struct token t;

        if (running && cmdline_overridden_by(running, parameter, &t))
                (void) str_format(buf, size, "overridden by %.*s", (int) t.length, t.start);
        else if (running && cmdline_has(running, parameter))
                (void) str_copy(buf, size, str_eq(configured, "yes") ? "in effect" : "gone at the next boot");
        else if (str_eq(configured, "no"))
                (void) str_copy(buf, size, "not applied: passthru boot apply");
        else
                (void) str_copy(buf, size, "reboot pending");
        return buf;
}

static int boot_status(struct boot *b) {
        _cleanup_table_ struct table *t = table_new("PARAMETER", "CONFIGURED", "RUNNING", "STATUS", NULL);
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *running = NULL;
        struct json_object *o, *list;
        struct err e = {};

        if (boot_plan(b, false, &e) < 0 || b->loader->read(b->cli->root, &entries, &e) < 0)
                return cli_fail(&e);
        (void) running_line(b->cli->root, &running);

        o = json_object_new_object();
        list = json_object_new_array();
        for (size_t i = 0; i < b->wanted.n; i++) {
                const char *p = b->wanted.list[i], *runs = running && cmdline_has(running, p) ? "yes" : "no";
                char configured[32], text[160];
                struct json_object *row = json_object_new_object();

                configured_in(&entries, p, configured, sizeof(configured));
                verdict(configured, running, p, text, sizeof(text));
                table_row(t, p, configured, runs, text);
                json_object_object_add(row, "parameter", json_object_new_string(p));
                json_object_object_add(row, "configured", json_object_new_string(configured));
                json_object_object_add(row, "running", json_object_new_boolean(*runs == 'y'));
                json_object_object_add(row, "status", json_object_new_string(text));
                json_object_array_add(list, row);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "loader", json_object_new_string(b->loader->name));
        json_object_object_add(o, "parameters", list);
        if (b->cli->json)
                return cli_print_json(o);
        json_object_put(o);
        printf("Boot loader: %s\n", b->loader->title);
        if (b->wanted.n == 0)
                puts("No kernel parameter is wanted.");
        table_print(t, TABLE_WRAP);
        if (*b->wanted.note)
                printf("Note: %s.\n", b->wanted.note);
        return EXIT_SUCCESS;
}

static int run(struct boot *b, const char *verb) {
        if (str_eq(verb, "plan"))
                return boot_show_plan(b);
        if (str_eq(verb, "apply"))
                return boot_apply(b, false);
        if (str_eq(verb, "revert"))
                return boot_apply(b, true);
        if (str_eq(verb, "status"))
                return boot_status(b);
        return cli_usage_error("boot", "wanted plan, apply, revert or status, found '%s'", verb);
}

int verb_boot(struct cli *cli, int argc, char **argv) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },  { "yes", no_argument, NULL, 'y' },
                { "force", no_argument, NULL, 'f' }, { "chroot", no_argument, NULL, 'c' },
                { "no-trial", no_argument, NULL, 't' }, { "loader", required_argument, NULL, 'l' },
                {},
        };
        _cleanup_free_ struct boot *b = calloc(1, sizeof(*b));
        struct boot_options o = {};
        int c, status;

        while ((c = getopt_long(argc, argv, "hy", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        print_help();
                        return EXIT_SUCCESS;
                case 'y':
                        o.yes = true;
                        break;
                case 'f':
                        o.force = true;
                        break;
                case 'c':
                        o.chroot = true;
                        break;
                case 't':
                        o.no_trial = true;
                        break;
                case 'l':
                        o.loader = optarg;
                        break;
                default:
                        return cli_option_error("boot", argv);
                }
        if (argc - optind != 1)
                return cli_usage_error("boot", "wanted one of plan, apply, revert, status");
        if (!b)
                return EXIT_FAILURE;
        b->cli = cli;
        b->options = &o;
        status = run(b, argv[optind]);
        boot_done(b);
        return status;
}
