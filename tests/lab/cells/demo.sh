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
	for role in "${LENT[@]}"; do into[$role]=$(driver_of "$role"); done
}

row() { printf '  %-14s%-26s%-16s%-12s%s' "$@"; }

table() {
	local role
	say "$(row DEVICE '' BEFORE LENT RETURNED)"
	for role in "${LENT[@]}"; do
		say "$(row "$(addr "$role")" "${WHAT[$role]}" "${BEFORE[$role]}" "${DURING[$role]}" "${AFTER[$role]}")"
	done
}

took() { # VERB: milliseconds of the last one, as the helper logged them
	journalctl -q -o json --output-fields=PASSTHRU_USEC PASSTHRU_VERB="$1" DOMAIN=win11 PASSTHRU_STATE=done _SYSTEMD_UNIT=passthru.service |
		jq -r 'select(.PASSTHRU_KIND == null) | .PASSTHRU_USEC' | tail -1 | awk '{ printf "%.0f ms", $1 / 1000 }'
}

# The way from libvirt to the helper and back, when all is lent already: the median of five.
hook_took() {
	local n begin xml
	xml=$(virsh dumpxml win11)
	for n in 1 2 3 4 5; do
		begin=$EPOCHREALTIME
		$HOOK win11 prepare begin - <<<"$xml" || return 1
		awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f ms\n", (b - a) * 1000 }'
	done | sort -n | sed -n 3p
}

prepare() {
	install_passthru
	remember_host
	start_libvirtd
	define win11 yes "${LENT[@]}"
	drivers BEFORE
	say "the machine is up: Debian $(cat /etc/debian_version), Linux $(uname -r), libvirt $(virsh --version), an IOMMU, no script of anyone"
}

lend() {
	succeeds 'the domain starts' start_domain win11
	say "virsh start win11      done after $TOOK s"
	drivers DURING
	HOOK_TOOK=$(hook_took)
	succeeds 'its guest boots from the lent disk' wait_serial win11
	GUEST_SAYS=$(serial_of win11 | tr -d '\r' | grep -a 'nested guest')
	drivers_are vfio-pci 'vfio has the devices' "${LENT[@]}"
}

take_back() {
	succeeds 'the domain obeys the power button' stop_domain win11
	say "virsh shutdown win11   off after $TOOK s"
	gives_back 'the host is as it was'
	drivers AFTER
}

times() {
	say "$(printf '  %-40s%s' 'the devices were lent in' "$(took lend)")"
	say "$(printf '  %-40s%s' 'and taken back in' "$(took return)")"
	say "$(printf '  %-40s%s' 'the hook itself took, devices aside,' "$HOOK_TOOK")"
	say "$(printf '  %-40s%s' 'the serial port of the guest said' "\"$GUEST_SAYS\"")"
}

prepare
lend
take_back
say
table
say
times
