# shellcheck shell=bash
# timeout: 600
#
# The main job: a domain gets its devices when it starts and the host has them back when it has stopped, whatever way
# that happens.

GPU=(gpu0 gpu1 gpu2)

before_everything() {
	install_passthru
	settings '[helper]' idle-exit=2s retry=2s
	remember_host
	start_libvirtd
	define lab-a yes "${GPU[@]}" nvme_a
	define lab-b no "${GPU[@]}" nvme_b
	domain_xml lab-plain no >/tmp/lab-plain.xml && virsh -q define /tmp/lab-plain.xml
}

host_has_drivers() {
	is "$(driver_of gpu0)" bochs-drm 'before: the display has its driver'
	is "$(driver_of gpu1)" snd_hda_intel 'before: the sound has its driver'
	is "$(driver_of gpu2)" xhci_hcd 'before: the USB has its driver'
	drivers_are nvme 'before: the disks have their driver' nvme_a nvme_b
	is "$(passthru status)" 'Nothing is lent.' 'before: nothing is lent'
}

check_is_content() {
	run passthru check
	is "$STATUS" 0 'passthru check: this host is ready' || note "$OUTPUT"
	is "$(passthru check --json | jq -r '.version, .worst' | xargs)" '1 ok' 'passthru check --json says so too'
}

borrower_of_nothing() {
	succeeds 'a domain that borrows nothing starts' start_domain lab-plain
	is "$(helper_state)" inactive '… and the helper is not started for it'
	destroy_domain lab-plain
	is "$(helper_state)" inactive '… nor when it stops'
	# the package is gone, its link is left
	mv /usr/bin/passthru-hook /usr/bin/passthru-hook.gone
	succeeds '… and where the hook leads nowhere' start_domain lab-plain
	destroy_domain lab-plain
	mv /usr/bin/passthru-hook.gone /usr/bin/passthru-hook
}

starts() { # NAME ROLE...
	local name=$1
	shift
	succeeds "$name: starts" start_domain "$name"
	note "virsh start $name: $TOOK s"
	drivers_are vfio-pci "$name: vfio has its devices" "$@"
	is "$(lent_devices "$name")" "$(addrs "$@")" "$name: the state has exactly these devices"
	succeeds "$name: its guest boots from the lent disk" wait_serial "$name"
}

looks_lent() { # while lab-a runs
	is "$(passthru groups --json | jq -r '[.groups[].devices[] | select(.lent_to == "lab-a").address] | sort | join(" ")')" \
		"$(addrs "${GPU[@]}" nvme_a)" 'passthru groups --json says to whom they are lent'
	matches "$(passthru groups)" "$(addr gpu0).*\[lent to lab-a\]" 'passthru groups too'
	matches "$(passthru status)" "$(addr gpu0) +bochs-drm +vfio-pci[^"$'\n'"]* lab-a +lent" 'passthru status has baseline, value, borrower'
	is "$(override_of nvme_a)" vfio-pci 'the override keeps the host from taking it back'
}

log_tells() {
	run passthru log lab-a
	matches "$OUTPUT" "passthru +lend lab-a: $(addr gpu0) 'bochs-drm' → 'vfio-pci" 'passthru log has the steps of the lend'
	matches "$OUTPUT" 'passthru +lend lab-a: done' '… and its end'
	matches "$OUTPUT" 'passthru +return lab-a: done' '… and the return'
	matches "$OUTPUT" ' kernel ' '… and what the kernel said meanwhile'
	is "$(passthru log lab-a --json | jq -r '[.entries[].source] | unique | join(" ")')" 'kernel passthru' 'passthru log --json is valid'
}

# Run by hand as libvirt runs it: standard output would be taken for the domain's new definition.
hook_is_silent() {
	local operation xml out
	xml=$(virsh dumpxml lab-a)
	for operation in 'prepare begin -' 'start begin -' 'started begin -' 'reconnect begin -' 'stopped end -' 'release end -'; do
		# shellcheck disable=SC2086 # three words
		out=$($HOOK lab-a $operation <<<"$xml")
		is "$? $out" '0 ' "the hook succeeds and prints nothing: $operation"
		case $operation in
		prepare*) drivers_are vfio-pci 'the hook alone lends' "${GPU[@]}" nvme_a ;;
		esac
	done
	gives_back 'the hook alone gives back'
}

survives_libvirtd() { # lab-b runs
	local pid
	pid=$(qemu_pid lab-b)
	systemctl restart libvirtd.service
	is "$(state_of lab-b)" running 'libvirtd is restarted: the domain goes on'
	is "$(qemu_pid lab-b)" "$pid" '… as the same process'
	is "$(lent_devices lab-b)" "$(addrs "${GPU[@]}" nvme_b)" '… and keeps its devices'
	succeeds 'the domain obeys the power button of the new libvirtd' stop_domain lab-b
	gives_back '… and the host has its devices back'
}

killed_qemu() {
	starts lab-b "${GPU[@]}" nvme_b
	kill -KILL "$(qemu_pid lab-b)"
	gives_back 'kill -9 of the emulator gives back'
	eventually 10 is_off lab-b
	is "$(state_of lab-b)" 'shut off' '… and libvirt has seen its end'
}

before_everything
host_has_drivers
check_is_content
borrower_of_nothing

starts lab-a "${GPU[@]}" nvme_a
looks_lent
succeeds 'lab-a obeys the power button' stop_domain lab-a
gives_back "managed='yes': drivers and overrides are those of before"
log_tells
hook_is_silent

starts lab-b "${GPU[@]}" nvme_b
survives_libvirtd

succeeds 'lab-a starts again in the new libvirtd' start_domain lab-a
destroy_domain lab-a
gives_back 'virsh destroy gives back'
killed_qemu
succeeds 'the helper leaves when nothing is lent' eventually 10 helper_is inactive
