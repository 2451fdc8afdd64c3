/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "config/domain-xml.h"
#include "lease/state.h"
#include "sys/topology.h"

#define DOMAINS "/etc/libvirt/qemu"

static void print_help(void) {
        puts("Usage: passthru cpu\n"
             "       passthru cpu DOMAIN\n"
             "       passthru cpu plan --vcpus N [--device ADDRESS]... [--keep CORES]\n"
             "\n"
             "Shows the host's CPUs, what they share, and which domains are pinned to them;\n"
             "what a domain's pinning costs; or the XML that pins N vCPUs to whole cores, near\n"
             "the devices that the domain gets.\n"
             "\n"
             "Options:\n"
             "  --vcpus N          how many vCPUs to lay out\n"
             "  --device ADDRESS   a PCI function that the domain gets (repeatable)\n"
             "  --keep CORES       how many cores stay with the host at least (default 1)\n"
             "  --json             machine-readable output (not: plan)");
}

static int load_pinning(const struct cli *cli, const char *domain, struct pinning *ret, struct err *e) {
        _cleanup_free_ char *xml = NULL;
        size_t size;
        int r;

        r = domain_xml_load(cli->root, domain, &xml, &size, e);
        return r < 0 ? r : domain_xml_pinning(xml, size, ret, e);
}

/* What libvirt's domains are pinned to. */
struct users {
        struct user {
                char domain[NAME_LENGTH_MAX + 1];
                struct cpu_set cpus;
        } *list;
        size_t n;
};

static void users_done(struct users *users) {
        free(users->list);
}

/* What cannot be read is left out: a table of CPUs is worth having without it. */
static void list_users(const struct cli *cli, struct users *ret) {
        _cleanup_free_ struct pinning *p = malloc(sizeof(*p));
        _cleanup_strv_ char **files = NULL;

        if (!p || root_list(cli->root, &files, DOMAINS) < 0)
                return;
        for (char **f = files; *f; f++) {
                size_t n = strlen(*f);
                struct user u = {}, *bigger;

                if (n <= strlen(".xml") || !str_eq(*f + n - strlen(".xml"), ".xml"))
                        continue;
                (*f)[n - strlen(".xml")] = '\0';
                if (str_copy(u.domain, sizeof(u.domain), *f) < 0 || load_pinning(cli, *f, p, NULL) < 0)
                        continue;
                pinning_cpus(p, &u.cpus);
                bigger = reallocarray(ret->list, ret->n + 1, sizeof(*bigger));
                if (!bigger)
                        return;
                ret->list = bigger;
                ret->list[ret->n++] = u;
        }
}

/* The domain that has it for itself. */
static const char *isolated_for(const struct state *s, unsigned cpu) {
        for (size_t i = 0; i < s->n_leases; i++) {
                const struct claim *c = lease_find_claim(&s->leases[i], &knob_workqueue, "unbound");
                struct cpu_set host;

                if (c && cpu_set_parse(c->value, &host) >= 0 && !cpu_set_has(&host, cpu))
                        return s->leases[i].domain;
        }
        return NULL;
}

static void describe_use(const struct users *users, const struct state *s, unsigned cpu, char *buf, size_t size) {
        const char *owner = isolated_for(s, cpu);
        size_t used = 0;

        (void) str_format(buf, size, "%s%s", owner ? "isolated for " : "", owner ? owner : "");
        used = strlen(buf);
        for (size_t i = 0; i < users->n; i++)
                if (cpu_set_has(&users->list[i].cpus, cpu) && (!owner || !str_eq(users->list[i].domain, owner))) {
                        if (str_format(buf + used, size - used, "%s%s", used ? ", " : "", users->list[i].domain) <
                            0)
                                break;
                        used = strlen(buf);
                }
        if (used == 0)
                (void) str_copy(buf, size, "-");
}

static void put_set(struct json_object *o, const char *key, const struct cpu_set *set) {
        char text[512] = "";

        (void) cpu_set_format(set, text, sizeof(text));
        json_object_object_add(o, key, json_object_new_string(text));
}

static int print_json(const struct topology *t, const struct users *users, const struct state *s) {
        struct json_object *o = json_object_new_object(), *list = json_object_new_array();

        for (size_t i = 0; i < t->n; i++) {
                const struct cpu *c = &t->list[i];
                struct json_object *cpu = json_object_new_object(), *domains = json_object_new_array();
                const char *owner = isolated_for(s, c->id);

                json_object_object_add(cpu, "cpu", json_object_new_int((int) c->id));
                json_object_object_add(cpu, "node", json_object_new_int(c->node));
                json_object_object_add(cpu, "socket", json_object_new_int(c->package));
                put_set(cpu, "core", &c->siblings);
                put_set(cpu, "cache", &c->l3);
                json_object_object_add(cpu, "isolated_for", owner ? json_object_new_string(owner) : NULL);
                for (size_t u = 0; u < users->n; u++)
                        if (cpu_set_has(&users->list[u].cpus, c->id))
                                json_object_array_add(domains, json_object_new_string(users->list[u].domain));
                json_object_object_add(cpu, "pinned", domains);
                json_object_array_add(list, cpu);
        }
        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "cpus", list);
        return cli_print_json(o);
}

static int show_host(const struct cli *cli, const struct topology *t) {
        _cleanup_table_ struct table *table = table_new("CPU", "NODE", "SOCKET", "CORE", "CACHE", "DOMAINS", NULL);
        _cleanup_(users_done) struct users users = {};
        _cleanup_state_ struct state s = {};

        /* Only root can see what is lent and what is defined; everyone can see the CPUs. */
        (void) state_load(cli->root, &s, NULL);
        list_users(cli, &users);
        if (cli->json)
                return print_json(t, &users, &s);
        for (size_t i = 0; i < t->n; i++) {
                const struct cpu *c = &t->list[i];
                char id[16], node[16], package[16], core[64] = "", cache[64] = "", use[300];

                (void) str_format(id, sizeof(id), "%u", c->id);
                (void) str_format(node, sizeof(node), c->node < 0 ? "-" : "%d", c->node);
                (void) str_format(package, sizeof(package), c->package < 0 ? "-" : "%d", c->package);
                (void) cpu_set_format(&c->siblings, core, sizeof(core));
                (void) cpu_set_format(&c->l3, cache, sizeof(cache));
                describe_use(&users, &s, c->id, use, sizeof(use));
                table_row(table, id, node, package, core, cache, use);
        }
        table_print(table, TABLE_WRAP);
        return EXIT_SUCCESS;
}

static int show_domain(const struct cli *cli, const struct topology *t, const char *domain) {
        _cleanup_free_ struct pinning *p = calloc(1, sizeof(*p));
        struct finding found[PINNING_FINDINGS_MAX];
        struct json_object *list, *all;
        struct err e = {};
        size_t n;

        if (!p || load_pinning(cli, domain, p, &e) < 0)
                return cli_fail(&e);
        n = pinning_check(t, p, found);
        if (!cli->json) {
                struct cpu_set cpus;

                pinning_cpus(p, &cpus);
                if (n == 0)
                        printf(cpu_set_is_empty(&cpus)
                                       ? "%s is not pinned: its vCPUs run wherever there is room.\n"
                                       : "The pinning of %s fits this host.\n",
                               domain);
                for (size_t i = 0; i < n; i++)
                        printf("%-8s %s\n         %s\n", severity_name(found[i].severity), found[i].evidence,
                               found[i].remedy);
                return n > 0;
        }
        list = json_object_new_array();
        for (size_t i = 0; i < n; i++) {
                struct json_object *o = json_object_new_object();

                json_object_object_add(o, "id", json_object_new_string(found[i].id));
                json_object_object_add(o, "severity", json_object_new_string(severity_name(found[i].severity)));
                json_object_object_add(o, "evidence", json_object_new_string(found[i].evidence));
                json_object_object_add(o, "remedy", json_object_new_string(found[i].remedy));
                json_object_array_add(list, o);
        }
        all = json_object_new_object();
        json_object_object_add(all, "version", json_object_new_int(1));
        json_object_object_add(all, "findings", list);
        (void) cli_print_json(all);
        return n > 0;
}

static void print_plan(const struct pinning *p) {
        char emulator[512] = "";

        printf("<vcpu placement='static'>%u</vcpu>\n<cputune>\n", p->n_vcpus);
        for (unsigned v = 0; v < p->n_vcpus; v++)
                printf("  <vcpupin vcpu='%u' cpuset='%d'/>\n", v, cpu_set_next(&p->vcpus[v], 0));
        (void) cpu_set_format(&p->emulator, emulator, sizeof(emulator));
        printf("  <emulatorpin cpuset='%s'/>\n</cputune>\n"
               "<cpu mode='host-passthrough' check='none'>\n"
               "  <topology sockets='1' dies='1' cores='%u' threads='%u'/>\n</cpu>\n",
               emulator, p->n_vcpus / p->threads, p->threads);
}

/* Where a device is attached; -1 is the kernel's word for nowhere in particular. */
static int add_node(const struct cli *cli, const char *text, struct cpu_set *nodes) {
        char address[BDF_TEXT_MAX], node[16];
        struct bdf bdf;
        uint64_t n;

        if (bdf_parse(text, &bdf) < 0)
                return cli_usage_error("cpu", "wanted a PCI address like 0000:01:00.0, found '%s'", text);
        if (root_read_attr(cli->root, node, sizeof(node), "/sys/bus/pci/devices/%s/numa_node",
                           bdf_format(&bdf, address)) >= 0 &&
            str_to_u64(node, 10, CPU_SET_MAX - 1, &n) >= 0)
                cpu_set_add(nodes, (unsigned) n);
        return 0;
}

static int plan(const struct cli *cli, const struct topology *t, int argc, char **argv) {
        static const struct option options[] = {
                { "vcpus", required_argument, NULL, 'v' },
                { "device", required_argument, NULL, 'd' },
                { "keep", required_argument, NULL, 'k' },
                {},
        };
        _cleanup_free_ struct pinning *p = calloc(1, sizeof(*p));
        uint64_t vcpus = 0, keep = 1;
        struct cpu_set nodes = {};
        struct err e = {};
        int c, r = 0;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0 && r == 0)
                if (c == 'd')
                        r = add_node(cli, optarg, &nodes);
                else if (c != 'v' && c != 'k')
                        return cli_option_error("cpu", argv);
                else if (str_to_u64(optarg, 10, CPU_SET_MAX, c == 'v' ? &vcpus : &keep) < 0)
                        return cli_usage_error("cpu", "--%s: wanted a number up to %d, found '%s'",
                                               c == 'v' ? "vcpus" : "keep", CPU_SET_MAX, optarg);
        if (r != 0)
                return r;
        if (vcpus == 0 || optind != argc)
                return cli_usage_error("cpu", "wanted 'plan --vcpus N'");
        if (!p || pinning_plan(t, (unsigned) vcpus, &nodes, (unsigned) keep, p, &e) < 0)
                return cli_fail(&e);
        print_plan(p);
        return EXIT_SUCCESS;
}

int verb_cpu(struct cli *cli, int argc, char **argv) {
        _cleanup_topology_ struct topology t = {};
        struct err e = {};

        if (argc > 1 && (str_eq(argv[1], "--help") || str_eq(argv[1], "-h"))) {
                print_help();
                return EXIT_SUCCESS;
        }
        if (argc > 1 && *argv[1] == '-')
                return cli_usage_error("cpu", "'%s' is no option of cpu", argv[1]);
        if (argc > 2 && !str_eq(argv[1], "plan"))
                return cli_usage_error("cpu", "wanted one domain, found '%s' too", argv[2]);
        if (topology_read(cli->root, &t, &e) < 0)
                return cli_fail(&e);
        if (argc == 1)
                return show_host(cli, &t);
        return str_eq(argv[1], "plan") ? plan(cli, &t, argc - 1, argv + 1) : show_domain(cli, &t, argv[1]);
}
