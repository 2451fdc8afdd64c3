/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "advice/prediction.h"
#include "cli/cli.h"
#include "lease/state.h"
#include "model/request.h"
#include "sys/pci.h"

/* What --long adds to a function. */
struct group_details {
        char modules[128]; /* that would load for it */
        char reset[64];    /* reset methods in the order in which the kernel tries them; "" none, or before 5.15 */
        char used[256];    /* by whom, as holders_describe says it */
};

/* All that "passthru groups" shows. devices are ordered by address, and in the groups that are to be shown. */
struct groups {
        struct pci_devices devices;
        struct pci_names *names;
        struct state state;
        struct group_details *details; /* by device, NULL without --long */
        bool predicted;
        struct prediction prediction;
        struct bdf wanted[REQUEST_DEVICES_MAX]; /* --device */
        size_t n_wanted;
};

/* Reads what --long shows; seconds on a busy host. */
int groups_read_details(const struct root *root, struct groups *g, struct err *e);

/* The indexes of the devices by group, then address; those without a group first. Caller frees. Aborts without
 * memory. */
size_t *groups_order(const struct groups *g);

/* The lease that has a function, NULL. */
const struct lease *groups_lent_to(const struct groups *g, const struct pci_device *d);

bool groups_is_wanted(const struct groups *g, size_t device);

/* A function that is no bridge, not wanted, and in the group of one that is. */
bool groups_comes_along(const struct groups *g, size_t device);

/* How many pairs the prediction gives up. */
size_t groups_given_up(const struct groups *g);

/* What a note says, for people; NULL behind the last one. */
const char *groups_note(const struct groups *g, size_t i);

void groups_print_table(const struct groups *g);
void groups_print_tree(const struct groups *g);
void groups_print_prediction(const struct groups *g);
void groups_print_wanted(const struct groups *g);
struct json_object *groups_to_json(const struct groups *g);
