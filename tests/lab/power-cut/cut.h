/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "folder.h"
#include "log.h"

struct counts {
        size_t prefixes; /* states with the first writes of the step */
        size_t subsets;  /* states with some of the writes since a flush, each that the reader can tell from others */
        size_t lost;     /* of both: a file is neither the old nor the new one */
        size_t late;     /* of the subsets: a file is the old one although the step's command had ended */
};

/* Cuts the power wherever it can be cut while a step ran, and reads the folder path as a boot loader does. size: of
 * the disk, in bytes. The files as they were before the step are saved to the folder before. The first losses are told
 * on stderr. -EOVERFLOW: too many states, and not all were seen. */
int cut_everywhere(const struct log *log, const struct step *step, uint64_t size, folder_read *read,
                   const char *path, const char *before, struct counts *ret);
