# shellcheck shell=bash
# guest: bookworm
# loader: systemd-boot
# topology: none
# boots: 5
# timeout: 1200
#
# Debian 12 with systemd-boot 252, and with GRUB's package, which a machine that changed its loader keeps.

boot_cycle 'systemd-boot with loader/entries'
