# shellcheck shell=bash
# topology: full
# timeout: 400
#
# IOMMU groups that hold more than was asked for.

ports_stay() { # ROLE: the bridges above it are with their driver
	local dir
	dir=$(dirname "$(realpath "$(sysfs_of "$1")")")
	while [[ ${dir##*/} == ????:??:??.? ]]; do
		is "$(driver_of "${dir##*/}")" pcieport "$1: the port ${dir##*/} above it stays with the host"
		dir=$(dirname "$dir")
	done
}

# comes_along ASKED OTHER: by the policy that is the default
comes_along() {
	succeeds "$1 alone is asked for" passthru lend lab-x --device "$(addr "$1")"
	drivers_are vfio-pci '… its sibling comes along' "$1" "$2"
	is "$(lent_devices lab-x)" "$(addrs "$1" "$2")" '… and the state has both'
	ports_stay "$1"
	succeeds '… both are given back' passthru return lab-x
	nothing_lent '… as they were'
}

strict_names_the_sibling() { # ASKED OTHER
	fails_with "$(addr "$2")" "$1, strictly: refused with the sibling named" \
		passthru lend lab-x --device "$(addr "$1")" --group strict
	nothing_lent '… and nothing is lent'
}

strict_when_all_are_named() {
	succeeds 'strictly, with all of the group named: lent' passthru lend lab-x --group strict \
		--device "$(addr shared_nvme)" --device "$(addr shared_nic)"
	run passthru return lab-x
	nothing_lent '… and given back'
}

sibling_in_use() {
	local nic
	nic=$(net_of shared_nic)
	ip link set "$nic" up && ip address add 192.0.2.1/24 dev "$nic" && ip route add default via 192.0.2.2 dev "$nic"
	fails_with "$(addr shared_nic).*default route" 'a sibling in use keeps the group with the host' \
		passthru lend lab-x --device "$(addr shared_nvme)"
	nothing_lent '… and nothing is lent'
	ip route del default
	ip address flush dev "$nic"
	ip link set "$nic" down
}

domain_with_half_a_group() {
	start_libvirtd
	define lab-g yes shared_nvme
	profile lab-g '[domain]' group=strict
	fails_with "$(addr shared_nic)" 'group=strict in the profile: the domain does not start' start_domain lab-g
	nothing_lent '… and nothing is lent'
	rm /etc/passthru/domains/lab-g.conf
	succeeds 'a domain with one function of the group starts: VFIO finds the group whole' start_domain lab-g
	is "$(lent_devices lab-g)" "$(addrs shared_nvme shared_nic)" '… with both lent'
	succeeds '… and its guest boots from it' wait_serial lab-g
	succeeds '… and obeys the power button' stop_domain lab-g
	gives_back '… then the host has both back'
}

display_without_vga() {
	succeeds 'a display with a driver of the kernel is lent' passthru lend lab-x --device "$(addr display_b)"
	drivers_are vfio-pci '… to vfio' display_b
	run passthru return lab-x
	nothing_lent '… and given back'
}

install_passthru
settings '[helper]' idle-exit=60s
remember_host

comes_along shared_nvme shared_nic
strict_names_the_sibling shared_nvme shared_nic
strict_when_all_are_named
sibling_in_use
comes_along switch_nvme switch_usb
comes_along switch_usb switch_nvme
strict_names_the_sibling switch_usb switch_nvme
display_without_vga
domain_with_half_a_group
