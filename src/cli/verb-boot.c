/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/boot.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

static void boot_done(struct boot *b) {
        ledger_done(&b->ledger);
        ledger_done(&b->edit.after);
        plan_done(&b->plan);
}

static void print_help(void) {
        puts("Usage: passthru boot plan|apply|confirm|refresh|revert [OPTION]...\n"
             "       passthru boot status|loaders [OPTION]...\n"
             "\n"
             "Brings the kernel command line to what passthru.conf says, in the files of\n"
             "the boot loader. What passthru did not write is never changed.\n"
             "\n"
             "  plan     show every change as a diff, and the commands; exit status 2: there\n"
             "           are changes, 0: there are none\n"
             "  apply    make them, for the next boot only: a trial. If it does not come up,\n"
             "           the boot after it is as before. An initramfs that lacks what\n"
             "           early.conf says is made anew\n"
             "  confirm  after a trial that did well, make them for all boots\n"
             "           (passthru-boot.service does it)\n"
             "  refresh  give entries of new kernels what the others have\n"
             "           (the hooks of kernel packages do it)\n"
             "  revert   take out what passthru put in, and nothing else\n"
             "  status   each parameter: wanted, configured, running\n"
             "  loaders  the boot loaders that passthru can edit, and which one was found\n"
             "\n"
             "Options:\n"
             "  --no-trial       for all boots at once (plan, apply; images always)\n"
             "  --yes            do not ask\n"
             "  --loader LOADER  this boot loader, instead of the one that was found\n"
             "  --force          also what the installed kernels seem to ignore, or others own\n"
             "  --root DIR       an image: files are edited, commands are named\n"
             "  --chroot         with --root: commands run inside of it\n"
             "  --json           machine-readable output (plan, status, loaders)");
}

/* The kernel line and the images are changed each by itself: what stands in the way of one does not stop the other. */
static int both(struct boot *b, int line, int (*images)(const struct boot *b)) {
        int status = images(b);

        return line == EXIT_FAILURE || status == EXIT_SUCCESS ? line : status;
}

static int run(struct boot *b, const char *verb) {
        if (str_eq(verb, "plan"))
                return both(b, boot_show_plan(b), boot_show_initramfs);
        if (str_eq(verb, "apply"))
                return both(b, boot_apply(b, false), boot_apply_initramfs);
        if (str_eq(verb, "revert"))
                return boot_apply(b, true);
        if (str_eq(verb, "confirm"))
                return boot_confirm(b);
        if (str_eq(verb, "refresh"))
                return boot_refresh(b);
        if (str_eq(verb, "status"))
                return boot_status(b);
        if (str_eq(verb, "loaders"))
                return boot_show_loaders(b);
        return cli_usage_error("boot", "wanted plan, apply, confirm, refresh, revert, status or loaders, found '%s'", verb);
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
                return cli_usage_error("boot", "wanted one of plan, apply, confirm, refresh, revert, status, loaders");
        if (!b)
                return EXIT_FAILURE;
        b->cli = cli;
        b->options = &o;
        status = run(b, argv[optind]);
        boot_done(b);
        return status;
}
