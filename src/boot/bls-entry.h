/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The text of one boot loader entry (UAPI.1, type 1), as systemd-boot splits it: lines end at CR or LF, a key ends at
 * white space. */
struct bls_entry {
        bool kernel;         /* it starts a kernel that gets the options; not firmware tools, nor other systems */
        const char *options; /* into the text: the value of the last options line; NULL: there is none */
        size_t length;
        size_t n_options;
        const char *machine_id; /* into the text; NULL: it does not say */
        size_t machine_id_length;
};

void bls_entry_parse(const char *text, struct bls_entry *ret);

/* systemd-boot takes the quotes off a value that begins and ends with one. */
bool bls_options_are_quoted(const char *options);

/* "id+3-1.conf" is renamed at each boot: the name without the counter of tries. -ENAMETOOLONG. */
int bls_entry_name(const char *path, char *buf, size_t size);

/* The text as an entry of its own: these options, a title that says so, and no sort-key. Caller frees; NULL: out of
 * memory. */
char *bls_entry_trial(const char *text, const char *options);

/* The text with another options line. "" takes the line away; one that is not there is added at the end. Caller frees;
 * NULL: out of memory. */
char *bls_entry_replace(const char *text, const struct bls_entry *entry, const char *options);
