/* SPDX-License-Identifier: GPL-2.0-or-later */

/* kernelstub (Pop!_OS) writes systemd-boot's entries from its own configuration, again at every kernel update. Its
 * options for adding and removing parameters sort them anew and drop what stands twice, so the configuration is
 * edited as text and kernelstub is run without any. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/json-list.h"
#include "boot/json-text.h"
#include "boot/trial-entry.h"
#include "sys/efivar.h"

#define CONFIGURATION "/etc/kernelstub/configuration"
#define ESP "/boot/efi"
#define KERNEL_MAX (64U << 20)
#define ESP_SPARE (1U << 20)

static bool is_ours(const char *name) {
        return str_starts(name, "Pop_OS-");
}

static int load(const struct root *root, char **ret, struct err *e) {
        _cleanup_free_ char *text = NULL;
        const char *user, *options;
        size_t size;
        int r = root_read(root, CONFIGURATION, 1U << 20, &text, &size);

        if (r < 0)
                return err_set(e, r, ERR_FAILED, CONFIGURATION, "%s cannot be read: %s", CONFIGURATION, strerror(-r));
        if (strlen(text) != size)
                return err_set(e, -EBADMSG, ERR_FAILED, CONFIGURATION, "%s has a NUL byte in it", CONFIGURATION);
        r = json_text_check(CONFIGURATION, text, e);
        if (r < 0)
                return r;
        user = json_text_member(text + strspn(text, " \t\r\n"), "user");
        if (!user)
                return err_set(e, -ENODATA, ERR_REFUSED, CONFIGURATION,
                               "%s has no \"user\" part; run 'kernelstub' once, which makes it", CONFIGURATION);
        options = *user == '{' ? json_text_member(user, "kernel_options") : NULL;
        if (!options || !strchr("[\"", *options))
                return err_set(e, -EBADMSG, ERR_REFUSED, CONFIGURATION,
                               "%s: \"kernel_options\" in \"user\" must be a list of strings", CONFIGURATION);
        *ret = TAKE_PTR(text);
        return 0;
}

static const char *find_options(const char *text) {
        return json_text_member(json_text_member(text + strspn(text, " \t\r\n"), "user"), "kernel_options");
}

static int esp_path(const struct root *root, char *buf, size_t size) {
        _cleanup_free_ char *text = NULL, *path = NULL;
        const char *value;

        if (load(root, &text, NULL) < 0)
                return str_copy(buf, size, ESP);
        value = json_text_member(json_text_member(text + strspn(text, " \t\r\n"), "user"), "esp_path");
        path = value && *value == '"' ? json_text_string(value) : NULL;
        return str_copy(buf, size, path && *path == '/' ? path : ESP);
}

static enum evidence detect(const struct root *root, char *text, size_t size) {
        char esp[128], info[64] = "";

        if (root_exists(root, CONFIGURATION) <= 0 || esp_path(root, esp, sizeof(esp)) < 0 ||
            root_exists(root, "%s/loader/entries/Pop_OS-current.conf", esp) <= 0)
                return EVIDENCE_NONE;
        (void) efi_loader_text(root, "LoaderInfo", info, sizeof(info));
        (void) str_format(text, size, "%s%s%s", CONFIGURATION, *info ? " and LoaderInfo says " : "", info);
        return !*info || str_starts(info, "systemd-boot") ? EVIDENCE_OWNER : EVIDENCE_FILES;
}

/* Before config_rev 3 the options are one string. */
static int edit_string(struct boot_edit *edit, char **text) {
        const char *at = find_options(*text);
        size_t length = (size_t) (json_text_end(at) - at);
        _cleanup_free_ char *line = strndup(at + 1, length - 2), *edited = NULL;
        char *next;
        int r = line ? boot_edit_quoted_line(edit, CONFIGURATION, line, json_text_quote, &edited) : -ENOMEM;

        if (r < 0)
                return r;
        if (asprintf(&next, "%.*s%s%s", (int) (at + 1 - *text), *text, edited, at + length - 1) < 0)
                return -ENOMEM;
        free(*text);
        *text = next;
        return 0;
}

/* The loader */

/* why is set where more is known than a number. */
static int fail(int r, const struct err *why, struct err *e) {
        if (!why->code)
                return err_line(CONFIGURATION, r, e);
        if (e)
                *e = *why;
        return r;
}

static int read_configuration(const struct root *root, struct boot_entries *entries, struct err *e) {
        _cleanup_free_ char *text = NULL, *line = NULL;
        struct err why = {};
        int r = load(root, &text, &why);

        if (r >= 0 && *find_options(text) == '"')
                r = (line = json_text_string(find_options(text))) ? 0 : -ENOMEM;
        else if (r >= 0)
                r = json_list_line(&(struct json_list) { CONFIGURATION, text, find_options }, &line, &why);
        if (r >= 0)
                r = boot_entries_add(entries, "kernels to come", CONFIGURATION, line, false);
        return r < 0 ? fail(r, &why, e) : 0;
}

static int entries_folder(const struct root *root, char *buf, size_t size, struct err *e) {
        char esp[128];
        int r = esp_path(root, esp, sizeof(esp));

        if (r >= 0)
                r = str_format(buf, size, "%s/loader/entries", esp);
        return r < 0 ? err_line(CONFIGURATION, r, e) : 0;
}

static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        char folder[160];
        int r = read_configuration(root, &entries, e);

        if (r >= 0)
                r = entries_folder(root, folder, sizeof(folder), e);
        if (r < 0)
                return r;
        r = bls_read(root, &(struct bls) { .folder = folder, .wanted = is_ours }, &entries, e);
        if (r < 0)
                return r;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        struct err why = {};
        int r = load(root, &before, &why);

        if (r >= 0)
                r = (after = strdup(before)) ? 0 : -ENOMEM;
        if (r >= 0 && *find_options(after) == '"')
                r = edit_string(edit, &after);
        else if (r >= 0) {
                struct json_list list = { CONFIGURATION, TAKE_PTR(after), find_options };

                r = json_list_edit(&list, edit, &why);
                after = list.text;
        }
        if (r >= 0)
                r = plan_add_change(plan, CONFIGURATION, before, after, 0644);
        if (r >= 0 && !plan_is_empty(plan))
                r = plan_add_command(plan, "writes the entries on the ESP", "kernelstub", NULL);
        return r < 0 ? fail(r, &why, e) : trial_entry_clear(root, edit, plan, e);
}

/* Which kernel. kernelstub copies one to the ESP, the newest unless it is told, and its entry names the copy. */

/* Where the copy is. -ENOENT: the entry does not say. */
static int copied_kernel(const struct root *root, char *buf, size_t size, struct err *e) {
        _cleanup_free_ char *text = NULL;
        char esp[128], entry[192];
        const char *linux_key;
        int r = esp_path(root, esp, sizeof(esp));

        if (r >= 0)
                r = str_format(entry, sizeof(entry), "%s/loader/entries/Pop_OS-current.conf", esp);
        if (r >= 0)
                r = root_read(root, entry, 64U << 10, &text, NULL);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, entry, "%s cannot be read: %s", entry, strerror(-r));
        linux_key = str_starts(text, "linux ") ? text : strstr(text, "\nlinux ");
        if (!linux_key)
                return err_set(e, -ENOENT, ERR_FAILED, entry, "%s has no line 'linux'", entry);
        linux_key = strstr(linux_key, "linux ") + strlen("linux ");
        return str_format(buf, size, "%s%.*s", esp, (int) strcspn(linux_key, " \t\r\n"), linux_key);
}

static int same_file(const struct root *root, const char *a, const char *b) {
        _cleanup_free_ char *one = NULL, *other = NULL;
        size_t one_size, other_size;
        int r = root_read(root, a, KERNEL_MAX, &one, &one_size);

        if (r >= 0)
                r = root_read(root, b, KERNEL_MAX, &other, &other_size);
        return r < 0 ? r : one_size == other_size && memcmp(one, other, one_size) == 0;
}

static int find_kernel(const struct root *root, const char *version, char kernel[static 128], char initrd[static 128],
                       struct err *e) {
        (void) str_format(kernel, 128, "/boot/vmlinuz-%s", version);
        (void) str_format(initrd, 128, "/boot/initrd.img-%s", version);
        if (root_exists(root, "%s", kernel) > 0 && root_exists(root, "%s", initrd) > 0)
                return 0;
        return err_set(e, -ENOENT, ERR_NOT_FOUND, "kernel",
                       "[boot] kernel=%s: %s and %s must both exist; 'ls /boot/vmlinuz-*' shows what is installed", version,
                       kernel, initrd);
}

static uint64_t file_size(const struct root *root, const char *path) {
        _cleanup_close_ int fd = root_open(root, path, O_PATH, 0);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) >= 0 ? (uint64_t) st.st_size : 0;
}

/* kernelstub writes over its old copies, and a full ESP leaves half a kernel (pop-os/pop#3840). */
static int check_esp_room(const struct root *root, const char *copy, const char *kernel, const char *initrd,
                          struct err *e) {
        char old_initrd[256];
        _cleanup_close_ int fd = root_open(root, copy, O_RDONLY, 0);
        uint64_t wanted = file_size(root, kernel) + file_size(root, initrd) + ESP_SPARE, found = file_size(root, copy);
        struct statvfs vfs;

        if (fd < 0 || fstatvfs(fd, &vfs) < 0)
                return err_set(e, fd < 0 ? fd : -errno, ERR_FAILED, copy, "%s: %s", copy, strerror(fd < 0 ? -fd : errno));
        if (str_format(old_initrd, sizeof(old_initrd), "%.*s/initrd.img", (int) (strrchr(copy, '/') - copy), copy) >= 0)
                found += file_size(root, old_initrd);
        found += (uint64_t) vfs.f_bavail * vfs.f_frsize;
        return found >= wanted ? 0 :
                                 err_set(e, -ENOSPC, ERR_FAILED, "kernel",
                                         "[boot] kernel: the ESP has room for %llu KiB of a kernel and its initrd, and %llu KiB "
                                         "are wanted", (unsigned long long) found / 1024,
                                         (unsigned long long) wanted / 1024);
}

static int plan_kernel(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        static const char *const newest[] = { "kernelstub", NULL };
        char copy[256], kernel[128], initrd[128];
        int r = copied_kernel(root, copy, sizeof(copy), e);

        if (r >= 0)
                r = find_kernel(root, *edit->kernel ? edit->kernel : edit->before->kernel, kernel, initrd, e);
        if (r < 0)
                return *edit->kernel ? r : 0; /* one that is no longer installed needs no way back */
        r = same_file(root, copy, kernel);
        if (r == 0 && *edit->kernel && check_esp_room(root, copy, kernel, initrd, e) < 0)
                return -ENOSPC;
        if (r >= 0 && *edit->kernel && (r == 0 || plan->n_commands > 0)) {
                const char *chosen[] = { "kernelstub", "--kernel-path", kernel, "--initrd-path", initrd, NULL };

                /* In place of the command without, which would copy the newest one. */
                plan_clear_commands(plan);
                r = plan_add_change_command(plan, "copies that kernel to the ESP, and writes the entries", chosen, newest);
        } else if (r > 0 && !*edit->kernel)
                r = plan_add_change_command(plan, "copies the newest kernel to the ESP, and writes the entries", newest, newest);
        return r < 0 ? err_set(e, r, ERR_FAILED, copy, "%s: %s", copy, strerror(-r)) : 0;
}

static int verify_kernel(const struct root *root, const struct boot_edit *edit, struct err *e) {
        char copy[256], kernel[128], initrd[128];
        int r = copied_kernel(root, copy, sizeof(copy), e);

        if (r >= 0)
                r = find_kernel(root, edit->kernel, kernel, initrd, e);
        if (r < 0)
                return r;
        return same_file(root, copy, kernel) > 0 ?
                       0 :
                       err_set(e, -EIO, ERR_FAILED, copy, "%s should be a copy of %s, and is not", copy, kernel);
}

static const struct loader_kernel kernel = { .plan = plan_kernel, .verify = verify_kernel };

static int plan_trial(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_free_ char *text = NULL;
        char folder[160];
        int r = trial_entry_check_loader(root, e);

        if (r >= 0 && !str_eq(edit->kernel, edit->before->kernel))
                return err_set(e, -EOPNOTSUPP, ERR_REFUSED, "trial",
                               "another kernel cannot be tried: kernelstub has room for one on the ESP; --no-trial changes the "
                               "kernel of all boots at once");
        if (r >= 0)
                r = entries_folder(root, folder, sizeof(folder), e);
        if (r >= 0)
                r = bls_find_booted(root, &(struct bls) { .folder = folder, .wanted = is_ours }, &text, e);
        return r < 0 ? r : trial_entry_plan(root, folder, text, edit, plan, e);
}

static const struct loader_trial trial = { .plan = plan_trial, .verify = trial_entry_verify };

const struct loader loader_kernelstub = {
        .name = "kernelstub",
        .title = "kernelstub",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
        .trial = &trial,
        .kernel = &kernel,
};
