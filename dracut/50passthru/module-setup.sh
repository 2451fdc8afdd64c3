#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Puts passthru-early into an initramfs of dracut, when something is reserved.

early=@libexecdir@/passthru/passthru-early

# 255: only when somebody asks for the module by name.
check() {
        [ -x "$early" ] && "$early" --pack /dev/null >/dev/null && return 0
        return 255
}

depends() {
        return 0
}

installkernel() {
        local modules
        modules=$("$early" --pack /dev/null 2>/dev/null) || return 0
        # shellcheck disable=SC2086 # a list of names
        hostonly='' instmods $modules
}

# shellcheck disable=SC2154 # initdir and moddir are dracut's
install() {
        mkdir -p "$initdir/etc/passthru"
        if ! "$early" --pack "$initdir/etc/passthru/early.conf" >/dev/null; then
                rm -f "$initdir/etc/passthru/early.conf"
                return 0
        fi
        inst "$early"
        inst modprobe
        inst_hook pre-udev 00 "$moddir/passthru-early.sh"
}
