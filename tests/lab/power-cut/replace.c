/* SPDX-License-Identifier: GPL-2.0-or-later */

/* replace ROOT PATH [TEXT]: boot_file_replace() alone, in the guest. No loader's plan makes or removes a boot entry without
 * EFI variables. */

#include <stdio.h>
#include <string.h>

#include "base/root.h"
#include "boot/replace.h"

int main(int argc, char **argv) {
        _cleanup_root_ struct root *root = NULL;
        int r;

        if (argc != 3 && argc != 4) {
                fprintf(stderr, "wanted: replace ROOT PATH [TEXT]\n");
                return 2;
        }
        r = root_new(argv[1], &root);
        if (r >= 0)
                r = boot_file_replace(root, argv[2], argv[3], 0644);
        if (r < 0)
                fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
        return r < 0;
}
