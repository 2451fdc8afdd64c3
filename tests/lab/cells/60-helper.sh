# shellcheck shell=bash
# timeout: 600
#
# The helper: who may ask, what it is asked, when it comes and goes, and what it does when nobody asks.

varlink() { # JSON: the replies, a line each
	{ printf '%s\0' "$1"; } | socat -t 10 - "UNIX-CONNECT:$HELPER_SOCKET" | tr '\0' '\n'
}

reply_of() { # METHOD [PARAMETERS]
	varlink "{\"method\":\"$1\",\"parameters\":${2:-{\}}}"
}

# A frame over the limit: the helper answers and leaves before it has read all, which socat takes for the end.
oversized() {
	python3 - "$HELPER_SOCKET" <<-'X'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect(sys.argv[1])
		try:
		    s.sendall(b"x" * 600000 + b"\0")
		except BrokenPipeError:
		    pass
		print(s.recv(4096).decode())
	X
}

comes_and_goes() {
	settings '[helper]' idle-exit=2s retry=2s
	is "$(helper_state)" inactive 'before the first request there is no helper'
	reply_of org.varlink.service.GetInfo >/dev/null
	is "$(helper_state)" active 'the first request starts it'
	succeeds 'it leaves when nothing is lent' eventually 10 helper_is inactive
	run passthru lend lab-h
	sleep 4
	is "$(helper_state)" active 'it stays while something is lent'
	run passthru return lab-h
	succeeds 'it leaves after the last return' eventually 10 helper_is inactive
}

socket_is_of_root() {
	is "$(stat -c '%U %a' "$HELPER_SOCKET")" 'root 600' 'the socket is of root alone'
	is "$(stat -c '%U %a' /run/passthru)" 'root 700' 'so is its folder'
	fails_with 'Permission denied' 'another user does not reach it' as_nobody socat -u /dev/null "UNIX-CONNECT:$HELPER_SOCKET"
	fails_with 'only root' 'passthru says so' as_nobody passthru lend --device "$(addr nvme_b)"
	chmod 755 /run/passthru && chmod 666 "$HELPER_SOCKET"
	matches "$(as_nobody socat -t 10 - "UNIX-CONNECT:$HELPER_SOCKET" < <(printf '{"method":"org.passthru.Status"}\0') | tr -d '\0')" \
		'org.passthru.PermissionDenied' 'where the socket was opened to all, the helper looks itself'
	chmod 700 /run/passthru && chmod 600 "$HELPER_SOCKET"
}

introspection() {
	is "$(reply_of org.varlink.service.GetInfo | jq -r '.parameters | .product, (.interfaces | sort | join(" "))' | xargs)" \
		'passthru org.passthru org.varlink.service' 'GetInfo names the interfaces'
	matches "$(reply_of org.varlink.service.GetInterfaceDescription '{"interface":"org.passthru"}' | jq -r .parameters.description)" \
		'interface org.passthru.*method Lend\(' 'GetInterfaceDescription describes the methods'
	is "$(reply_of org.passthru.Status | jq -c .parameters)" '{"leases":[],"knobs":[]}' 'Status replies'
}

bad_input() {
	local pid
	pid=$(helper_pid)
	is "$(reply_of org.passthru.Destroy | jq -r .error)" org.varlink.service.MethodNotFound 'an unknown method is an error'
	is "$(reply_of com.example.Do | jq -r .error)" org.varlink.service.InterfaceNotFound 'an unknown interface is an error'
	is "$(reply_of org.passthru.Return '{"domain":"../../etc/passwd"}' | jq -r .error)" org.passthru.InvalidRequest \
		'a name that is a path is an error'
	is "$(reply_of org.passthru.Lend '{"domain":"a","devices":[],"command":"id"}' | jq -r .error)" org.passthru.InvalidRequest \
		'an unknown field is an error'
	matches "$(varlink 'GET / HTTP/1.1')" '"error"' 'garbage is an error'
	matches "$(oversized)" '"error"' 'a frame over the limit is an error'
	printf '{"method":"org.pass' | socat -u - "UNIX-CONNECT:$HELPER_SOCKET"
	is "$(helper_pid)" "$pid" '… and the helper lives through all that'
	nothing_lent '… and nothing is lent'
}

memory() {
	local process resident anonymous
	process=$(cat /proc/"$(helper_pid)"/status)
	resident=$(awk '/^VmRSS/ { print $2 }' <<<"$process") anonymous=$(awk '/^RssAnon/ { print $2 }' <<<"$process")
	note "the resident helper: $resident KiB in memory, $anonymous KiB of them its own"
	is "$((resident < 5120))" 1 'the resident helper takes less than 5 MiB'
}

sandbox() {
	local process
	process=$(cat /proc/"$(helper_pid)"/status)
	matches "$process" 'NoNewPrivs:.1' 'the sandbox: no new privileges'
	matches "$process" 'Seccomp:.2' '… a filter of system calls'
	is "$(awk '/^CapBnd/ { print $2 }' <<<"$process")" 0000000000090004 '… three capabilities'
	is "$(systemctl show passthru.service -p ProtectSystem -p DevicePolicy -p MemoryDenyWriteExecute | sort | xargs)" \
		'DevicePolicy=closed MemoryDenyWriteExecute=yes ProtectSystem=strict' '… nothing to write but /run/passthru and /sys, no device nodes'
	note "$(systemd-analyze security passthru.service | tail -1)"
}

idle_and_killed() { # while something is lent
	local pid
	pid=$(helper_pid)
	kill -KILL "$pid"
	succeeds 'killed while idle: it comes back by itself' eventually 10 helper_is active
	is_not "$(helper_pid)" "$pid" '… as another process'
	is "$(lent_devices lab-h)" "$(addrs nic_a nvme_b)" '… what was lent still is'
	drivers_are vfio-pci '… with vfio' nic_a nvme_b
}

gives_back_by_itself() {
	succeeds 'lend --for 3' passthru lend lab-h --for 3
	drivers_are vfio-pci '… lends' nic_a nvme_b
	gives_back '… and it comes back without a request'
}

rehearsals() {
	local pid
	succeeds 'rehearse --hold 2' passthru rehearse lab-h --hold 2
	matches "$OUTPUT" 'verified +2 values.*Rehearsed: everything was lent, verified and given back' '… says what it did'
	is "$(awk -v t="$TOOK" 'BEGIN { print (t >= 2) }')" 1 '… and held it'
	nothing_lent '… and has given back'
	passthru rehearse lab-h --hold 2 &
	pid=$!
	eventually 10 is_lent nvme_b
	kill -KILL $pid
	wait $pid
	is "$(lent_devices lab-h)" "$(addrs nic_a nvme_b)" 'a rehearsal that is killed leaves its lease'
	gives_back '… and the helper ends it'
}

dry_run() {
	succeeds 'a dry run' passthru lend lab-h --dry-run
	matches "$OUTPUT" "planned +$(addr nvme_b) +nvme → vfio-pci" '… shows the plan'
	nothing_lent '… and changes nothing'
}

without_libvirt() {
	systemd-run -q --unit=lab-machine -p Requires=passthru-lease@lab-h.service -p After=passthru-lease@lab-h.service sleep 1000
	succeeds 'a unit that requires passthru-lease@ runs' eventually 10 systemctl -q is-active lab-machine.service
	drivers_are vfio-pci '… with its devices lent' nic_a nvme_b
	systemctl stop lab-machine.service
	gives_back '… which come back when it stops'
}

# managed='no': nobody but passthru gives back.
return_of_a_running_domain() {
	start_libvirtd
	define lab-d no nvme_a
	run start_domain lab-d
	fails_with "qemu-system-x86 \(pid $(qemu_pid lab-d), /dev/vfio/" 'a return while the domain runs is refused with its process named' \
		passthru return lab-d
	is "$(state_of lab-d) $(driver_of nvme_a)" 'running vfio-pci' '… the domain keeps running'
	is "$(pending)" 1 '… the device is pending'
	matches "$(passthru status --json | jq -r '.knobs[].message')" "pid $(qemu_pid lab-d)" '… and the status says why'
	run passthru check
	is "$STATUS" 1 '… passthru check warns'
	destroy_domain lab-d
	gives_back 'when the domain has ended it comes back by itself'
}

install_passthru
device_profile lab-h nic_a nvme_b
remember_host
comes_and_goes
settings '[helper]' idle-exit=60s retry=2s
socket_is_of_root
introspection
bad_input
succeeds 'two devices are lent' passthru lend lab-h
memory
sandbox
idle_and_killed
succeeds 'return works' passthru return lab-h
nothing_lent '… and the host is as it was'
gives_back_by_itself
rehearsals
dry_run
without_libvirt
return_of_a_running_domain
