# shellcheck shell=bash
# topology: full
# timeout: 3000
# memory: 3G
# environment: ROUNDS
#
# Figures from a machine with a real libvirt: what a hook adds to virsh start, what the hooks cost alone, what
# detaching takes. tests/bench/run puts tutorial.sh in front of this and reads the lines "sample LABEL VALUE".

ROUNDS=${ROUNDS:-5}
FIVE=(nvme_a nvme_b nvme_c nvme_d nvme_e)
BORROWED=(gpu0 gpu1 gpu2 nvme_a nvme_b)
HOOKS=/etc/libvirt/hooks
PARKED=/root/hooks

sample() { note "sample $1 $2"; }

# milliseconds COMMAND...: into MS; what fails ends the cell
milliseconds() {
	local begin=$EPOCHREALTIME
	"$@" >/dev/null || not_ok "$* succeeds" || exit
	MS=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", (b - a) * 1000 }')
}

# The time that all CPUs worked since boot, in ms: no process escapes it, libvirtd and the helper included.
busy() { awk '$1 == "cpu" { print ($2 + $3 + $4 + $7 + $8) * 10; exit }' /proc/stat; }

nodedevs() {
	local role a
	for role; do
		a=$(addr "$role")
		a=${a//:/_}
		echo "pci_${a//./_}"
	done
}

# A hook that libvirt sees or not: it looks at each start of a domain.
hook() { # none|raw|theirs|ours
	rm -rf $HOOKS/qemu $HOOKS/qemu.d
	mkdir -p $HOOKS/qemu.d
	case $1 in
	theirs) cp -a $PARKED/theirs/. $HOOKS/ ;;
	raw) cp -a $PARKED/raw $HOOKS/qemu.d/ ;;
	ours) cp -a $PARKED/50-passthru $HOOKS/qemu.d/ ;;
	esac
}

each() { # COMMAND ROLE...: command is called with the role and a driver
	local role driver=$1
	shift
	for role; do rebind "$role" "$driver"; done
}

start_once() { # none|raw|theirs|ours
	hook "$1"
	[ "$1" != none ] || each vfio-pci "${BORROWED[@]}"
	milliseconds start_domain bench
	sample "start-$1" "$MS"
	[ "$1$round" != ours0 ] || note "references to vfio_pci while a domain runs: $(cat /sys/module/vfio_pci/refcnt)"
	drivers_are vfio-pci "virsh start with hook: $1" "${BORROWED[@]}"
	destroy_domain bench
	[ "$1" != none ] || each none "${BORROWED[@]}"
	eventually 30 is_at_baseline || nothing_lent "$1: all is given back"
}

both() { # PROGRAM: the hook's two calls
	[ "$1" != raw ] || { raw_both && return; }
	"$1" bench prepare begin - </tmp/bench.xml && "$1" bench release end - </tmp/bench.xml
}

hook_once() { # LABEL PROGRAM
	local before
	before=$(busy)
	milliseconds both "$2"
	sample "hook-wall-$1" "$MS"
	sample "hook-cpu-$1" $(($(busy) - before))
	is_at_baseline || nothing_lent "$1 alone: all is given back"
}

# The writes of a rebind and nothing else: no process is started.
raw() { # vfio-pci|'' ADDR...
	local override=$1 a
	shift
	for a; do
		echo "$override" >"/sys/bus/pci/devices/$a/driver_override"
		echo "$a" >"/sys/bus/pci/devices/$a/driver/unbind"
		echo "$a" >/sys/bus/pci/drivers_probe
	done
}

# A hook that makes these writes and no checks: slots in parallel, the functions of each in passthru's order.
raw_hook() {
	declare -f raw
	cat <<-'X'
		case $2 in
		prepare) override=vfio-pci order=-r ;;
		release) override='' order= ;;
		*) exit 0 ;;
		esac
		for slot in $(printf '%s\n' $addresses | cut -d. -f1 | sort -u); do
			raw "$override" $(printf '%s\n' $addresses | grep "^$slot" | sort $order) &
		done
		wait
	X
}

# shellcheck disable=SC2086 # a word each
raw_both() { raw vfio-pci $BORROWED_ADDRS && raw '' $BORROWED_ADDRS; }
# shellcheck disable=SC2086
raw_five() { raw "$1" $FIVE_ADDRS; }

lend_time() { # the helper's own time for the last N lends, in ms
	journalctl -q -o json --no-pager -t passthru-helper PASSTHRU_VERB=lend PASSTHRU_STATE=done -n 200 |
		jq -s --argjson n "$1" \
			'[.[] | select(.PASSTHRU_KIND == null) | .PASSTHRU_USEC | tonumber][-$n:] | add / 1000'
}

lend_five() { passthru lend five; }
return_five() { passthru return five; }
lend_each() { for role in "${FIVE[@]}"; do passthru lend "one-$role" || return; done; }
return_each() { for role in "${FIVE[@]}"; do passthru return "one-$role" || return; done; }
override_each() { for a in $FIVE_ADDRS; do driverctl --nosave set-override "$a" vfio-pci || return; done; }
unset_each() { for a in $FIVE_ADDRS; do driverctl --nosave unset-override "$a" || return; done; }

detach_once() {
	milliseconds raw_five vfio-pci && sample detach-raw "$MS" && raw_five ''
	milliseconds lend_five && sample detach-passthru "$MS" && sample detach-parallel "$(lend_time 1)"
	helper_memory
	milliseconds return_five && sample attach-passthru "$MS"
	milliseconds lend_each && sample detach-serial "$(lend_time 5)" && return_each
	milliseconds override_each && sample detach-driverctl "$MS"
	milliseconds unset_each && sample attach-driverctl "$MS"
	eventually 30 is_at_baseline || nothing_lent 'detaching by itself: all is given back'
}

helper_memory() {
	local pid
	pid=$(helper_pid)
	sample helper-rss-kib "$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status")"
	sample helper-pss-kib "$(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup")"
}

prepare_all() {
	local role
	install_passthru
	settings '[helper]' idle-exit=1h
	systemctl start systemd-journald.service
	modprobe vfio-pci
	mkdir -p $PARKED
	mv $HOOKS/qemu.d/50-passthru $PARKED/
	# shellcheck disable=SC2046 # a word each
	tutorial_install $PARKED/theirs bench '' bind 0 $(nodedevs "${BORROWED[@]}")
	hook ours
	device_profile five "${FIVE[@]}"
	for role in "${FIVE[@]}"; do device_profile "one-$role" "$role"; done
	remember_host
	start_libvirtd
	define bench no "${BORROWED[@]}"
	FIVE_ADDRS=$(addrs "${FIVE[@]}")
	BORROWED_ADDRS=$(addrs "${BORROWED[@]}")
	{ printf '#!/bin/bash\naddresses="%s"\n' "$BORROWED_ADDRS" && raw_hook; } >$PARKED/raw
	chmod 755 $PARKED/raw
	note "guest Linux $(uname -r), $(nproc) CPUs, $(virsh --version | sed 's/^/libvirt /'), $(systemd-detect-virt) \
(qemu: emulated)"
	# the first start of a domain fills caches
	hook none
	each vfio-pci "${BORROWED[@]}"
	start_domain bench && destroy_domain bench
	note "references to vfio_pci with nothing running: $(cat /sys/module/vfio_pci/refcnt)"
	each none "${BORROWED[@]}"
}

prepare_all
for ((round = 0; round < ROUNDS; round++)); do
	# theirs unloads vfio-pci at its end, and raw loads nothing
	for which in none raw theirs ours; do start_once $which; done
done
hook theirs
for ((round = 0; round < ROUNDS; round++)); do
	hook_once theirs $HOOKS/qemu
	hook_once ours $PARKED/50-passthru
	hook_once raw raw
done
for ((round = 0; round < ROUNDS; round++)); do detach_once; done
