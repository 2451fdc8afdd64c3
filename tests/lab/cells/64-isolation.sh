# shellcheck shell=bash
# timeout: 900
# memory: 3G
# smp: 4
# nodes: 2
# cpufreq: yes
#
# A domain with huge pages on node 1, pinned, at full speed and alone on its CPUs; then the host as it was.

is_as_before() {
	[ "$(diff <(echo "$CPU_FILES") <(cpu_files) | grep -v '^[0-9]')" = '' ] && [ "$(pools)" = "$POOLS" ] &&
		[ "$(passthru status)" = 'Nothing is lent.' ]
}

as_before() { # TEXT
	eventually 20 is_as_before
	if is_as_before; then ok "$1"; else
		not_ok "$1" "$(diff <(echo "$CPU_FILES") <(cpu_files))"$'\n'"$(diff <(echo "$POOLS") <(pools))"$'\n'"$(passthru status)"
	fi
}

before_everything() {
	install_passthru
	settings '[helper]' idle-exit=1h retry=1s
	mountpoint -q /dev/hugepages || mount -t hugetlbfs hugetlbfs /dev/hugepages
	eventually 10 test -e /sys/devices/system/cpu/cpufreq/policy3 || modprobe acpi-cpufreq
	for f in /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; do echo powersave >"$f"; done
	# a slice of somebody's own, with something in it
	systemd-run -q --slice=own.slice --unit=lab-own sleep 10000
	start_libvirtd
	POOLS=$(pools)
	VCPUS=2 EXTRA="$(pins_xml 2 3)$(hugepages_xml 1)" define lab-i no nvme_a
	EXTRA=$(pins_xml 3) define lab-j no nvme_b
	EXTRA=$(pins_xml 7) domain_xml lab-off no nvme_b >/tmp/lab-off.xml
	profile lab-i '[domain]' governor=performance isolate=yes
	profile lab-j '[domain]' governor=performance isolate=yes
	# machine.slice comes with the first domain, and drivers may come and go with the devices: not isolated yet
	rm /etc/passthru/domains/lab-i.conf
	start_domain lab-i && destroy_domain lab-i
	eventually 20 test "$(passthru status)" = 'Nothing is lent.'
	profile lab-i '[domain]' governor=performance isolate=yes
	CPU_FILES=$(cpu_files)
	is "$(governors)" 'powersave powersave powersave powersave' 'before: the clock is slow'
	is "$(cpus_of system.slice) $(cpus_of own.slice)" '0-3 0-3' 'before: the host works on all CPUs'
}

a_domain_alone_on_its_cpus() {
	succeeds 'a domain with huge pages, pinned, fast and isolated starts' start_domain lab-i
	note "virsh start: $TOOK s"
	is "$(pages 0) $(pages 1)" '0 32' '… its pages are on node 1'
	is "$(governors)" 'powersave powersave performance performance' '… its CPUs are fast, the others are not'
	for unit in system.slice user.slice init.scope own.slice; do
		[ ! -d /sys/fs/cgroup/$unit ] || is "$(cpus_of $unit)" 0-1 "… $unit stays off its CPUs"
	done
	is "$(cpus_of machine.slice)" 0-3 '… machine.slice does not'
	is "$(cat /sys/devices/virtual/workqueue/cpumask) $(cat /proc/irq/default_smp_affinity)" '3 3' '… nor do unbound workers and new interrupts'
	is "$(strays '2|3|2-3' | xargs)" '' '… no task of the host is there'
	matches "$(passthru status)" "policy2 +powersave +performance +lab-i" 'status has the governor'
	matches "$(passthru status)" "system.slice +all +0-1 +lab-i" '… and the slices'
	note "interrupts that stay: $(passthru status --json | jq -r '[.knobs[] | select(.state == "declined") | .name] | join(" ")')"
	is "$(passthru status --json | jq '[.knobs[] | select(.state == "pending")] | length')" 0 '… and nothing is pending'
	systemctl daemon-reload
	sleep 1
	is "$(cpus_of system.slice)" 0-1 'a daemon-reload undoes nothing'
	succeeds 'its guest boots' wait_serial lab-i
	destroy_domain lab-i
	as_before 'it ends: every file is as it was'
	systemctl daemon-reload
	sleep 1
	as_before '… also after a daemon-reload'
}

two_overlap() {
	start_domain lab-i
	succeeds 'a second domain starts' start_domain lab-j
	is "$(cpus_of system.slice)" 0-1 'the host keeps what both leave'
	destroy_domain lab-i
	eventually 20 test "$(cpus_of system.slice)" = 0-2
	is "$(cpus_of system.slice) $(governors)" '0-2 powersave powersave powersave performance' 'the first ends: its CPU is back, the shared one is not'
	destroy_domain lab-j
	as_before 'the second ends: every file is as it was'
}

ends_of_all_kinds() {
	start_domain lab-i && kill -KILL "$(qemu_pid lab-i)"
	as_before 'kill -9 of the emulator: every file is as it was'
	start_domain lab-i && systemctl restart libvirtd.service
	destroy_domain lab-i
	as_before 'a restart of libvirtd in between: every file is as it was'
	start_domain lab-i && echo ondemand >/sys/devices/system/cpu/cpufreq/policy2/scaling_governor
	destroy_domain lab-i
	eventually 20 test "$(passthru status)" = 'Nothing is lent.'
	is "$(governors)" 'powersave powersave ondemand powersave' 'what somebody else set meanwhile stays'
	echo powersave >/sys/devices/system/cpu/cpufreq/policy2/scaling_governor
}

lent_nothing() { passthru status --json | jq -e '.leases == []' >/dev/null; }

cpu_goes_away() {
	start_domain lab-j
	echo 0 >/sys/devices/system/cpu/cpu3/online
	destroy_domain lab-j
	eventually 20 lent_nothing
	matches "$(passthru status)" 'policy3 .*its CPUs are offline' 'a CPU that went offline meanwhile: its clock waits, and status says so'
	is "$(passthru status --json | jq '.knobs | length')" 1 '… all else is given back'
	echo 1 >/sys/devices/system/cpu/cpu3/online
	as_before '… and the rest when the CPU is back'
	is "$(cpus_of system.slice)" 0-3 '… with all CPUs for the host'
}

refusals() {
	profile lab-off '[domain]' isolate=yes
	fails_with 'pinned to CPU 7, which this host does not have' 'a CPU that is not there is refused' \
		sh -c '/usr/bin/passthru-hook lab-off prepare begin - </tmp/lab-off.xml'
	profile lab-i '[domain]' governor=turbo
	fails_with 'governor=turbo: policy2 of this host has:' 'a governor that is not there is refused' start_domain lab-i
	profile lab-i '[domain]' isolate=yes
	EXTRA=$(pins_xml 0-3) domain_xml lab-all no nvme_b >/tmp/lab-all.xml
	profile lab-all '[domain]' isolate=yes
	fails_with 'every CPU of the host' 'the last CPU is refused' sh -c '/usr/bin/passthru-hook lab-all prepare begin - </tmp/lab-all.xml'
	is "$(passthru status)" 'Nothing is lent.' '… and nothing is lent'
	is "$(driver_of nvme_b)" nvme '… nor was anything touched'
}

before_everything
a_domain_alone_on_its_cpus
two_overlap
ends_of_all_kinds
cpu_goes_away
refusals
