/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan-memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lease/knob-hugepages.h"
#include "sys/hugepages.h"
#include "sys/memory.h"

/* One pool that the request may take from. */
struct pool {
        unsigned node;
        uint64_t kib;
        uint64_t unused;   /* free, and promised to nobody */
        uint64_t room;     /* pages that free memory and page cache would make, at most */
        uint64_t capacity; /* pages that could be added to it if the node were empty */
        uint64_t needed, added;
};

struct pools {
        const struct root *root;
        const struct state *state;
        const struct lease *own; /* what the domain has already, or NULL */
        struct cpu_set nodes;
        struct pool list[STATE_CLAIMS_MAX];
        size_t n;
};

/* What other leases were promised and have not taken, as far as that shows: pages in use are taken to be theirs.
 */
static uint64_t promised(const struct pools *p, const char *name, const struct hugepages *now) {
        uint64_t needed = 0, used = now->total > now->free ? now->total - now->free : 0;

        for (size_t i = 0; i < p->state->n_leases; i++) {
                const struct lease *l = &p->state->leases[i];
                const struct claim *c = lease_find_claim(l, &knob_hugepages, name);
                struct pool_claim claim;

                if (l != p->own && c && pool_claim_parse(c->value, &claim) >= 0)
                        needed += claim.needed;
        }
        return needed > used ? needed - used : 0;
}

static int get_pool(struct pools *p, unsigned node, uint64_t kib, struct pool **ret, struct err *e) {
        struct pool pool = { .node = node, .kib = kib };
        struct node_memory memory;
        struct hugepages now;
        char name[KNOB_NAME_MAX];
        uint64_t taken;
        int r;

        for (size_t i = 0; i < p->n; i++)
                if (p->list[i].node == node && p->list[i].kib == kib) {
                        *ret = &p->list[i];
                        return 0;
                }
        if (p->n == ARRAY_SIZE(p->list))
                return err_set(e, -ENOSPC, ERR_INVALID, "memory",
                               "the domain wants memory of too many nodes and page sizes");
        r = hugepages_read(p->root, node, kib, &now, e);
        if (r < 0)
                return r;
        r = node_memory_read(p->root, node, &memory);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "memory", "node %u: its memory cannot be read: %s", node,
                               strerror(-r));
        r = pool_name(node, kib, name);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "memory", "node %u: %s", node, strerror(-r));
        taken = promised(p, name, &now);
        pool.unused = now.free > taken ? now.free - taken : 0;
        pool.room = (memory.free_kib + memory.cache_kib) / kib;
        pool.capacity = memory.total_kib / kib > now.total ? memory.total_kib / kib - now.total : 0;
        p->list[p->n] = pool;
        *ret = &p->list[p->n++];
        return 0;
}

static void take_unused(struct pool *pool, uint64_t *left) {
        uint64_t n = pool->unused < *left ? pool->unused : *left;

        pool->unused -= n;
        pool->needed += n;
        *left -= n;
}

static void take_room(struct pool *pool, uint64_t room, uint64_t *left) {
        uint64_t n = room < *left ? room : *left;

        pool->room -= n < pool->room ? n : pool->room;
        pool->needed += n;
        pool->added += n;
        *left -= n;
}

/* The node with the most room first: memory in one piece of the machine is the fastest. */
static int compare_room(const void *a, const void *b) {
        const struct pool *x = *(struct pool *const *) a, *y = *(struct pool *const *) b;
        uint64_t in_x = x->unused + x->room, in_y = y->unused + y->room;

        return in_x != in_y ? (in_x < in_y ? 1 : -1) : (int) x->node - (int) y->node;
}

/* First what is free already, then what has to be added; what no node has room for is asked of the first, which
 * says so. */
static void spread(struct pool **pools, size_t n, uint64_t pages) {
        qsort(pools, n, sizeof(*pools), compare_room);
        for (size_t i = 0; i < n; i++)
                take_unused(pools[i], &pages);
        for (size_t i = 0; i < n; i++)
                take_room(pools[i], pools[i]->room, &pages);
        take_room(pools[0], pages, &pages);
}

static int distribute(struct pools *p, const struct request_memory *m, uint64_t kib, struct err *e) {
        struct cpu_set nodes = cpu_set_is_empty(&m->nodes) ? p->nodes : m->nodes;
        struct pool *pools[STATE_CLAIMS_MAX];
        uint64_t pages = (m->kib + kib - 1) / kib;
        size_t n = 0;

        for (int node = cpu_set_next(&nodes, 0); node >= 0; node = cpu_set_next(&nodes, (unsigned) node + 1)) {
                int r;

                if (n == ARRAY_SIZE(pools))
                        return err_set(e, -ENOSPC, ERR_INVALID, "memory",
                                       "the domain wants memory of too many nodes");
                r = get_pool(p, (unsigned) node, kib, &pools[n], e);
                if (r < 0)
                        return r;
                n++;
        }
        if (!m->interleave)
                spread(pools, n, pages);
        else
                for (size_t i = 0; i < n; i++)
                        spread(&pools[i], 1, pages / n + (i < pages % n));
        return 0;
}

static int check_nodes(const struct pools *p, const struct request_memory *m, struct err *e) {
        struct cpu_set missing = m->nodes;
        char text[128] = "", there[128] = "";

        cpu_set_subtract(&missing, &p->nodes);
        if (cpu_set_is_empty(&missing))
                return 0;
        (void) cpu_set_format(&missing, text, sizeof(text));
        (void) cpu_set_format(&p->nodes, there, sizeof(there));
        return err_set(e, -ENODEV, ERR_NOT_FOUND, "memory",
                       "the domain wants memory of node %s, which this host does not have or which has no memory; "
                       "it has %s: correct <numatune>",
                       text, there);
}

static int check_size(const struct root *root, uint64_t kib, struct err *e) {
        _cleanup_strv_ char **sizes = NULL;
        char text[24], known[256] = "";

        if (root_exists(root, "/sys/kernel/mm/hugepages/hugepages-%llukB", (unsigned long long) kib) > 0)
                return 0;
        if (root_list(root, &sizes, "/sys/kernel/mm/hugepages") >= 0)
                for (char **s = sizes; *s; s++)
                        if (strlen(known) + strlen(*s) + 2 < sizeof(known))
                                strcat(strcat(known, *known ? " " : ""), *s);
        return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "memory", "this host has no pages of %s; it has: %s",
                       kib_format(kib, text), *known ? known : "none");
}

static int check_capacity(const struct pool *pool, struct err *e) {
        char size[24];

        if (pool->added <= pool->capacity)
                return 0;
        return err_set(e, -ENOMEM, ERR_REFUSED, "memory",
                       "the domain needs %llu pages of %s of node %u, which lacks %llu of them; even with nothing "
                       "else on it the node could make only %llu more",
                       (unsigned long long) pool->needed, kib_format(pool->kib, size), pool->node,
                       (unsigned long long) pool->added, (unsigned long long) pool->capacity);
}

static int add_claim(const struct pool *pool, bool keep, struct lease *lease, struct err *e) {
        struct pool_claim value = { .added = pool->added, .needed = pool->needed, .keep = keep };
        struct claim claim = { .kind = &knob_hugepages };
        int r;

        r = pool_name(pool->node, pool->kib, claim.name);
        if (r >= 0)
                r = pool_claim_format(&value, claim.value);
        if (r >= 0)
                r = lease_add_claim(lease, &claim);
        return r < 0 ? err_set(e, r, ERR_FAILED, claim.name, "%s: %s", claim.name, strerror(-r)) : 0;
}

/* How many pages of this size, on whatever node, the plan or a lease has. */
static uint64_t plan_needs(const struct pools *p, uint64_t kib) {
        uint64_t sum = 0;

        for (size_t i = 0; i < p->n; i++)
                if (p->list[i].kib == kib)
                        sum += p->list[i].needed;
        return sum;
}

static uint64_t lease_needs(const struct lease *l, uint64_t kib) {
        uint64_t sum = 0, k;
        unsigned node;

        for (size_t i = 0; i < l->n_claims; i++) {
                struct pool_claim c;

                if (l->claims[i].kind == &knob_hugepages && pool_parse(l->claims[i].name, &node, &k) >= 0 &&
                    k == kib && pool_claim_parse(l->claims[i].value, &c) >= 0)
                        sum += c.needed;
        }
        return sum;
}

/* A domain that has as much as it asks for keeps what it has: what is free by now says nothing about it. Returns 1
 * then. */
static int reuse_own(const struct pools *p, struct lease *lease, struct err *e) {
        if (!p->own)
                return 0;
        for (size_t i = 0; i < p->n; i++)
                if (plan_needs(p, p->list[i].kib) != lease_needs(p->own, p->list[i].kib))
                        return 0;
        for (size_t i = 0; i < p->own->n_claims; i++)
                if (p->own->claims[i].kind == &knob_hugepages && lease_add_claim(lease, &p->own->claims[i]) < 0)
                        return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        return 1;
}

int plan_memory(const struct root *root, const struct request *q, const struct state *s, struct lease *lease,
                struct err *e) {
        _cleanup_free_ struct pools *p = NULL;
        int r;

        if (q->n_memory == 0)
                return 0;
        p = calloc(1, sizeof(*p));
        if (!p)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        *p = (struct pools){ .root = root, .state = s, .own = state_find_lease(s, q->domain) };
        r = hugepages_nodes(root, &p->nodes, e);
        for (size_t i = 0; r >= 0 && i < q->n_memory; i++) {
                uint64_t kib = q->memory[i].page_kib;

                if (kib == 0)
                        r = hugepages_default_kib(root, &kib, e);
                if (r >= 0)
                        r = check_size(root, kib, e);
                if (r >= 0)
                        r = check_nodes(p, &q->memory[i], e);
                if (r >= 0)
                        r = distribute(p, &q->memory[i], kib, e);
        }
        if (r >= 0)
                r = reuse_own(p, lease, e);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; i < p->n; i++) {
                if (p->list[i].needed == 0)
                        continue;
                r = check_capacity(&p->list[i], e);
                if (r >= 0)
                        r = add_claim(&p->list[i], q->keep_hugepages, lease, e);
                if (r < 0)
                        return r;
        }
        return 0;
}
