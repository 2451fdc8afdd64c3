#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by dracut before its udev starts, with and without systemd.

@libexecdir@/passthru/passthru-early || :
