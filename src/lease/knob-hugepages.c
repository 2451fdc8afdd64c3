/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The pool of huge pages of one size on one node. A name is "node0/hugepages-2048kB", as in sysfs, a value the
 * number of pages. A claim is "ADDED/NEEDED": the lease uses NEEDED pages, of which ADDED were not free in the
 * pool; "ADDED/NEEDED keep" leaves them there. */

#include "lease/knob-hugepages.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "lease/combine.h"
#include "sys/hugepages.h"

#define KEEP " keep"
#define LANE "hugepages-node"

int pool_name(unsigned node, uint64_t kib, char ret[static KNOB_NAME_MAX]) {
        return str_format(ret, KNOB_NAME_MAX, "node%u/hugepages-%llukB", node, (unsigned long long) kib);
}

int pool_parse(const char *name, unsigned *ret_node, uint64_t *ret_kib) {
        static const char prefix[] = "node", middle[] = "/hugepages-", suffix[] = "kB";
        char node[16], kib[24], again[KNOB_NAME_MAX];
        const char *m = strstr(name, middle);
        uint64_t n, k;
        size_t length;

        if (!str_starts(name, prefix) || !m)
                return -EINVAL;
        length = (size_t) (m - name) - strlen(prefix);
        if (length >= sizeof(node))
                return -EINVAL;
        memcpy(node, name + strlen(prefix), length);
        node[length] = '\0';
        m += strlen(middle);
        length = strlen(m);
        if (length < sizeof(suffix) || length >= sizeof(kib) || !str_eq(m + length - strlen(suffix), suffix))
                return -EINVAL;
        memcpy(kib, m, length - strlen(suffix));
        kib[length - strlen(suffix)] = '\0';
        if (str_to_u64(node, 10, CPU_SET_MAX - 1, &n) < 0 || str_to_u64(kib, 10, HUGEPAGE_KIB_MAX, &k) < 0 ||
            k == 0)
                return -EINVAL;
        /* "node00" is the same pool by another name. */
        if (pool_name((unsigned) n, k, again) < 0 || !str_eq(name, again))
                return -EINVAL;
        *ret_node = (unsigned) n;
        *ret_kib = k;
        return 0;
}

int pool_claim_format(const struct pool_claim *c, char ret[static KNOB_VALUE_MAX]) {
        return str_format(ret, KNOB_VALUE_MAX, "%llu/%llu%s", (unsigned long long) c->added,
                          (unsigned long long) c->needed, c->keep ? KEEP : "");
}

int pool_claim_parse(const char *value, struct pool_claim *ret) {
        struct pool_claim c = {};
        char text[64], *slash;
        size_t n = strlen(value);

        if (n > strlen(KEEP) && str_eq(value + n - strlen(KEEP), KEEP)) {
                c.keep = true;
                n -= strlen(KEEP);
        }
        if (n >= sizeof(text))
                return -EINVAL;
        memcpy(text, value, n);
        text[n] = '\0';
        slash = strchr(text, '/');
        if (!slash)
                return -EINVAL;
        *slash = '\0';
        if (str_to_u64(text, 10, UINT32_MAX, &c.added) < 0 ||
            str_to_u64(slash + 1, 10, UINT32_MAX, &c.needed) < 0 || c.added > c.needed)
                return -EINVAL;
        *ret = c;
        return 0;
}

static bool name_is_valid_pool(const char *name) {
        uint64_t kib;
        unsigned node;

        return pool_parse(name, &node, &kib) >= 0;
}

static bool value_is_valid(const char *value) {
        struct pool_claim c;
        uint64_t n;

        return str_to_u64(value, 10, UINT32_MAX, &n) >= 0 || pool_claim_parse(value, &c) >= 0;
}

static int read_pool(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e) {
        struct hugepages now;
        uint64_t kib;
        unsigned node;
        int r;

        if (pool_parse(name, &node, &kib) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, name, "'%s' is no pool like node0/hugepages-2048kB", name);
        r = hugepages_read(root, node, kib, &now, e);
        if (r < 0)
                return r;
        return str_format(ret, KNOB_VALUE_MAX, "%llu", (unsigned long long) now.total);
}

static int write_pool(const struct knob_write *w, struct err *e) {
        uint64_t kib, count;
        unsigned node;

        if (pool_parse(w->name, &node, &kib) < 0 || str_to_u64(w->value, 10, UINT32_MAX, &count) < 0)
                return err_set(e, -EINVAL, ERR_INVALID, w->name, "'%s' is no number of pages for %s", w->value,
                               w->name);
        return hugepages_set(w->root, node, kib, count, w->until_usec, w->progress, w->userdata, e);
}

/* A pool belongs to all who use huge pages: what they add or take is no reason to leave it alone. */
static bool is_foreign(const struct knob_view *view) {
        (void) view;
        return false;
}

/* Somebody who takes more than what was there before took it from what the leases added. */
static int rebase(const char *current, char baseline[static KNOB_VALUE_MAX], char applied[static KNOB_VALUE_MAX]) {
        uint64_t now, before, with, ours;

        if (str_to_u64(current, 10, UINT32_MAX, &now) < 0 || str_to_u64(baseline, 10, UINT32_MAX, &before) < 0 ||
            str_to_u64(applied, 10, UINT32_MAX, &with) < 0)
                return -EINVAL;
        ours = with > before ? with - before : 0;
        before = now > ours ? now - ours : 0;
        (void) str_format(baseline, KNOB_VALUE_MAX, "%llu", (unsigned long long) before);
        return str_format(applied, KNOB_VALUE_MAX, "%llu", (unsigned long long) (before + ours));
}

static int keep(char claim[static KNOB_VALUE_MAX], char baseline[static KNOB_VALUE_MAX]) {
        struct pool_claim c;
        uint64_t before;

        if (pool_claim_parse(claim, &c) < 0 || str_to_u64(baseline, 10, UINT32_MAX, &before) < 0)
                return -EINVAL;
        if (!c.keep)
                return 0;
        (void) str_format(baseline, KNOB_VALUE_MAX, "%llu", (unsigned long long) (before + c.added));
        c.added = 0;
        return pool_claim_format(&c, claim);
}

static void lane_of(const char *name, char ret[static KNOB_LANE_MAX]) {
        uint64_t kib;
        unsigned node = 0;

        (void) pool_parse(name, &node, &kib);
        (void) str_format(ret, KNOB_LANE_MAX, LANE "%u", node);
}

const struct knob_kind knob_hugepages = {
        .name = "hugepages",
        .phase = 10, /* what most often cannot be had comes first */
        .name_is_valid = name_is_valid_pool,
        .value_is_valid = value_is_valid,
        .read = read_pool,
        .write = write_pool,
        .target = combine_sum,
        .is_foreign = is_foreign,
        .rebase = rebase,
        .keep = keep,
        .lane = lane_of,
};
