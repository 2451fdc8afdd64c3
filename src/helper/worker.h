/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "helper/peer.h"

/* What a forked worker does, before it exits with the returned status. */

/* Answers one connection, whose other end is the peer: what it may call is decided by peer_access(), and
 * everyone may be told so. Takes the fd over. */
int worker_serve(const struct root *root, int fd, const struct peer *peer);

/* Recovers and retries. */
int worker_reconcile(const struct root *root);
