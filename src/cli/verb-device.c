/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "boot/ledger.h"
#include "boot/reserve.h"
#include "cli/cli.h"
#include "cli/device-idle.h"
#include "cli/diff.h"

struct device_options {
        struct early_device settings;
        struct bdf addresses[EARLY_DEVICES_MAX];
        size_t n;
        bool strict, yes, dry_run;
};

static void print_help(void) {
        puts("Usage: passthru device reserve|release ADDRESS... [OPTION]...\n"
             "       passthru device idle\n"
             "\n"
             "Says in /etc/passthru/early.conf which PCI devices no driver of the host gets\n"
             "when it boots: the initramfs reserves them for vfio. The rest of their IOMMU\n"
             "groups comes along. What the host needs to boot is refused. Then 'passthru boot\n"
             "apply' brings it into the initramfs, and it takes effect at the next boot.\n"
             "passthru=off on the kernel command line turns it off for one boot.\n"
             "\n"
             "'idle' gives those with --idle=host to the host's own drivers now;\n"
             "passthru-idle.service does it at boot.\n"
             "\n"
             "Options:\n"
             "  --idle vfio|host       what has it while no domain does: vfio (default), or\n"
             "                         the host's own driver, once the system is up: enable\n"
             "                         passthru-idle.service\n"
             "  --driver NAME          a variant of vfio-pci\n"
             "  --group expand|strict  take the rest of the IOMMU group along, or refuse\n"
             "  --force                also the firmware's or the only display, or a card of\n"
             "                         a network root\n"
             "  --dry-run              show the change; exit status 2: there is one\n"
             "  --yes                  do not ask\n"
             "  --root DIR             an image");
}

static bool confirm(const struct device_options *o) {
        char answer[16];

        if (o->yes)
                return true;
        if (!isatty(STDIN_FILENO)) {
                fputs("passthru: nobody is there to ask; --yes answers\n", stderr);
                return false;
        }
        printf("Make this change? [y/N] ");
        (void) fflush(stdout);
        return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static int run(struct cli *cli, bool release, const struct device_options *o) {
        _cleanup_plan_ struct plan plan = {};
        _cleanup_close_ int lock = -1;
        struct err e = {};
        int r = 0;

        if (!o->dry_run)
                r = ledger_lock(cli->root, &lock, &e);
        if (r >= 0)
                r = release ? release_plan(cli->root, o->addresses, o->n, &plan, &e)
                            : reserve_plan(cli->root, o->addresses, o->n, !o->strict, &o->settings, &plan, &e);
        if (r < 0)
                return cli_fail(&e);
        if (plan_is_empty(&plan)) {
                puts("Nothing to do.");
                return EXIT_SUCCESS;
        }
        for (size_t i = 0; i < plan.n_changes; i++)
                if (diff_print(&plan.changes[i]) < 0)
                        return cli_usage_error("device", "the change cannot be shown: diff is not installed");
        if (o->dry_run)
                return EXIT_PENDING;
        if (!confirm(o))
                return EXIT_FAILURE;
        if (reserve_apply(cli->root, &plan, &e) < 0)
                return cli_fail(&e);
        puts("Done. 'passthru boot apply' brings it into the initramfs; it takes effect at the next boot.");
        return EXIT_SUCCESS;
}

static int parse_options(int argc, char **argv, struct device_options *o) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },        { "yes", no_argument, NULL, 'y' },
                { "force", no_argument, NULL, 'f' },       { "dry-run", no_argument, NULL, 'n' },
                { "idle", required_argument, NULL, 'i' },  { "driver", required_argument, NULL, 'd' },
                { "group", required_argument, NULL, 'g' }, {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "hyn", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        print_help();
                        exit(EXIT_SUCCESS);
                case 'y':
                        o->yes = true;
                        break;
                case 'n':
                        o->dry_run = true;
                        break;
                case 'f':
                        o->settings.force = true;
                        break;
                case 'i':
                        o->settings.idle_host = str_eq(optarg, "host");
                        if (!o->settings.idle_host && !str_eq(optarg, "vfio"))
                                return cli_usage_error("device", "--idle: wanted vfio or host, found '%s'",
                                                       optarg);
                        break;
                case 'g':
                        o->strict = str_eq(optarg, "strict");
                        if (!o->strict && !str_eq(optarg, "expand"))
                                return cli_usage_error("device", "--group: wanted expand or strict, found '%s'",
                                                       optarg);
                        break;
                case 'd':
                        if (!driver_name_is_valid(optarg) || !driver_is_vfio(optarg))
                                return cli_usage_error("device",
                                                       "--driver: wanted vfio-pci or a variant of it, found "
                                                       "'%s'",
                                                       optarg);
                        (void) str_copy(o->settings.device.driver, sizeof(o->settings.device.driver), optarg);
                        break;
                default:
                        return cli_option_error("device", argv);
                }
        return 0;
}

int verb_device(struct cli *cli, int argc, char **argv) {
        _cleanup_free_ struct device_options *o = calloc(1, sizeof(*o));
        const char *verb;
        int status;

        if (!o)
                return EXIT_FAILURE;
        status = parse_options(argc, argv, o);
        if (status != 0)
                return status;
        verb = argc > optind ? argv[optind++] : "";
        if (str_eq(verb, "idle") && optind == argc)
                return device_idle(cli);
        if (!str_eq(verb, "reserve") && !str_eq(verb, "release"))
                return cli_usage_error("device", "wanted reserve, release or (alone) idle, found '%s'", verb);
        for (; optind < argc; optind++) {
                if (o->n == EARLY_DEVICES_MAX)
                        return cli_usage_error("device", "wanted at most %d devices", EARLY_DEVICES_MAX);
                if (bdf_parse(argv[optind], &o->addresses[o->n++]) < 0)
                        return cli_usage_error("device", "wanted a PCI address like 0000:01:00.0, found '%s'",
                                               argv[optind]);
        }
        if (o->n == 0)
                return cli_usage_error("device", "wanted the address of a device: passthru groups lists them");
        return run(cli, str_eq(verb, "release"), o);
}
