# shellcheck shell=bash
# What passthru-early did before the root file system was there.

EARLY_RESULT=/run/passthru/early

first_driver_of() { # ROLE: when the root file system saw it first; "none"
	local found
	found=$(sed -n "s|^$(addr "$1")/driver .*/||p" $LAB/first-look)
	echo "${found:-none}"
}

# early_state ROLE|NAME: what is written of a device (by its address in early.conf) or pool
early_state() {
	local name=$1
	! a=$(addr "$1" 2>/dev/null) || name="device $a"
	awk -v name="[$name]" '/^\[/ { here = $0 == name; next } here && sub(/^state=/, "")' $EARLY_RESULT
}

early_message() {
	local name=$1
	! a=$(addr "$1" 2>/dev/null) || name="device $a"
	awk -v name="[$name]" '/^\[/ { here = $0 == name; next } here && sub(/^message=/, "")' $EARLY_RESULT
}

kernel_seconds() { # REGEX: when the kernel's log had it first; nothing: never
	dmesg | sed -nE "/$1/{s/^\[ *([0-9.]+)\].*/\1/p;q}"
}

# met ROLE: its own driver has seen the device in this boot
met() {
	dmesg | grep -E "(nvme|e1000e|snd_hda_intel|xhci_hcd)" | grep -q "$(addr "$1")"
}

is_before() { # SECONDS SECONDS
	[ -n "$1" ] && [ -n "$2" ] && awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'
}
