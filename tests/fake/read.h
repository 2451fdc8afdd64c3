/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Called with the path before root_read, root_read_attr and root_read_u64 read it; NULL: nothing. It may take its
 * time, as a kernel that waits for a lock does. */
extern void (*fake_before_read)(const char *path);
