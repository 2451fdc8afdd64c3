# shellcheck shell=bash
# PCI devices by role. A role is a path of slots below the root complex (the table is in topology.sh), which stays the
# same whatever numbers the buses get and whatever driver is bound.

roles() { cut -d' ' -f1 "$LAB/roles"; }

addr() { # ROLE: 0000:bb:dd.f; an address is passed through
	local path dir=/sys/devices/pci0000:00 step next
	case $1 in
	*:*:*.*)
		echo "$1"
		return
		;;
	esac
	path=$(awk -v role="$1" '$1 == role { print $2 }' "$LAB/roles")
	[ -n "$path" ] || return 1
	for step in ${path//\// }; do
		next=$(echo "$dir"/0000:??:"$step")
		[ -d "$next" ] || return 1
		dir=$next
	done
	echo "${dir##*/}"
}

sysfs_of() { # ROLE|ADDR: its folder
	echo "/sys/bus/pci/devices/$(addr "$1")"
}

driver_of() { # ROLE|ADDR: the driver's name, or "none"
	local link
	if link=$(readlink "$(sysfs_of "$1")/driver"); then echo "${link##*/}"; else echo none; fi
}

is_bound() { # ROLE|ADDR DRIVER
	[ "$(driver_of "$1")" = "$2" ]
}

# A driver that gives the device to a domain: any that registers with vfio, not only the one called vfio-pci.
is_lent() { # ROLE|ADDR
	[ -d "$(sysfs_of "$1")/vfio-dev" ] || is_bound "$1" vfio-pci
}

override_of() { # ROLE|ADDR: "(null)" where there is none
	cat "$(sysfs_of "$1")/driver_override"
}

is_reserved() { # ROLE|ADDR: since the initramfs
	grep -qx "$(addr "$1")/driver_override:vfio-pci" "$LAB/first-look"
}

group_of() { # ROLE|ADDR: the number
	local link
	link=$(readlink "$(sysfs_of "$1")/iommu_group") && echo "${link##*/}"
}

members_of() { # GROUP: the addresses, sorted, on one line
	(cd /sys/kernel/iommu_groups/"$1"/devices && echo *)
}

addrs() { # ROLE...: the addresses on one line, sorted
	local role
	for role; do addr "$role"; done | sort | xargs
}

block_of() { # ROLE: the disk's device file, e.g. /dev/nvme0n1, while the host has it
	local dir
	for dir in "$(sysfs_of "$1")"/nvme/nvme*/nvme*n1; do
		[ -d "$dir" ] && echo "/dev/${dir##*/}"
	done
}

net_of() { # ROLE: the interface's name, while the host has it
	local dir
	for dir in "$(sysfs_of "$1")"/net/*; do
		[ -d "$dir" ] && echo "${dir##*/}"
	done
}

rebind() { # ROLE|ADDR DRIVER|none: by hand, without passthru and libvirt; "none" clears the override and probes
	local a dir override
	a=$(addr "$1") dir=$(sysfs_of "$1") override=$2
	[ "$2" != none ] || override=
	[ ! -d "/sys/bus/pci/drivers/$2" ] && [ -n "$override" ] && modprobe "$2"
	echo "$override" >"$dir/driver_override"
	[ ! -e "$dir/driver" ] || echo "$a" >"$dir/driver/unbind"
	echo "$a" >/sys/bus/pci/drivers_probe
}
