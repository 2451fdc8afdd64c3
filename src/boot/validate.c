/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/validate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/kernels.h"
#include "model/cmdline.h"

#define SYMBOLS_MAX (64U << 20)
#define NODES "/sys/devices/system/node"
#define PAGE_SIZES "/sys/kernel/mm/hugepages"
#define GIGANTIC_KIB (1U << 20)
#define HOST_KIB (256U << 10) /* less than that, and no system comes up around the pages */

/* Kernels */

static bool has_acs_patch(const char *symbols) {
        return strstr(symbols, "pcie_acs_override") != NULL;
}

/* Debian's System.map has no symbols: such a file tells nothing. */
static bool is_stub(const char *symbols) {
        return strlen(symbols) < 4096;
}

static int check_acs_override(const struct root *root, const struct boot_settings *s, struct err *e) {
        _cleanup_free_ char *symbols = NULL;
        bool found, known;

        if (!*s->acs_override || kernels_any_file(root, "System.map", has_acs_patch, &found))
                return 0;
        if (root_read(root, "/proc/kallsyms", SYMBOLS_MAX, &symbols, NULL) >= 0 && has_acs_patch(symbols))
                return 0;
        known = !kernels_any_file(root, "System.map", is_stub, &found) && found;
        return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "override",
                       "no installed kernel has the ACS override patch%s, so pcie_acs_override= would do "
                       "nothing: install a kernel that has it, use [acs] config= where the ports have ACS, or --force",
                       known ? "" : " that could be found (no System.map has symbols)");
}

static int check_acs_config(const struct root *root, const struct boot_settings *s, struct err *e) {
        unsigned newest = kernels_newest(root);

        if (!*s->acs_config || newest == 0 || newest >= CONFIG_ACS_VERSION)
                return 0;
        return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "config",
                       "pci=config_acs= needs Linux 6.11, and the newest kernel that is installed is %u.%u, which would ignore "
                       "it: install a newer one, or --force", newest / 100, newest % 100);
}

/* Hugepages */

/* "2M" in KiB; the settings have only such. */
static uint64_t page_kib(const char *size) {
        char *end;
        uint64_t n = strtoull(size, &end, 10);

        return n << (*end == 'G' ? 20 : *end == 'M' ? 10 : 0);
}

/* "MemTotal:  16384 kB", in a node's file behind "Node 0 ". -ENOENT: not known. */
static int memory_kib(const struct root *root, const char *path, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        const char *total;
        int r = root_read(root, path, 64U << 10, &text, NULL);

        if (r < 0)
                return r;
        total = strstr(text, "MemTotal:");
        if (!total)
                return -ENOENT;
        *ret = strtoull(total + strlen("MemTotal:"), NULL, 10);
        return 0;
}

static int check_page_size(const struct root *root, const char *size, struct err *e) {
        _cleanup_strv_ char **names = NULL;
        char wanted[64], have[200] = "";

        (void) str_format(wanted, sizeof(wanted), "hugepages-%llukB", (unsigned long long) page_kib(size));
        if (root_list(root, &names, PAGE_SIZES) < 0)
                return 0;
        for (char **n = names; *n; n++) {
                size_t used = strlen(have);

                if (str_eq(*n, wanted))
                        return 0;
                (void) str_format(have + used, sizeof(have) - used, " %s", *n);
        }
        return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, size,
                       "[hugepages] %s: this machine has no pages of that size; " PAGE_SIZES " has%s", size, have);
}

/* Adds what a pool takes of one node (or of none in particular) to *total. */
static int check_part(const struct root *root, const char *size, unsigned long node, bool has_node, uint64_t pages,
                      uint64_t node_kib[], size_t n_nodes, uint64_t *total, struct err *e) {
        uint64_t memory, kib = pages * page_kib(size);
        char path[64];

        *total += kib;
        if (!has_node)
                return 0;
        (void) str_format(path, sizeof(path), NODES "/node%lu/meminfo", node);
        if (root_exists(root, NODES) <= 0)
                return 0;
        if (node >= n_nodes || memory_kib(root, path, &memory) < 0)
                return err_set(e, -ENOENT, ERR_INVALID, size, "[hugepages] %s: there is no memory node %lu; 'numactl -H' "
                               "shows them", size, node);
        node_kib[node] += kib;
        return node_kib[node] <= memory ? 0 :
                                          err_set(e, -ENOMEM, ERR_INVALID, size,
                                                  "[hugepages] node %lu has %llu MiB of memory, and %llu MiB of hugepages "
                                                  "are wanted there; ask for fewer", node,
                                                  (unsigned long long) memory >> 10,
                                                  (unsigned long long) node_kib[node] >> 10);
}

/* "4" or "0:2,1:4" */
static int check_count(const struct root *root, const char *size, const char *count, uint64_t node_kib[], size_t n_nodes,
                       uint64_t *total, struct err *e) {
        int r = 0;

        for (const char *s = count; r >= 0 && *s; s += *s == ',') {
                char *end;
                unsigned long first = strtoul(s, &end, 10);
                bool has_node = *end == ':';

                r = check_part(root, size, first, has_node, has_node ? strtoul(end + 1, &end, 10) : first, node_kib,
                               n_nodes, total, e);
                s = end;
        }
        return r;
}

static int check_memory(const struct root *root, const struct boot_settings *s, struct err *e) {
        uint64_t node_kib[256] = {}, total = 0, memory;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_pools; i++) {
                r = check_page_size(root, s->pools[i].size, e);
                if (r >= 0)
                        r = check_count(root, s->pools[i].size, s->pools[i].count, node_kib, ARRAY_SIZE(node_kib), &total,
                                        e);
        }
        if (r < 0 || total == 0 || memory_kib(root, "/proc/meminfo", &memory) < 0 || total + HOST_KIB <= memory)
                return r;
        return err_set(e, -ENOMEM, ERR_INVALID, "hugepages",
                       "[hugepages] this machine has %llu MiB of memory, and %llu MiB of hugepages are wanted, which leaves "
                       "less than %u MiB for the system; ask for fewer", (unsigned long long) memory >> 10,
                       (unsigned long long) total >> 10, HOST_KIB >> 10);
}

/* Lines as they are now */

static bool next_named(const char **pos, const char *name, struct token *t) {
        while (cmdline_next(pos, t))
                if (t->length > strlen(name) && strncmp(t->start, name, strlen(name)) == 0)
                        return true;
        return false;
}

static bool owns_pool(const struct ledger *ledger, const char *size) {
        char prefix[32];

        (void) str_format(prefix, sizeof(prefix), "hugepagesz=%s ", size);
        for (size_t i = 0; i < ledger->n_files; i++)
                for (size_t k = 0; k < ledger->files[i].n_parameters; k++)
                        if (str_starts(ledger->files[i].parameters[k], prefix))
                                return true;
        return false;
}

/* The same count is no conflict: then there is nothing to add. */
static int check_foreign_pool(const struct boot_settings *s, const struct ledger *ledger,
                              const struct boot_entry *entry, struct err *e) {
        const char *line = entry->line;
        struct token t;

        while (next_named(&line, "hugepagesz=", &t))
                for (size_t i = 0; i < s->n_pools; i++) {
                        size_t n = strlen("hugepagesz=");
                        char size[16], wanted[PARAMETER_TEXT_MAX];

                        (void) str_format(wanted, sizeof(wanted), "hugepagesz=%s hugepages=%s", s->pools[i].size,
                                          s->pools[i].count);
                        if (str_format(size, sizeof(size), "%.*s", (int) (t.length - n), t.start + n) < 0 ||
                            strcasecmp(size, s->pools[i].size) != 0 || owns_pool(ledger, s->pools[i].size) ||
                            cmdline_has(entry->line, wanted))
                                continue;
                        return err_set(e, -EEXIST, ERR_REFUSED, entry->name,
                                       "'%s' has a hugepagesz=%s that is not ours, and the kernel takes each size once: "
                                       "remove it there, or [hugepages] %s", entry->name, size, size);
                }
        return 0;
}

/* Without the pool's own contiguous area, gigantic pages come from it alone, and not at boot. */
static int check_cma(const struct boot_settings *s, const char *where, const char *line, struct err *e) {
        struct token t;

        if (!next_named(&line, "hugetlb_cma=", &t))
                return 0;
        for (size_t i = 0; i < s->n_pools; i++)
                if (page_kib(s->pools[i].size) >= GIGANTIC_KIB)
                        return err_set(e, -EINVAL, ERR_REFUSED, where,
                                       "%s has %.*s, with which the kernel reserves no %s pages at boot: remove one of both",
                                       where, (int) t.length, t.start, s->pools[i].size);
        return 0;
}

/* Other owners */

static int check_tuned(const struct root *root, const struct wanted *w, struct err *e) {
        static const char key[] = "TUNED_BOOT_CMDLINE=\"";
        _cleanup_free_ char *text = NULL, *line = NULL;
        const char *start;
        struct token t;

        if (root_read(root, "/etc/tuned/bootcmdline", 64U << 10, &text, NULL) < 0 || !(start = strstr(text, key)))
                return 0;
        start += strlen(key);
        line = strndup(start, strcspn(start, "\"\n"));
        if (!line)
                return err_set(e, -ENOMEM, ERR_FAILED, "tuned", "out of memory");
        for (size_t i = 0; i < w->n; i++)
                for (const char *pos = line; cmdline_next(&pos, &t);) {
                        size_t n = strcspn(t.start, "= ");

                        if (n > t.length || strncmp(w->list[i], t.start, n) != 0 || w->list[i][n] != '=' ||
                            parameter_kind(t.start, n) == PARAMETER_LIST)
                                continue;
                        return err_set(e, -EEXIST, ERR_REFUSED, w->list[i],
                                       "%s: tuned sets %.*s (/etc/tuned/bootcmdline), and the last one counts: change tuned's "
                                       "profile, or --force", w->list[i], (int) t.length, t.start);
                }
        return 0;
}

static int check_kdump(const struct root *root, const struct wanted *w, struct err *e) {
        static const char *const files[] = { "/etc/default/grub.d/kdump-tools.cfg", "/etc/kdump.conf" };

        for (size_t i = 0; i < w->n; i++)
                for (size_t k = 0; str_starts(w->list[i], "crashkernel=") && k < ARRAY_SIZE(files); k++)
                        if (root_exists(root, "%s", files[k]) > 0)
                                return err_set(e, -EEXIST, ERR_REFUSED, w->list[i],
                                               "%s: kdump owns this parameter (%s): change it there, or --force",
                                               w->list[i], files[k]);
        return 0;
}

static int check_lines(const struct boot_settings *s, const struct wanted *w, const struct ledger *ledger,
                       const struct boot_entries *entries, struct err *e) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < w->n; i++)
                r = check_cma(s, "passthru.conf", w->list[i], e);
        for (size_t i = 0; r >= 0 && i < entries->n; i++) {
                if (entries->list[i].untouched)
                        continue;
                r = check_cma(s, entries->list[i].name, entries->list[i].line, e);
                if (r >= 0)
                        r = check_foreign_pool(s, ledger, &entries->list[i], e);
        }
        return r;
}

int wanted_validate(const struct root *root, const struct boot_settings *settings, const struct wanted *wanted,
                    const struct ledger *ledger, const struct boot_entries *entries, bool force, struct err *e) {
        int r = check_memory(root, settings, e);

        if (r >= 0)
                r = check_lines(settings, wanted, ledger, entries, e);
        if (force || r < 0)
                return r;
        if ((r = check_acs_override(root, settings, e)) < 0 || (r = check_acs_config(root, settings, e)) < 0 ||
            (r = check_tuned(root, wanted, e)) < 0)
                return r;
        return check_kdump(root, wanted, e);
}
