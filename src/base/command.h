/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macro.h"

/* Runs a program with these arguments: no shell, standard input empty, PATH and LANG=language (NULL: LC_ALL=C.UTF-8) as its
 * whole environment, interrupts and broken pipes not ignored. What it prints until it ends goes to *ret_output (the last 64 KiB; caller
 * frees; NULL when it printed nothing). root: a directory to chroot to first, NULL for none. Returns the exit status
 * (0…255); -ECHILD it was ended by a signal; -errno it could not be run (-ENOENT: there is no such program). ret_output
 * may be NULL, and is set only for an exit status. */
int command_run(const char *root, const char *language, char *const *argv, char **ret_output);
