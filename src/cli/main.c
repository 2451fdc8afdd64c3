/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/text.h"

struct verb {
        const char *name, *arguments, *help;
        verb_main run;
};

static const struct verb verbs[] = {
        { "check", "", "is this host ready to lend?", verb_check },
        { "groups", "", "PCI devices by IOMMU group", verb_groups },
        { "cpu", "[DOMAIN | plan]", "CPUs, pinning, a layout", verb_cpu },
        { "status", "", "what is lent, and to whom", verb_status },
        { "lend", "DOMAIN | --device ADDRESS", "lend now, without starting the domain", verb_lend },
        { "return", "DOMAIN", "take back what a domain has", verb_return },
        { "rehearse", "DOMAIN", "lend, verify, give back, with times", verb_rehearse },
        { "boot", "plan|apply|revert|status", "the boot loader's kernel parameters", verb_boot },
        { "device", "reserve|release|idle", "devices that no driver of the host gets", verb_device },
        { "log", "[DOMAIN]", "the last lend and return, step by step", verb_log },
};

static void print_help(void) {
        puts("Usage: passthru [OPTION]... VERB [ARGUMENT]...\n"
             "\n"
             "Lends PCI devices of this host to virtual machines and takes them back.\n"
             "\n"
             "Verbs:");
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                printf("  %-8s %-28s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
        puts("\n"
             "Options:\n"
             "  --json         machine-readable output\n"
             "  --root DIR     look at the system in DIR (not: lend, return, rehearse)\n"
             "  --help         this text; 'passthru VERB --help' for a verb\n"
             "  --version\n"
             "\n"
             "Exit status: 0 done, 1 failed, 2 wrong usage; check: 1 warnings, 2 not ready.");
}

/* Of a verb without arguments of its own. */
static void print_verb_help(const char *verb) {
        printf("Usage: passthru %s [--json] [--root DIR]\n\n", verb);
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if (str_eq(verbs[i].name, verb))
                        printf("Shows: %s\n\n", verbs[i].help);
        puts("Options:\n"
             "  --json      machine-readable output\n"
             "  --root DIR  look at the system in DIR");
}

int cli_fail(const struct err *e) {
        _cleanup_free_ char *message = text_for_locale(e->message);

        fprintf(stderr, "passthru: %s\n", message);
        return EXIT_FAILURE;
}

int cli_usage_error(const char *verb, const char *fmt, ...) {
        char message[ERR_MESSAGE_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);
        /* What was typed may have come from elsewhere. */
        str_printable(message);
        utf8_repair(message);
        fprintf(stderr, "passthru: %s\nTry 'passthru %s%s--help'.\n", message, verb, *verb ? " " : "");
        return EXIT_USAGE;
}

int cli_option_error(const char *verb, char **argv) {
        /* In the middle of "-xyz" getopt is still at this argument. */
        const char *found = *argv[optind - 1] == '-' ? argv[optind - 1] : argv[optind];

        return cli_usage_error(verb, "'%s' is no option%s%s, or lacks its value", found, *verb ? " of " : "", verb);
}

int cli_no_arguments(int argc, char **argv) {
        if (argc == 1)
                return 0;
        if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h")) {
                print_verb_help(argv[0]);
                exit(EXIT_SUCCESS);
        }
        return cli_usage_error(argv[0], "%s takes no argument like '%s'", argv[0], argv[1]);
}

int cli_need_live(const struct cli *cli, const char *verb) {
        if (root_is_live(cli->root))
                return 0;
        return cli_usage_error(verb, "%s works on the running host only, not with --root", verb);
}

int cli_print_json(struct json_object *o) {
        if (!o)
                return EXIT_FAILURE;
        puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                       JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(o);
        return EXIT_SUCCESS;
}

static int run_verb(struct cli *cli, int argc, char **argv) {
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if (str_eq(verbs[i].name, argv[0]))
                        return verbs[i].run(cli, argc, argv);
        return cli_usage_error("", "there is no verb '%s'", argv[0]);
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { "json", no_argument, NULL, 'j' },
                { "root", required_argument, NULL, 'r' },
                {},
        };
        _cleanup_root_ struct root *root = NULL;
        struct cli cli = {};
        const char *dir = NULL;
        struct err e = {};
        int c, r;

        (void) setlocale(LC_ALL, "");
        opterr = 0;
        while ((c = getopt_long(argc, argv, "+h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        print_help();
                        return EXIT_SUCCESS;
                case 'V':
                        puts("passthru " VERSION);
                        return EXIT_SUCCESS;
                case 'j':
                        cli.json = true;
                        break;
                case 'r':
                        dir = optarg;
                        break;
                default:
                        return cli_option_error("", argv);
                }
        if (optind == argc)
                return cli_usage_error("", "wanted a verb");

        /* "passthru groups --json" is what fingers type. */
        for (int i = optind + 1; i < argc;)
                if (str_eq(argv[i], "--json")) {
                        cli.json = true;
                        memmove(&argv[i], &argv[i + 1], (size_t) (argc - i) * sizeof(*argv));
                        argc--;
                } else if (str_eq(argv[i], "--root") && i + 1 < argc) {
                        dir = argv[i + 1];
                        memmove(&argv[i], &argv[i + 2], (size_t) (argc - i - 1) * sizeof(*argv));
                        argc -= 2;
                } else if (str_starts(argv[i], "--root=")) {
                        dir = argv[i] + strlen("--root=");
                        memmove(&argv[i], &argv[i + 1], (size_t) (argc - i) * sizeof(*argv));
                        argc--;
                } else
                        i++;

        r = root_new(dir, &root);
        if (r < 0) {
                (void) err_set(&e, r, ERR_FAILED, "root", "--root %s: %s", dir ? dir : "/", strerror(-r));
                return cli_fail(&e);
        }
        cli.root = root;
        argc -= optind;
        argv += optind;
        optind = 0;
        return run_verb(&cli, argc, argv);
}
