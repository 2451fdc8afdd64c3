/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/child.h"
#include "base/str.h"
#include "config/early-conf.h"
#include "early/devices.h"
#include "early/log.h"
#include "early/pools.h"
#include "model/reserve.h"

#define PATIENCE_USEC UINT64_C(900000)      /* of the boot */
#define LIMIT_USEC (60 * UINT64_C(1000000)) /* of what goes on beside it */
#define CHILDREN_MAX (1 + EARLY_POOLS_MAX)

struct run {
        const struct root *root;
        struct root *state; /* /run: what starts the system moves it, and then its path leads nowhere */
        uint64_t begin;
        struct log log;
        struct early early;
        struct early_result result;
        struct reserved_list reserved;
        size_t first_pool; /* its item; the others follow */
        char cmdline[4096];
};

/* What became of one item. */
struct record {
        size_t item;
        enum early_state state;
        char message[256];
};

static void send_record(size_t item, enum early_state state, const char *message, void *userdata) {
        const int *fd = userdata;
        struct record record = { .item = item, .state = state };

        (void) str_copy(record.message, sizeof(record.message), message);
        (void) child_send(*fd, &record, sizeof(record));
}

/* The first child binds devices, each other one fills a pool. */
static int work(int fd, size_t index, void *userdata) {
        struct run *run = userdata;
        enum early_state state;
        char message[256];

        if (index == 0) {
                devices_bind(run->root, &run->reserved, send_record, &fd);
                return 0;
        }
        state = pool_fill(run->root, &run->early.pools[index - 1], message, sizeof(message));
        send_record(run->first_pool + index - 1, state, message, &fd);
        return 0;
}

static void on_record(const void *data, size_t size, void *userdata) {
        const struct record *record = data;
        struct run *run = userdata;
        struct early_item *item;

        if (size != sizeof(*record) || record->item >= run->result.n_items)
                return;
        item = &run->result.items[record->item];
        item->state = record->state;
        /* Where it moved to stays, unless there is something to say. */
        if (*record->message)
                (void) str_copy(item->message, sizeof(item->message), record->message);
}

static void add_pools(struct run *run) {
        run->first_pool = run->result.n_items;
        for (size_t i = 0; i < run->early.n_pools; i++) {
                char name[48];

                pool_name(&run->early.pools[i], name, sizeof(name));
                (void) early_result_add(&run->result, name, EARLY_PENDING);
        }
}

/* The line whose time proves the order: no driver of these devices has probed before it. */
static void log_reserved(struct run *run) {
        char list[512] = "", text[BDF_TEXT_MAX];
        size_t used = 0;

        for (size_t i = 0; i < run->reserved.n && used + BDF_TEXT_MAX < sizeof(list); i++)
                used += (size_t) snprintf(list + used, sizeof(list) - used, " %s",
                                          bdf_format(&run->reserved.list[i].address, text));
        if (run->reserved.n > 0)
                log_line(&run->log, LOG_LEVEL_INFO, "driver_override is written:%s", list);
}

static void save(struct run *run) {
        run->result.msec = (now_usec() - run->begin) / 1000;
        if (run->state)
                (void) early_result_save(run->state, "/passthru", &run->result);
}

static void log_end(struct run *run) {
        size_t n[EARLY_PENDING + 1] = {};

        for (size_t i = 0; i < run->result.n_items; i++) {
                const struct early_item *item = &run->result.items[i];

                n[item->state]++;
                if (*item->message)
                        log_line(&run->log, item->state == EARLY_DONE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
                                 "%s: %s: %s", item->name, early_state_name(item->state), item->message);
        }
        run->log.lines = 0; /* the last one is always wanted */
        log_line(&run->log, LOG_LEVEL_INFO,
                 "%zu done, %zu left alone, %zu failed, %zu never came to an end; %llu ms", n[EARLY_DONE],
                 n[EARLY_LEFT], n[EARLY_FAILED], n[EARLY_PENDING], (unsigned long long) run->result.msec);
}

/* Waits for all the work, longer than the boot does, and says how it ended. */
static int supervise(int fd, size_t index, void *userdata) {
        struct child children[CHILDREN_MAX];
        struct run *run = userdata;

        (void) fd, (void) index;
        /* The boot may go on without us. */
        (void) prctl(PR_SET_PDEATHSIG, 0);
        (void) children_run(children, 1 + run->early.n_pools, LIMIT_USEC, sizeof(struct record), work, on_record,
                            run);
        save(run);
        log_end(run);
        return 0;
}

static void follow_configuration(struct run *run) {
        struct child supervisor;
        uint64_t spent;

        devices_reserve(run->root, &run->early, run->cmdline, &run->result, &run->reserved);
        log_reserved(run);
        add_pools(run);
        save(run);
        spent = now_usec() - run->begin;
        (void) children_run(&supervisor, 1, spent < PATIENCE_USEC ? PATIENCE_USEC - spent : 0,
                            sizeof(struct record), supervise, on_record, run);
        if (supervisor.end == CHILD_STUCK)
                log_line(&run->log, LOG_LEVEL_INFO, "the boot goes on; the rest of the work does so beside it");
}

static void decide(struct run *run) {
        struct err e = {};

        if (cmdline_is_off(run->cmdline)) {
                run->result.state = EARLY_OFF;
                log_line(&run->log, LOG_LEVEL_INFO, "passthru=off is on the kernel command line: nothing is done");
                save(run);
        } else if (early_conf_load(run->root, &run->early, &e) < 0) {
                run->result.state = EARLY_FAILED;
                (void) str_copy(run->result.message, sizeof(run->result.message), e.message);
                log_line(&run->log, LOG_LEVEL_WARNING, "nothing is done: %s", e.message);
                save(run);
        } else
                follow_configuration(run);
}

void early_run(const struct root *root) {
        _cleanup_free_ struct run *run = calloc(1, sizeof(*run));
        _cleanup_free_ char *path = root_join(root, "/run");

        if (!run || !path)
                return;
        run->root = root;
        run->begin = now_usec();
        (void) root_new(path, &run->state);
        log_open(&run->log, root);
        (void) root_read_attr(root, run->cmdline, sizeof(run->cmdline), "/proc/cmdline");
        decide(run);
        log_close(&run->log);
        if (run->state)
                root_free(run->state);
}
