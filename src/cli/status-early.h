/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-c/json_object.h>

#include "base/root.h"

/* What the initramfs did at this boot, as "passthru status" shows it: text to standard output (nothing when it had
 * nothing to do), and as an object (NULL: the same). */
void status_print_early(const struct root *root);
struct json_object *status_early_to_json(const struct root *root);
