/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/holders-internal.h"

#define TABLE_SIZE_MAX (64U * 1024 * 1024) /* a full Internet table has a million lines */
#define UPPERS_MAX 64

/* The interfaces through which default routes leave. */
struct defaults {
        char (*list)[IFNAMSIZ];
        size_t n;
};

static void defaults_done(struct defaults *d) {
        free(d->list);
}

static int add_default(struct defaults *d, const char *name) {
        char (*bigger)[IFNAMSIZ];

        for (size_t i = 0; i < d->n; i++)
                if (str_eq(d->list[i], name))
                        return 0;
        bigger = reallocarray(d->list, d->n + 1, sizeof(*bigger));
        if (!bigger)
                return -ENOMEM;
        d->list = bigger;
        (void) str_copy(d->list[d->n++], IFNAMSIZ, name);
        return 0;
}

/* The name when the line of a routing table is a default route in use, else false. */
typedef bool (*parse_route)(const char *line, char name[static IFNAMSIZ]);

static bool in_use(unsigned int flags) {
        return (flags & RTF_UP) && !(flags & RTF_REJECT);
}

static bool parse_route4(const char *line, char name[static IFNAMSIZ]) {
        unsigned int destination, flags, mask;

        return sscanf(line, "%15s %x %*x %x %*d %*d %*d %x", name, &destination, &flags, &mask) == 4 &&
               destination == 0 && mask == 0 && in_use(flags);
}

static bool parse_route6(const char *line, char name[static IFNAMSIZ]) {
        char destination[33];
        unsigned int length, flags;

        return sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %15s", destination, &length, &flags, name) == 4 &&
               strspn(destination, "0") == 32 && length == 0 && in_use(flags);
}

static int read_table(const struct scan *scan, const char *path, parse_route parse, struct defaults *d) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        /* Hosts without IPv6 have no such table. */
        r = root_read(scan->root, path, TABLE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                char name[IFNAMSIZ];

                if (!parse(line, name))
                        continue;
                r = add_default(d, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

struct uppers {
        char list[UPPERS_MAX][IFNAMSIZ];
        size_t n;
};

static void add_upper(struct uppers *u, const char *name) {
        for (size_t i = 0; i < u->n; i++)
                if (str_eq(u->list[i], name))
                        return;
        if (u->n < UPPERS_MAX)
                (void) str_copy(u->list[u->n++], IFNAMSIZ, name);
}

/* The interface and all above it: bridge, bond, team, VLAN, macvlan, in any depth. */
static int find_uppers(const struct scan *scan, const char *name, struct uppers *u) {
        add_upper(u, name);
        for (size_t i = 0; i < u->n; i++) {
                _cleanup_strv_ char **entries = NULL;
                const char *below = u->list[i];
                char master[IFNAMSIZ];
                int r;

                r = root_list(scan->root, &entries, "/sys/class/net/%s", below);
                if (r == -ENOMEM)
                        return r;
                for (char **s = entries; s && *s; s++)
                        if (str_starts(*s, "upper_"))
                                add_upper(u, *s + strlen("upper_"));
                if (root_link_name(scan->root, master, sizeof(master), "/sys/class/net/%s/master", below) == 0)
                        add_upper(u, master);
        }
        return 0;
}

static int add_routes(struct scan *scan, const struct node *node, const struct defaults *d) {
        struct uppers u = {};
        int r;

        r = find_uppers(scan, node->name, &u);
        if (r < 0)
                return r;
        for (size_t i = 0; i < u.n; i++)
                for (size_t k = 0; k < d->n; k++) {
                        char what[160];

                        if (!str_eq(u.list[i], d->list[k]))
                                continue;
                        (void) str_format(what, sizeof(what),
                                          i == 0 ? "default route through %s" : "default route through %s over %s",
                                          u.list[i], node->name);
                        r = scan_add(scan, node->device, HOLDER_ROUTE, 0, what, node->name);
                        if (r < 0)
                                return r;
                }
        return 0;
}

int scan_routes(struct scan *scan) {
        _cleanup_(defaults_done) struct defaults d = {};
        bool any = false;
        int r;

        for (size_t i = 0; i < scan->n_nodes; i++)
                any = any || scan->nodes[i].type == NODE_NET;
        if (!any)
                return 0;
        r = read_table(scan, "/proc/1/net/route", parse_route4, &d);
        if (r < 0)
                return r;
        r = read_table(scan, "/proc/1/net/ipv6_route", parse_route6, &d);
        if (r < 0)
                return r;

        for (size_t i = 0; i < scan->n_nodes; i++) {
                const struct node node = scan->nodes[i];

                if (node.type != NODE_NET)
                        continue;
                r = add_routes(scan, &node, &d);
                if (r < 0)
                        return r;
        }
        return 0;
}
