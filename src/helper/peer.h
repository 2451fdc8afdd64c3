/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/root.h"

/* Who is at the other end of a connection, as the kernel noted it when the connection was made: nothing that
 * the peer says or does later changes it. */
struct peer {
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* the supplementary ones */
        size_t n_groups;
};

void peer_done(struct peer *peer);
#define _cleanup_peer_ _cleanup_(peer_done)

/* -errno of getsockopt(2), -ENOMEM. */
int peer_read(int fd, struct peer *ret);

enum access {
        ACCESS_NONE,
        ACCESS_READ, /* see what is lent */
        ACCESS_ALL,
};

/* Root may everything; a member of the group (a name in /etc/group; "": there is none) may read. A group that
 * does not exist, or cannot be looked up, has no members. */
enum access peer_access(const struct root *root, const struct peer *peer, const char *group);
