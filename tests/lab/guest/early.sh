# shellcheck shell=bash
# What passthru-early did before the root file system was there.

EARLY_RESULT=/run/passthru/early

first_driver_of() { # ROLE: when the root file system saw it first; "none"
	local found
	found=$(sed -n "s|^$(addr "$1")/driver .*/||p" "$LAB/first-look")
	echo "${found:-none}"
}

# The name of an item in the result: a role (by the address that early.conf has), an address, or the name itself.
early_name() {
	case $1 in
	'device '* | 'hugepages '*) echo "$1" ;;
	*) echo "device $(addr "$1")" ;;
	esac
}

# early_value KEY ROLE|NAME: what is written of a device or a pool
early_value() {
	awk -v name="[$(early_name "$2")]" -v key="^$1=" '/^\[/ { here = $0 == name; next } here && sub(key, "")' "$EARLY_RESULT"
}

early_state() { early_value state "$1"; }

early_message() { early_value message "$1"; }

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
