/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "fake/tree.h"

/* Hosts with a boot loader, and what the loader's own command does to their files, all at once. Every line that is not
 * asked for must come through untouched. */

void make_kernelstub(struct tree *tree);
void run_kernelstub(struct tree *tree, char *const *argv);

void make_grub_file(struct tree *tree);
void run_grub_mkconfig(struct tree *tree, char *const *argv);

void make_fedora(struct tree *tree); /* three places, no command */
void make_rhel_8(struct tree *tree); /* and grubenv */

void make_refind(struct tree *tree);

void make_sdbootutil(struct tree *tree);
void run_sdbootutil(struct tree *tree, char *const *argv);

void make_proxmox(struct tree *tree);
void run_proxmox(struct tree *tree, char *const *argv); /* its ESPs are not mounted: nothing is seen of it */

/* Unified kernel images, with ukify for an addon; cut is called while the addon is half-written. */
void make_uki(struct tree *tree);
void run_ukify(struct tree *tree, char *const *argv, void (*cut)(void));

void make_ostree(struct tree *tree);
void run_rpm_ostree(struct tree *tree, char *const *argv);
