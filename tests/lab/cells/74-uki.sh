# shellcheck shell=bash
# guest: trixie
# loader: uki
# topology: none
# boots: 5
# timeout: 1200
#
# Debian 13 with a unified kernel image that kernel-install made with ukify: the parameters are in an addon, a trial is an
# entry for the image with another line.

boot_cycle 'unified kernel images'
