# shellcheck shell=bash
# guest: trixie
# loader: systemd-boot
# topology: none
# boots: 5
# timeout: 1200
#
# Debian 13 with systemd-boot and an entry of kernel-install: the parameters are in the entry and in /etc/kernel/cmdline,
# a trial is an entry of its own.

boot_cycle 'systemd-boot with loader/entries'
