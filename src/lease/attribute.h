/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lease/knob.h"

/* For kinds whose knob is one attribute of the kernel, of which the text is the value. */

/* -ENODEV when the file is not there (any more). */
int attribute_read(const struct root *root, const char *name, char ret[static KNOB_VALUE_MAX], struct err *e,
                   const char *path_fmt, ...) _printf_(5, 6);

/* Writes w->value. -ENODEV as above; otherwise what the kernel answers. */
int attribute_write(const struct knob_write *w, struct err *e, const char *path_fmt, ...) _printf_(3, 4);

/* A text as attributes have them: [A-Za-z0-9_. -], not empty. */
bool attribute_value_is_valid(const char *value);

/* prefix and a number as the kernel spells it: "policy0". -EINVAL. */
int numbered_name_parse(const char *name, const char *prefix, unsigned *ret);
