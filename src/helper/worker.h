/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/root.h"

/* What a forked worker does, before it exits with the returned status. */

/* Answers one connection. Only uid 0 may call methods; everyone may be told so. Takes the fd over. */
int worker_serve(const struct root *root, int fd, uid_t peer);

/* Recovers and retries. */
int worker_reconcile(const struct root *root);
