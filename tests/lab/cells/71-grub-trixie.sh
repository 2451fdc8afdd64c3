# shellcheck shell=bash
# guest: trixie
# loader: grub
# topology: none
# boots: 5
# timeout: 1200
#
# Debian 13 with GRUB 2.12, which says its name in an EFI variable.

boot_cycle 'GRUB with /etc/default/grub.d'
