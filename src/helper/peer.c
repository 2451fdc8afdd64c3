/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/peer.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/str.h"

#define GROUP_FILE_MAX (4U << 20)
#define GROUP_LINE_MAX (64U << 10) /* for one group and the names of its members */

void peer_done(struct peer *peer) {
        free(peer->groups);
}

int peer_read(int fd, struct peer *ret) {
        struct ucred cred = {};
        socklen_t size = sizeof(cred), groups_size = 0;
        _cleanup_free_ gid_t *groups = NULL;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return -errno;
        /* Too small a buffer is answered with the size that is needed. */
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &groups_size) < 0 && errno != ERANGE)
                return -errno;
        if (groups_size > 0) {
                groups = malloc(groups_size);
                if (!groups)
                        return -ENOMEM;
                if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_size) < 0)
                        return -errno;
        }
        *ret = (struct peer) { cred.uid, cred.gid, TAKE_PTR(groups), groups_size / sizeof(gid_t) };
        return 0;
}

/* The file and not NSS, whose modules would be loaded into a process of root that talks to strangers. */
static int group_find(const struct root *root, const char *name, gid_t *ret) {
        _cleanup_free_ char *text = NULL, *line = NULL;
        struct group entry, *found;
        size_t size;
        FILE *f;
        int r;

        r = root_read(root, "/etc/group", GROUP_FILE_MAX, &text, &size);
        if (r < 0)
                return r;
        line = malloc(GROUP_LINE_MAX);
        f = line ? fmemopen(text, size + 1, "r") : NULL;
        if (!f)
                return -ENOMEM;
        r = -ENOENT;
        while (r < 0 && fgetgrent_r(f, &entry, line, GROUP_LINE_MAX, &found) == 0)
                if (str_eq(entry.gr_name, name)) {
                        *ret = entry.gr_gid;
                        r = 0;
                }
        (void) fclose(f);
        return r;
}

enum access peer_access(const struct root *root, const struct peer *peer, const char *group) {
        gid_t gid;

        if (peer->uid == 0)
                return ACCESS_ALL;
        if (!*group || group_find(root, group, &gid) < 0)
                return ACCESS_NONE;
        if (peer->gid == gid)
                return ACCESS_READ;
        for (size_t i = 0; i < peer->n_groups; i++)
                if (peer->groups[i] == gid)
                        return ACCESS_READ;
        return ACCESS_NONE;
}
