# shellcheck shell=bash
# timeout: 300
#
# What passthru is for, in one table. ../demo shows the notes of this cell that begin with "|" and nothing else.

LENT=(gpu0 gpu1 gpu2 nvme_a)
declare -A WHAT=([gpu0]='graphics card: display' [gpu1]='graphics card: sound' [gpu2]='graphics card: USB' [nvme_a]='NVMe disk')
declare -A BEFORE DURING AFTER

say() { note "|$*"; }

drivers() { # ARRAY: fills it with the driver of each device
	local -n into=$1
	local role
	# shellcheck disable=SC2034 # it is the caller's array
	for role in "${LENT[@]}"; do into["$role"]=$(driver_of "$role"); done
}

# logged VERB [ADDRESS]: milliseconds of a device, or of all; the first record, for hook_took lends what is lent already
logged() {
	journalctl -q -o json PASSTHRU_VERB="$1" DOMAIN=win11 ${2:+DEVICE="$2"} |
		jq -r --arg step "${2:+1}" 'select((.PASSTHRU_KIND != null) == ($step != "")) | .PASSTHRU_USEC' |
		head -n 1 | awk '{ printf "%.0f ms", $1 / 1000 }'
}

row() { say "$(printf '  %-14s%-26s%-16s%-9s%8s    %-14s%8s' "$@" | sed 's/ *$//')"; }

table() {
	local role a
	row DEVICE '' BEFORE LENT '' RETURNED ''
	for role in "${LENT[@]}"; do
		a=$(addr "$role")
		row "$a" "${WHAT[$role]}" "${BEFORE[$role]}" "${DURING[$role]}" "$(logged lend "$a")" "${AFTER[$role]}" "$(logged return "$a")"
	done
	row '' 'all, with every check' '' '' "$(logged lend)" '' "$(logged return)"
	row '' 'added by the hook' '' '' "$HOOK_TOOK" '' ''
}

# The way from libvirt to the helper and back, when all is lent already: the median of five.
hook_took() {
	local begin xml
	xml=$(virsh dumpxml win11)
	for _ in 1 2 3 4 5; do
		begin=$EPOCHREALTIME
		$HOOK win11 prepare begin - <<<"$xml" || return 1
		awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f ms\n", (b - a) * 1000 }'
	done | sort -n | sed -n 3p
}

prepare() {
	install_passthru
	remember_host
	start_libvirtd
	define win11 yes "${LENT[@]}" # as virt-manager does; libvirt leaves alone what it finds with vfio
	drivers BEFORE
	say "it is up: Debian $(cat /etc/debian_version), Linux $(uname -r), libvirt $(virsh --version); passthru is installed"
}

lend() {
	succeeds 'the domain starts' start_domain win11
	STARTED=$TOOK
	say 'virsh start win11'
	drivers DURING
	HOOK_TOOK=$(hook_took)
	succeeds 'its guest boots from the lent disk' wait_serial win11
	GUEST_SAYS=$(serial_of win11 | tr -d '\r' | grep -a 'nested guest')
	drivers_are vfio-pci 'vfio has the devices' "${LENT[@]}"
}

take_back() {
	succeeds 'the domain obeys the power button' stop_domain win11
	STOPPED=$TOOK
	say 'virsh shutdown win11'
	gives_back 'the host is as it was'
	drivers AFTER
}

outside() {
	local virtual=''
	[ "$(systemd-detect-virt)" != qemu ] || virtual=' (an emulated processor: real ones are faster)'
	say "  start to running $STARTED s, shutdown to off $STOPPED s$virtual"
	say "  the guest's serial port: $GUEST_SAYS"
}

prepare
lend
take_back
say ''
table
say ''
outside
