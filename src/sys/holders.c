/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/holders-internal.h"

void holders_done(struct holders *holders) {
        free(holders->list);
        *holders = (struct holders) {};
}

static int reserve(struct holders *holders, size_t more) {
        struct holder *bigger;

        bigger = reallocarray(holders->list, holders->n + more, sizeof(*bigger));
        if (!bigger)
                return -ENOMEM;
        holders->list = bigger;
        return 0;
}

int scan_add(struct scan *scan, size_t device, enum holder_kind kind, int pid, const char *what,
             const char *node) {
        struct holders *found = &scan->found[device];
        struct holder h = { .kind = kind, .pid = pid };
        int r;

        /* Over-long names are cut: they are for people. */
        (void) str_copy(h.what, sizeof(h.what), what);
        (void) str_copy(h.node, sizeof(h.node), node);
        str_printable(h.what);
        str_printable(h.node);
        for (size_t i = 0; i < found->n; i++) {
                const struct holder *o = &found->list[i];

                if (o->kind == kind && o->pid == pid &&
                    (pid > 0 || (str_eq(o->what, h.what) && str_eq(o->node, h.node))))
                        return 0;
        }
        if (found->n >= HOLDERS_MAX)
                return 0;
        r = reserve(found, 1);
        if (r < 0)
                return r;
        found->list[found->n++] = h;
        return 0;
}

static int compare_holders(const void *a, const void *b) {
        const struct holder *x = a, *y = b;

        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        if (x->pid != y->pid)
                return x->pid < y->pid ? -1 : 1;
        return strcmp(x->what, y->what);
}

static void found_free(struct holders *found, size_t n) {
        for (size_t i = 0; i < n; i++)
                holders_done(&found[i]);
        free(found);
}

static void scan_done(struct scan *scan) {
        if (scan->found)
                found_free(scan->found, scan->n_devices);
        free(scan->nodes);
}

static int scan_all(struct scan *scan) {
        static int (*const steps[])(struct scan *) = {
                scan_nodes, scan_mounts, scan_swaps, scan_routes, scan_processes, scan_claims,
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                r = steps[i](scan);
                if (r < 0)
                        return r;
        }
        return 0;
}

int holders_find(const struct root *root, const struct pci_device *const *devices, size_t n, struct holders *ret,
                 struct err *e) {
        _cleanup_(scan_done) struct scan scan = { .root = root, .devices = devices, .n_devices = n };
        int r = 0;

        if (n == 0)
                return 0;
        scan.found = calloc(n, sizeof(*scan.found));
        if (!scan.found || (r = scan_all(&scan)) == -ENOMEM)
                return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory while looking for users of the devices");
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "", "cannot find out who uses the devices: %s", strerror(-r));

        for (size_t i = 0; i < n; i++)
                if (scan.found[i].n > 0 && reserve(&ret[i], scan.found[i].n) < 0)
                        return err_set(e, -ENOMEM, ERR_FAILED, "", "out of memory while listing users of devices");
        for (size_t i = 0; i < n; i++) {
                const struct holders *found = &scan.found[i];

                for (size_t k = 0; k < found->n; k++)
                        ret[i].list[ret[i].n++] = found->list[k];
                if (ret[i].n > 0)
                        qsort(ret[i].list, ret[i].n, sizeof(*ret[i].list), compare_holders);
        }
        return 0;
}

static void describe_one(const struct holder *h, char *buf, size_t size) {
        switch (h->kind) {
        case HOLDER_PROCESS:
                (void) snprintf(buf, size, "used by %s (pid %d, %s)", h->what, h->pid, h->node);
                break;
        case HOLDER_MOUNT:
                (void) snprintf(buf, size, "mounted at %s (%s)", h->what, h->node);
                break;
        case HOLDER_STACK:
                (void) snprintf(buf, size, "part of %s through %s", h->what, h->node);
                break;
        case HOLDER_CLAIM:
                (void) snprintf(buf, size, "%s (%s)", h->what, h->node);
                break;
        case HOLDER_VFIO:
                (void) snprintf(buf, size, "lent to %s (pid %d, %s)", h->what, h->pid, h->node);
                break;
        case HOLDER_SWAP:
        case HOLDER_ROUTE:
                (void) snprintf(buf, size, "%s", h->what);
                break;
        }
}

const char *holders_describe(const struct holders *holders, char *buf, size_t size) {
        size_t used = 0;

        *buf = '\0';
        for (size_t i = 0; i < holders->n; i++) {
                char one[sizeof(struct holder) + 32], more[32] = "";
                size_t left = holders->n - i, need;

                describe_one(&holders->list[i], one, sizeof(one));
                if (left > 1)
                        (void) snprintf(more, sizeof(more), " and %zu more", left - 1);
                need = (used > 0 ? 2 : 0) + strlen(one) + strlen(more);
                if (used + need >= size) {
                        (void) snprintf(buf + used, size - used, used > 0 ? " and %zu more" : "%zu users", left);
                        break;
                }
                used += (size_t) snprintf(buf + used, size - used, "%s%s", used > 0 ? ", " : "", one);
        }
        return buf;
}
