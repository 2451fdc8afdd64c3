# shellcheck shell=bash
# timeout: 900
# memory: 3G
# smp: 4
# nodes: 2
# environment: KILLS SEED
#
# Huge pages arrive with a domain and leave with it, on the node that it names; other people's stay.

KILLS=${KILLS:-30} SEED=${SEED:-$RANDOM}

pools_are_back() { [ "$(pools)" = "$POOLS" ] && [ "$(passthru status)" = 'Nothing is lent.' ]; }

memory_is_back() { # TEXT: libvirt says "shut off" before its hook is through
	eventually 20 pools_are_back
	if pools_are_back; then ok "$1"; else not_ok "$1" "$(diff <(echo "$POOLS") <(pools))"$'\n'"$(passthru status)"; fi
}

before_everything() {
	install_passthru
	settings '[helper]' idle-exit=1h retry=1s
	is "$(cat /sys/devices/system/node/has_memory)" 0-1 'the machine has two nodes'
	mountpoint -q /dev/hugepages || mount -t hugetlbfs hugetlbfs /dev/hugepages
	set_pages 0 10
	POOLS=$(pools)
	start_libvirtd
	# 64 MiB are 32 pages
	EXTRA=$(hugepages_xml 1) define lab-m no nvme_a
	EXTRA=$(hugepages_xml 0) define lab-n no nvme_b
}

a_domain_on_node_1() {
	succeeds 'a domain with huge pages of node 1 starts' start_domain lab-m
	note "virsh start: $TOOK s"
	is "$(pages 1) $(free_pages 1)" '32 0' '… the pages are there, and the domain has them'
	is "$(pages 0) $(free_pages 0)" '10 10' '… the other node has what it had'
	matches "$(passthru status)" 'node1/hugepages-2048kB +0 +32 +lab-m' '… status has baseline, value, borrower'
	succeeds '… its guest boots' wait_serial lab-m
	succeeds '… it obeys the power button' stop_domain lab-m
	memory_is_back '… and the pages are back'
}

two_domains_overlap() {
	succeeds 'one domain starts' start_domain lab-m
	succeeds 'and another, on the node that has free pages' start_domain lab-n
	is "$(pages 0) $(pages 1)" '32 32' '… of which only what was missing was added'
	destroy_domain lab-m
	eventually 20 test "$(pages 1)" = 0
	is "$(pages 0) $(pages 1)" '32 0' 'the first one ends: its pages go, the other keeps its own'
	echo $(($(pages 0) + 5)) >/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages
	destroy_domain lab-n
	eventually 20 test "$(pages 0)" = 15
	is "$(pages 0)" 15 '… and what somebody added meanwhile stays'
	set_pages 0 10
	memory_is_back 'all is as before'
}

killed_domain() {
	start_domain lab-m && kill -KILL "$(qemu_pid lab-m)"
	memory_is_back 'kill -9 of the emulator gives the pages back'
	start_domain lab-m && systemctl restart libvirtd.service
	destroy_domain lab-m
	memory_is_back 'so does a stop after a restart of libvirtd'
}

too_much() {
	local almost
	MEMORY_MIB=8192 EXTRA=$(hugepages_xml 1) define lab-big no nvme_a
	fails_with 'node 1, which lacks 4096 of them' 'more memory than the host has is refused' start_domain lab-big
	is "$(driver_of nvme_a)" nvme '… before anything is touched'
	virsh -q undefine lab-big
	# all of the node but 4 MiB: the kernel itself has more there
	almost=$(awk '/MemTotal/ { print int($4 / 2048) * 2 - 4 }' /sys/devices/system/node/node1/meminfo)
	MEMORY_MIB=$almost EXTRA=$(hugepages_xml 1) define lab-big no nvme_a
	fails_with 'node 1 has [0-9]+ of [0-9]+ pages of 2 MiB after.*Largest users of memory: .*nothing was lent' \
		'more than can be had is not lent, with the numbers' start_domain lab-big
	note "it took $TOOK s"
	memory_is_back '… and what was got is given back'
	EXTRA=$(hugepages_xml 5) domain_xml lab-big no nvme_a >/tmp/lab-big.xml
	# libvirt itself knows the nodes: asked without it
	fails_with 'memory of node 5, which this host does not have' 'a node that does not exist is refused' \
		sh -c '/usr/bin/passthru-hook lab-big prepare begin - </tmp/lab-big.xml'
	virsh -q undefine lab-big
}

in_use_at_the_return() {
	/usr/bin/passthru-hook lab-m prepare begin - </tmp/lab-m.xml
	is "$(pages 1)" 32 'the hook alone lends'
	python3 - <<-'X' &
		import mmap, time
		m = mmap.mmap(-1, 20 << 21, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | 0x40000)
		for i in range(20): m[i << 21] = 1
		time.sleep(600)
	X
	local pid=$!
	eventually 10 test "$(($(free_pages 0) + $(free_pages 1)))" = 22
	sleep 1
	run passthru return lab-m
	note "$OUTPUT"
	kill $pid
	wait $pid
	memory_is_back 'pages that somebody used at the return come back when they are free'
}

gigantic() {
	local before
	before=$(pages 1 1048576)
	MEMORY_MIB=1024 EXTRA=$(hugepages_xml 1 1 G) domain_xml lab-g no nvme_a >/tmp/lab-g.xml
	if run sh -c '/usr/bin/passthru-hook lab-g prepare begin - </tmp/lab-g.xml'; then
		is "$(pages 1 1048576)" $((before + 1)) 'a page of 1 GiB is had at run time'
		succeeds '… and returned' passthru return lab-g
	else
		matches "$OUTPUT" 'pages of 1 GiB.*nothing was lent' 'a page of 1 GiB cannot be had here, and the error says so'
	fi
	memory_is_back '… and all is as before'
}

kept() {
	profile lab-m '[domain]' hugepages-keep=always
	start_domain lab-m && destroy_domain lab-m
	eventually 20 test "$(passthru status)" = 'Nothing is lent.'
	is "$(pages 1)" 32 'with hugepages-keep=always they stay'
	start_domain lab-m && destroy_domain lab-m
	eventually 20 test "$(passthru status)" = 'Nothing is lent.'
	is "$(pages 1)" 32 '… and are used by the next start'
	rm /etc/passthru/domains/lab-m.conf
	set_pages 1 0
	memory_is_back 'all is as before'
}

helper_killed() {
	local n job failed=0 at
	note "seed $SEED"
	RANDOM=$SEED
	for ((n = 1; n <= KILLS; n++)); do
		at=$((RANDOM % 150))
		{ /usr/bin/passthru-hook lab-m prepare begin - </tmp/lab-m.xml || true; } >/dev/null 2>&1 &
		job=$!
		sleep "0.$(printf %03d $at)"
		systemctl kill -s KILL passthru.service
		wait $job
		eventually 20 systemctl -q is-active passthru.service
		if ! run passthru return lab-m || ! eventually 10 pools_are_back; then
			failed=$((failed + 1))
			not_ok "kill $n, $at ms after the request" "$OUTPUT"$'\n'"$(passthru status)"$'\n'"$(diff <(echo "$POOLS") <(pools))"
		fi
	done
	is "$failed" 0 "the helper is killed at $KILLS random moments: after the next request nothing is left over"
}

before_everything
a_domain_on_node_1
two_domains_overlap
killed_domain
too_much
in_use_at_the_return
gigantic
kept
helper_killed
