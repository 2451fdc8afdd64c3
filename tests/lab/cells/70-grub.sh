# shellcheck shell=bash
# guest: bookworm
# loader: grub
# topology: none
# boots: 5
# timeout: 1200
#
# Debian 12 with GRUB 2.06: the parameters are in a drop-in of ours, a trial is a variable in grubenv.

boot_cycle 'GRUB with /etc/default/grub.d'
