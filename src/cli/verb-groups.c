/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/groups.h"

#define DUMP_MAX (64U << 20) /* bytes; 4096 functions with 4096 bytes each are 53 MiB of text */

struct options {
        bool tree, details, predict;
        const char *dump;
        struct acs_settings settings;
};

static void groups_done(struct groups *g) {
        pci_devices_done(&g->devices);
        if (g->names)
                pci_names_free(g->names);
        state_done(&g->state);
        free(g->details);
        prediction_done(&g->prediction);
}

static void print_help(void) {
        puts("Usage: passthru groups [OPTION]...\n"
             "       passthru groups --predict [acs=LIST] [config_acs=LIST]...\n"
             "       passthru groups --dump FILE [acs=LIST] [config_acs=LIST]...\n"
             "\n"
             "PCI devices by IOMMU group: those that share one can only be lent together.\n"
             "\n"
             "Options:\n"
             "  --tree            by bridge\n"
             "  --long            also modules, reset methods, and who uses a device (as root)\n"
             "  --device ADDRESS  say whether this one, and others given so, are alone\n"
             "  --predict         the groups after a boot with these parameters (as root):\n"
             "    acs=LIST          pcie_acs_override=LIST, of a patched kernel:\n"
             "                      downstream,multifunction,id:VVVV:DDDD\n"
             "    config_acs=LIST   pci=config_acs=LIST, from Linux 6.11: FLAGS@DEVICE;...\n"
             "  --dump FILE       predict from what 'lspci -xxxx' printed as root on any\n"
             "                    machine; - reads standard input\n"
             "  --json            machine-readable output\n"
             "  --root DIR        look at the system in DIR");
}

static int parse_setting(const char *s, struct options *o) {
        struct err e = {};
        int r;

        if (str_starts(s, "acs="))
                r = acs_override_parse(s + 4, &o->settings.override, &e);
        else if (str_starts(s, "config_acs="))
                r = config_acs_parse(s + 11, &o->settings.config, &e);
        else
                return cli_usage_error("groups", "groups takes no argument like '%s'", s);
        if (r < 0)
                return cli_usage_error("groups", "%s", e.message);
        o->settings.boot = true;
        return 0;
}

static int add_wanted(struct groups *g, const char *address) {
        if (g->n_wanted == ARRAY_SIZE(g->wanted))
                return cli_usage_error("groups", "at most %zu devices", ARRAY_SIZE(g->wanted));
        if (bdf_parse(address, &g->wanted[g->n_wanted]) < 0)
                return cli_usage_error("groups", "wanted a PCI address like 0000:01:00.0, found '%s'", address);
        g->n_wanted++;
        return 0;
}

static int parse(int argc, char **argv, struct options *o, struct groups *g) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "tree", no_argument, NULL, 't' },
                { "long", no_argument, NULL, 'l' },
                { "device", required_argument, NULL, 'd' },
                { "predict", no_argument, NULL, 'p' },
                { "dump", required_argument, NULL, 'f' },
                {},
        };
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        print_help();
                        exit(EXIT_SUCCESS);
                case 't':
                        o->tree = true;
                        break;
                case 'l':
                        o->details = true;
                        break;
                case 'd':
                        r = add_wanted(g, optarg);
                        if (r != 0)
                                return r;
                        break;
                case 'f':
                        o->dump = optarg;
                        /* fall through */
                case 'p':
                        o->predict = true;
                        break;
                default:
                        return cli_option_error(argv[0], argv);
                }
        for (; optind < argc; optind++) {
                r = parse_setting(argv[optind], o);
                if (r != 0)
                        return r;
        }
        if (o->settings.boot && !o->predict)
                return cli_usage_error("groups", "acs= and config_acs= go with --predict or --dump");
        if (o->details && (o->dump || o->tree))
                return cli_usage_error("groups", "--long goes with neither --dump nor --tree");
        return 0;
}

static int read_dump(const char *path, char **ret, size_t *ret_size, struct err *e) {
        _cleanup_close_ int fd = str_eq(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
        int r;

        r = fd < 0 ? -errno : fd_read(fd, DUMP_MAX, ret, ret_size);
        return r < 0 ? err_set(e, r, ERR_FAILED, path, "%s: %s", path, strerror(-r)) : 0;
}

static int predict_from_dump(const struct options *o, struct groups *g, struct err *e) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = read_dump(o->dump, &text, &size, e);
        if (r < 0)
                return r;
        r = predict_dump(text, size, &o->settings, &g->devices, &g->prediction, e);
        return r < 0 ? err_prefix(e, "%s", o->dump) : 0;
}

static int read_host(const struct cli *cli, const struct options *o, struct groups *g, struct err *e) {
        int r;

        r = host_pci_devices(cli->root, &g->devices, e);
        if (r < 0)
                return r;
        /* Only root can see what is lent; everyone can see the groups. */
        (void) state_load(cli->root, &g->state, NULL);
        if (o->details) {
                r = groups_read_details(cli->root, g, e);
                if (r < 0)
                        return r;
        }
        return o->predict ? predict_host(cli->root, &g->devices, &o->settings, &g->prediction, e) : 0;
}

static int read_groups(const struct cli *cli, const struct options *o, struct groups *g, struct err *e) {
        char address[BDF_TEXT_MAX];
        int r;

        r = o->dump ? predict_from_dump(o, g, e) : read_host(cli, o, g, e);
        if (r < 0)
                return r;
        g->predicted = o->predict;
        for (size_t i = 0; g->predicted && i < g->devices.n; i++)
                g->devices.list[i].group = g->prediction.after[i];
        for (size_t i = 0; i < g->n_wanted; i++)
                if (!pci_devices_find(&g->devices, &g->wanted[i])) {
                        bdf_format(&g->wanted[i], address);
                        return err_set(e, -ENODEV, ERR_NOT_FOUND, address, "%s: no such PCI function %s", address,
                                       o->dump ? "in the dump" : "on this host: see lspci -D");
                }
        r = pci_names_new(&g->names);
        return r < 0 ? err_set(e, r, ERR_FAILED, NULL, "out of memory") : 0;
}

int verb_groups(struct cli *cli, int argc, char **argv) {
        _cleanup_(groups_done) struct groups g = {};
        struct options o = {};
        struct err e = {};
        int r;

        r = parse(argc, argv, &o, &g);
        if (r != 0)
                return r;
        if (read_groups(cli, &o, &g, &e) < 0)
                return cli_fail(&e);
        if (cli->json)
                return cli_print_json(groups_to_json(&g));
        if (o.tree)
                groups_print_tree(&g);
        else
                groups_print_table(&g);
        if (g.predicted)
                groups_print_prediction(&g);
        groups_print_wanted(&g);
        return EXIT_SUCCESS;
}
