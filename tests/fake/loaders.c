/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/loaders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static char *read_all(struct tree *tree, const char *path) {
        char *text;

        if (root_read(tree_root(tree), path, 1U << 16, &text, NULL) < 0) {
                fprintf(stderr, "%s cannot be read\n", path);
                abort();
        }
        return text;
}

/* The text between the first start and the next end, in place. */
static char *between(char *text, const char *start, const char *end) {
        char *s = strstr(text, start);

        if (!s)
                abort();
        s += strlen(start);
        *strstr(s, end) = '\0';
        return s;
}

#define POP "/boot/efi/loader/entries/Pop_OS-current.conf"
#define KERNELSTUB "/etc/kernelstub/configuration"

void run_kernelstub(struct tree *tree, char *const *argv) {
        _cleanup_free_ char *text = read_all(tree, KERNELSTUB);
        char *list = between(text, "\"kernel_options\": [", "]"), *save, line[512] = "";

        /* The newest kernel, unless it is told which. */
        if (root_exists(tree_root(tree), "/boot/vmlinuz-6.5") > 0) {
                _cleanup_free_ char *image = read_all(tree, argv && argv[1] ? argv[2] : "/boot/vmlinuz-6.5");

                tree_file(tree, "/boot/efi/vmlinuz.efi", image);
        }
        for (char *s = strtok_r(list, "\",\n", &save); s; s = strtok_r(NULL, "\",\n", &save))
                if (*s != ' ')
                        strcat(strcat(line, " "), s);
        tree_filef(tree, POP, "title Pop\nlinux /vmlinuz.efi\noptions root=UUID=1 ro%s\n", line);
}

void make_kernelstub(struct tree *tree) {
        tree_file(tree, KERNELSTUB, "{\n  \"user\": {\n    \"kernel_options\": [\n      \"quiet\",\n"
                                    "      \"splash\"\n    ],\n    \"odd\": 1,\n    \"config_rev\": 3\n  }\n}");
        run_kernelstub(tree, NULL);
}

#define GRUB_CFG "/boot/grub2/grub.cfg"

void run_grub_mkconfig(struct tree *tree, char *const *argv) {
        _cleanup_free_ char *text = read_all(tree, "/etc/default/grub");

        (void) argv;
        tree_filef(tree, GRUB_CFG, "### BEGIN /etc/grub.d/10_linux ###\nmenuentry 'SUSE' {\n linux /vmlinuz root=1 %s\n}\n",
                   between(text, "LINUX_DEFAULT=\"", "\"\n"));
}

void make_grub_file(struct tree *tree) {
        tree_file(tree, "/etc/default/grub", "# mine\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash\"\nGRUB_TIMEOUT=5");
        tree_file(tree, "/usr/sbin/grub2-mkconfig", "");
        run_grub_mkconfig(tree, NULL);
}

static void make_fedora_with(struct tree *tree, const char *options) {
        tree_file(tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"rhgb quiet\"\nGRUB_ENABLE_BLSCFG=true\n");
        tree_file(tree, "/boot/grub2/grub.cfg", "blscfg\n");
        tree_filef(tree, "/boot/loader/entries/m-6.11.conf", "title F\nlinux /v\noptions %s\ngrub_class fedora\n", options);
        tree_filef(tree, "/boot/loader/entries/m-6.12.conf", "title G\nlinux /w\noptions %s\ngrub_class fedora\n", options);
        tree_filef(tree, "/boot/loader/entries/m-0-rescue.conf", "title R\nlinux /r\noptions %s\n", options);
}

void make_fedora(struct tree *tree) {
        make_fedora_with(tree, "root=UUID=1 ro rhgb quiet $tuned_params");
        tree_file(tree, "/etc/kernel/cmdline", "root=UUID=1 ro rhgb quiet\n");
}

void make_rhel_8(struct tree *tree) {
        char env[1024 + 1];

        make_fedora_with(tree, "$kernelopts $tuned_params");
        (void) snprintf(env, sizeof(env), "# GRUB Environment Block\nkernelopts=root=UUID=1 ro quiet \nx=1\n");
        memset(env + strlen(env), '#', sizeof(env) - 1 - strlen(env));
        env[1024] = '\0';
        tree_file(tree, "/boot/grub2/grubenv", env);
}

void make_refind(struct tree *tree) {
        tree_file(tree, "/boot/refind_linux.conf", "# mine\n\"Normal\"  \"rw root=1 quiet\"\n\"Single\" \"rw root=1 single\"\n");
}

#define SUSE_ENTRY "/boot/efi/loader/entries/suse-6.12-5.conf"

void run_sdbootutil(struct tree *tree, char *const *argv) {
        _cleanup_free_ char *line = read_all(tree, "/etc/kernel/cmdline");

        (void) argv;
        line[strcspn(line, "\n")] = '\0';
        tree_filef(tree, SUSE_ENTRY, "title S\nlinux /s\noptions %s rootflags=subvol=@\n", line);
}

void make_sdbootutil(struct tree *tree) {
        tree_file(tree, "/usr/bin/sdbootutil", "");
        tree_file(tree, "/etc/sysconfig/bootloader", "LOADER_TYPE=\"systemd-boot\"\n");
        tree_file(tree, "/proc/self/mountinfo", "62 1 0:38 /@/.snapshots/5/snapshot / rw - btrfs /dev/vda rw\n");
        tree_file(tree, "/etc/kernel/cmdline", "root=UUID=1 quiet\n");
        tree_file(tree, "/boot/efi/loader/entries/suse-6.12-4.conf", "title old\nlinux /s\noptions root=UUID=1\n");
        run_sdbootutil(tree, NULL);
}

void run_proxmox(struct tree *tree, char *const *argv) {
        (void) tree, (void) argv;
}

void make_proxmox(struct tree *tree) {
        tree_file(tree, "/etc/kernel/proxmox-boot-uuids", "1234-ABCD\n");
        tree_file(tree, "/etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs\nsecond line\n");
        tree_file(tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
        tree_file(tree, "/usr/sbin/grub-mkconfig", "for x in ${sysconfdir}/default/grub.d/*.cfg\n");
        tree_dir(tree, "/etc/default/grub.d");
}

#define DEPLOYMENT "/boot/loader/entries/ostree-2.conf"

static void write_deployment(struct tree *tree, const char *line) {
        tree_filef(tree, DEPLOYMENT, "title O\nversion 2\noptions %s\nlinux /o\n", line);
}

/* In rpm-ostree's order: --append, --append-if-missing, --delete-if-present. */
void run_rpm_ostree(struct tree *tree, char *const *argv) {
        static const char *const options[] = { "--append=", "--append-if-missing=", "--delete-if-present=" };
        _cleanup_free_ char *text = read_all(tree, DEPLOYMENT);
        char line[1024];

        (void) snprintf(line, sizeof(line), "%s ", between(text, "options ", "\n"));
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                for (char *const *a = argv; *a; a++) {
                        char word[128], *at;

                        if (!str_starts(*a, options[i]))
                                continue;
                        (void) snprintf(word, sizeof(word), " %s ", *a + strlen(options[i]));
                        at = strstr(line, word);
                        if (i == 2 && at)
                                memmove(at, at + strlen(word) - 1, strlen(at + strlen(word) - 1) + 1);
                        else if (i == 0 || (i == 1 && !at))
                                strcat(line, word + 1);
                }
        line[strlen(line) - 1] = '\0';
        write_deployment(tree, line);
}

void make_ostree(struct tree *tree) {
        tree_file(tree, "/run/ostree-booted", "");
        tree_file(tree, "/usr/bin/rpm-ostree", "");
        tree_file(tree, "/boot/loader/entries/ostree-1.conf", "title O\nversion 1\noptions root=1 ostree=/a\nlinux /o\n");
        write_deployment(tree, "root=1 quiet ostree=/b");
}

#define PE_CMDLINE 0x120

/* A PE file with one section, .cmdline. */
static void tree_pe(struct tree *tree, const char *path, const char *line) {
        unsigned char pe[PE_CMDLINE + 1024] = "MZ";
        size_t n = strlen(line);
        int fd;

        pe[0x3c] = 0x40;
        memcpy(pe + 0x40, "PE\0", 4);
        pe[0x46] = 1;
        memcpy(pe + 0x58, ".cmdline", 8);
        pe[0x60] = (unsigned char) n; /* virtual size */
        pe[0x61] = (unsigned char) (n >> 8);
        pe[0x68] = (unsigned char) n; /* raw size */
        pe[0x69] = (unsigned char) (n >> 8);
        pe[0x6c] = PE_CMDLINE & 0xff; /* raw offset */
        pe[0x6d] = PE_CMDLINE >> 8;
        memcpy(pe + PE_CMDLINE, line, n);
        tree_file(tree, path, "");
        fd = root_open(tree_root(tree), path, O_WRONLY, 0);
        if (fd < 0 || write(fd, pe, PE_CMDLINE + n) != (ssize_t) (PE_CMDLINE + n)) {
                fprintf(stderr, "%s cannot be written\n", path);
                abort();
        }
        close(fd);
}

void make_uki(struct tree *tree) {
        tree_file(tree, "/usr/bin/ukify", "");
        tree_file(tree, "/usr/lib/systemd/boot/efi/addonx64.efi.stub", "");
        tree_dir(tree, "/boot/efi/loader");
        tree_pe(tree, "/boot/efi/EFI/Linux/debian-6.1.efi", "root=/dev/sda1 quiet");
        tree_pe(tree, "/boot/efi/EFI/Linux/debian-6.12.efi", "root=/dev/sda1 ro quiet");
        tree_file(tree, "/etc/kernel/cmdline", "root=/dev/sda1 quiet\n");
}

/* Also mkdir and rm, which the loader runs beside it. */
void run_ukify(struct tree *tree, char *const *argv, void (*cut)(void)) {
        const char *line = NULL, *output = NULL;

        if (str_eq(argv[0], "mkdir"))
                tree_dir(tree, argv[2]);
        if (str_eq(argv[0], "rm"))
                tree_remove(tree, argv[2]);
        for (char *const *a = argv; *a; a++) {
                if (str_starts(*a, "--cmdline="))
                        line = *a + strlen("--cmdline=");
                if (str_starts(*a, "--output="))
                        output = *a + strlen("--output=");
        }
        if (!line || !output)
                return;
        tree_file(tree, output, "MZ");
        cut();
        tree_pe(tree, output, line);
}
