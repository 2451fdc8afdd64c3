/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/uki-rebuild.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/kernel-cmdline.h"

#define WHY "builds the images anew"

/* Arch: a preset with an image that is not commented out. */
static bool mkinitcpio_makes_images(const struct root *root) {
        _cleanup_strv_ char **names = NULL;

        if (root_list(root, &names, "/etc/mkinitcpio.d") < 0)
                return false;
        for (char **n = names; *n; n++) {
                _cleanup_free_ char *text = NULL;
                char path[256], *line, *save;

                if (str_format(path, sizeof(path), "/etc/mkinitcpio.d/%s", *n) < 0 ||
                    root_read(root, path, 64U << 10, &text, NULL) < 0)
                        continue;
                for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                        if (line[strspn(line, " \t")] != '#' && strstr(line, "_uki="))
                                return true;
        }
        return false;
}

/* Its verb "add-all" came with systemd 255. */
static bool kernel_install_has_add_all(const struct root *root) {
        _cleanup_free_ char *program = NULL;
        size_t size;

        return root_read(root, "/usr/bin/kernel-install", 4U << 20, &program, &size) >= 0 &&
               memmem(program, size, "add-all", strlen("add-all"));
}

/* One command for each installed kernel. */
static int plan_each_kernel(const struct root *root, struct plan *plan, struct err *e) {
        static const struct {
                const char *before, *behind;
        } places[] = { { "/usr/lib/modules/", "/vmlinuz" }, { "/lib/modules/", "/vmlinuz" }, { "/boot/vmlinuz-", "" } };
        _cleanup_strv_ char **names = NULL;
        size_t n_found = 0;
        int r = root_list(root, &names, "/lib/modules");

        for (char **n = names; r >= 0 && *n; n++)
                for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                        char path[256];

                        if (str_format(path, sizeof(path), "%s%s%s", places[i].before, *n, places[i].behind) < 0 ||
                            root_exists(root, "%s", path) <= 0)
                                continue;
                        n_found++;
                        r = plan_add_command(plan, WHY, "kernel-install", "add", *n, path, NULL);
                        break;
                }
        if (r >= 0 && n_found == 0)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, "/lib/modules",
                               "no installed kernel was found from which an image can be built; look into "
                               "/lib/modules");
        return r < 0 ? err_line("/lib/modules", r, e) : 0;
}

int uki_rebuild_plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        int r;

        if (root_exists(root, KERNEL_CMDLINE) == 0)
                return err_set(e, -ENOENT, ERR_REFUSED, KERNEL_CMDLINE,
                               "%s is missing, from which the images are built anew; write the kernel line that "
                               "is to stay, with its root=, into it first", KERNEL_CMDLINE);
        r = kernel_cmdline_plan(root, edit, NULL, KERNEL_CMDLINE_PLAIN, plan, e);
        if (r < 0 || plan_is_empty(plan))
                return r;
        if (mkinitcpio_makes_images(root))
                r = plan_add_command(plan, WHY, "mkinitcpio", "-P", NULL);
        else if (kernel_install_has_add_all(root))
                r = plan_add_command(plan, WHY, "kernel-install", "add-all", NULL);
        else
                return plan_each_kernel(root, plan, e);
        return r < 0 ? err_line(KERNEL_CMDLINE, r, e) : 0;
}
