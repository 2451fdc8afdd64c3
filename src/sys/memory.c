/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/memory.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define MEMORY_FILE_MAX (1U << 16)
#define USERS_MAX 3

/* The number behind "KEY:", wherever in the line that stands: a node's lines begin with "Node 0 ". */
static int value_of(const char *text, const char *key, uint64_t *ret) {
        size_t n = strlen(key);

        for (const char *s = text; (s = strstr(s, key)); s += n)
                if (s[n] == ':' && (s == text || isspace((unsigned char) s[-1]))) {
                        *ret = strtoull(s + n + 1, NULL, 10);
                        return 0;
                }
        return -ENOENT;
}

int memory_info(const struct root *root, const char *path, const char *key, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = root_read(root, path, MEMORY_FILE_MAX, &text, NULL);
        return r < 0 ? r : value_of(text, key, ret);
}

int node_memory_read(const struct root *root, unsigned node, struct node_memory *ret) {
        _cleanup_free_ char *text = NULL;
        struct node_memory m = {};
        uint64_t files = 0, shared = 0, slabs = 0;
        char path[64];
        int r;

        (void) str_format(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
        r = root_read(root, path, MEMORY_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        if (value_of(text, "MemTotal", &m.total_kib) < 0 || value_of(text, "MemFree", &m.free_kib) < 0)
                return -EBADMSG;
        (void) value_of(text, "FilePages", &files);
        (void) value_of(text, "Shmem", &shared);
        (void) value_of(text, "SReclaimable", &slabs);
        m.cache_kib = (files > shared ? files - shared : 0) + slabs;
        *ret = m;
        return 0;
}

struct user {
        int pid;
        uint64_t kib;
        char name[32];
};

static int read_user(const struct root *root, int pid, struct user *ret) {
        _cleanup_free_ char *text = NULL;
        uint64_t resident = 0, huge = 0;
        char path[64];
        int r;

        (void) str_format(path, sizeof(path), "/proc/%d/status", pid);
        r = root_read(root, path, MEMORY_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        /* Kernel threads have neither. */
        (void) value_of(text, "VmRSS", &resident);
        (void) value_of(text, "HugetlbPages", &huge);
        *ret = (struct user){ .pid = pid, .kib = resident + huge };
        r = root_read_attr(root, ret->name, sizeof(ret->name), "/proc/%d/comm", pid);
        if (r < 0)
                strcpy(ret->name, "a process");
        return 0;
}

const char *memory_users(const struct root *root, char *buf, size_t size) {
        _cleanup_strv_ char **names = NULL;
        struct user top[USERS_MAX] = {};
        size_t used = 0;

        (void) str_copy(buf, size, "nobody stands out");
        if (root_list(root, &names, "/proc") < 0)
                return buf;
        for (char **name = names; *name; name++) {
                struct user u;
                uint64_t pid;
                size_t at = USERS_MAX;

                if (str_to_u64(*name, 10, INT_MAX, &pid) < 0 || read_user(root, (int) pid, &u) < 0)
                        continue;
                while (at > 0 && u.kib > top[at - 1].kib)
                        at--;
                if (at == USERS_MAX)
                        continue;
                memmove(&top[at + 1], &top[at], (USERS_MAX - at - 1) * sizeof(u));
                top[at] = u;
        }
        for (size_t i = 0; i < USERS_MAX && top[i].kib > 0; i++) {
                int n = snprintf(buf + used, size - used, "%s%s (pid %d) %.1f GiB", used ? ", " : "", top[i].name,
                                 top[i].pid, (double) top[i].kib / (1024 * 1024));

                if (n < 0 || (size_t) n >= size - used)
                        break;
                used += (size_t) n;
        }
        return buf;
}
