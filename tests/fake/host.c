/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/str.h"

static const struct tree_pci functions[] = {
        { "0000:00:02.0", NULL, 0x8086, 0x1912, 0x8086, 0x2212, 0x030000, 6, 1, "i915", NULL, true },
        { "0000:00:10.0", NULL, 0x1b36, 0x000c, 0, 0, 0x060400, 0, 10, "pcieport", NULL, false },
        { "0000:01:00.0", "0000:00:10.0", 0x10de, 0x2206, 0x1458, 0x4037, 0x030000, 0xa1, 12, "nouveau", NULL, false },
        { "0000:01:00.1", "0000:00:10.0", 0x10de, 0x1aef, 0x1458, 0x4037, 0x040300, 0xa1, 12, "snd_hda_intel", NULL,
          false },
        { "0000:00:11.0", NULL, 0x1b36, 0x000c, 0, 0, 0x060400, 0, 11, "pcieport", NULL, false },
        { "0000:02:00.0", "0000:00:11.0", 0x144d, 0xa808, 0x144d, 0xa801, 0x010802, 0, 13, "nvme", NULL, false },
        { "0000:00:12.0", NULL, 0x1b36, 0x000c, 0, 0, 0x060400, 0, 16, "pcieport", NULL, false },
        { "0000:03:00.0", "0000:00:12.0", 0x144d, 0xa808, 0x144d, 0xa801, 0x010802, 0, 14, "nvme", NULL, false },
        { "0000:00:13.0", NULL, 0x1b36, 0x000c, 0, 0, 0x060400, 0, 15, "pcieport", NULL, false },
        { "0000:04:00.0", "0000:00:13.0", 0x144d, 0xa808, 0x144d, 0xa801, 0x010802, 0, 15, "nvme", NULL, false },
        { "0000:04:00.1", "0000:00:13.0", 0x8086, 0x10d3, 0x8086, 0, 0x020000, 0, 15, "e1000e", NULL, false },
};

static const struct fake_node nodes[FAKE_NODES] = {
        { .total_kib = 4U << 20,
          .free_kib = (3U << 20) + HOST_POOL * 2048,
          .whole_kib = (3U << 20) + HOST_POOL * 2048,
          .cache_kib = 256U << 10 },
        { .total_kib = 4U << 20, .free_kib = 3U << 20, .whole_kib = 3U << 20, .cache_kib = 256U << 10 },
};

static void on_step(const struct step *step, void *userdata) {
        struct host *h = userdata;

        if (h->n_steps < ARRAY_SIZE(h->steps))
                h->steps[h->n_steps++] = *step;
}

void host_start(struct host *h) {
        *h = (struct host) { .tree = tree_new() };
        h->root = tree_root(h->tree);
        h->rec = (struct reconciler){ .root = h->root,
                                      .deadline_usec = 10000000,
                                      .patience_usec = 1000000,
                                      .report = on_step,
                                      .userdata = h,
                                      .client = -1 };
        fake_kernel_start(h->tree);
        fake_memory_start(h->tree, nodes);
        fake_memory_change(0, FAKE_2M, HOST_POOL);
        fake_cpus_start(h->tree);
        (void) fake_cpus_snapshot(h->cpus);
        for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
                tree_pci(h->tree, &functions[i]);
                fake_kernel_native(functions[i].address, functions[i].driver);
        }
}

void host_release(void) {
        fake_kernel_release();
        while (wait(NULL) > 0)
                ;
}

void host_stop(struct host *h) {
        host_release();
        fake_cpus_stop();
        fake_memory_stop();
        fake_kernel_stop();
        tree_free(h->tree);
}

const char *host_binding(const struct host *h, const char *address) {
        static char text[160];
        char driver[64], override[64];

        if (root_link_name(h->root, driver, sizeof(driver), "/sys/bus/pci/devices/%s/driver", address) < 0)
                strcpy(driver, "-");
        if (root_read_attr(h->root, override, sizeof(override), "/sys/bus/pci/devices/%s/driver_override", address) < 0 ||
            str_eq(override, "(null)"))
                strcpy(override, "-");
        (void) str_format(text, sizeof(text), "%s %s", driver, override);
        return text;
}

void host_assert_baseline(const struct host *h) {
        char cpus[1024];

        for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
                char wanted[80];

                (void) str_format(wanted, sizeof(wanted), "%s -", functions[i].driver);
                assert_string_equal(host_binding(h, functions[i].address), wanted);
        }
        assert_string_equal(fake_cpus_snapshot(cpus), h->cpus);
        assert_int_equal(fake_memory_pages(0, FAKE_2M), HOST_POOL);
        assert_int_equal(fake_memory_pages(1, FAKE_2M), 0);
        assert_int_equal(fake_memory_pages(0, FAKE_1G), 0);
        assert_int_equal(fake_memory_pages(1, FAKE_1G), 0);
}

const char *host_snapshot(const struct host *h, char *buf) {
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
                n += (size_t) snprintf(buf + n, 512 - n, "%s=%s ", functions[i].address + 5,
                                       host_binding(h, functions[i].address));
        (void) snprintf(buf + n, 512 - n, "pools=%llu,%llu", (unsigned long long) fake_memory_pages(0, FAKE_2M),
                        (unsigned long long) fake_memory_pages(1, FAKE_2M));
        return buf;
}

void request_isolation(struct request *q, const char *cpus) {
        assert_int_equal(cpu_set_parse(cpus, &q->cpus), 0);
        q->isolate = true;
}

void request_memory(struct request *q, int node, uint64_t mib) {
        struct request_memory *m = &q->memory[q->n_memory++];

        *m = (struct request_memory){ .kib = mib * 1024, .page_kib = FAKE_2M };
        if (node >= 0)
                cpu_set_add(&m->nodes, (unsigned) node);
}

void request_make(struct request *q, const char *domain, ...) {
        const char *address;
        va_list ap;

        *q = (struct request) {};
        (void) str_copy(q->domain, sizeof(q->domain), domain);
        va_start(ap, domain);
        while ((address = va_arg(ap, const char *))) {
                struct bdf a;

                assert_int_equal(bdf_parse(address, &a), 0);
                assert_non_null(request_add(q, &a));
        }
        va_end(ap);
}

void host_assert_nothing_lent(const struct host *h) {
        _cleanup_state_ struct state s = {};

        assert_int_equal(state_load(h->root, &s, NULL), 0);
        assert_int_equal(s.n_leases, 0);
        assert_int_equal(s.n_knobs, 0);
        host_assert_baseline(h);
}
