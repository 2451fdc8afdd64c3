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
	is "$(stat -c '%U %a' /run/passthru)" 'root 711' 'nobody else lists or writes its folder'
	fails_with 'Permission denied' 'another user does not reach it' as_nobody socat -u /dev/null "UNIX-CONNECT:$HELPER_SOCKET"
	fails_with 'only root' 'passthru says so' as_nobody passthru lend --device "$(addr nvme_b)"
	chmod 666 "$HELPER_SOCKET"
	is "$(error_for as_nobody org.passthru.Status)" org.passthru.PermissionDenied \
		'where the socket was opened to all, the helper looks itself'
	is "$(error_for as_nobody org.varlink.service.GetInfo)" org.passthru.PermissionDenied '… and tells nothing'
	chmod 600 "$HELPER_SOCKET"
}

as_member() { # of the group that may see the status
	setpriv --reuid=65533 --regid=65533 --groups="$(getent group vm-status | cut -d: -f3)" "$@"
}

error_for() { # PREFIX METHOD: what somebody's call is answered with; empty for a reply
	printf '{"method":"%s"}\0' "$2" | "$1" socat -t 10 - "UNIX-CONNECT:$HELPER_SOCKET" | tr -d '\0' | jq -r '.error // ""'
}

# As many connections as somebody likes, which say nothing.
crowd() {
	as_member python3 - "$HELPER_SOCKET" <<-'X'
		import socket, sys, time
		crowd = [socket.socket(socket.AF_UNIX) for _ in range(100)]
		for s in crowd:
		    s.connect(sys.argv[1])
		print("connected", flush=True)
		time.sleep(60)
	X
}

group_may_read() {
	local pid method workers
	groupadd --system vm-status
	settings '[helper]' idle-exit=60s retry=2s group=vm-status
	fails_with 'Permission denied' 'the setting alone does not open the socket' \
		as_member socat -u /dev/null "UNIX-CONNECT:$HELPER_SOCKET"
	mkdir -p /etc/systemd/system/passthru.socket.d
	printf '[Socket]\nSocketGroup=vm-status\nSocketMode=0660\n' >/etc/systemd/system/passthru.socket.d/group.conf
	systemctl daemon-reload && systemctl stop passthru.service && systemctl restart passthru.socket
	is "$(stat -c '%U %G %a' "$HELPER_SOCKET")" 'root vm-status 660' 'with a drop-in the group reaches the socket'
	fails_with 'Permission denied' '… and others do not' as_nobody socat -u /dev/null "UNIX-CONNECT:$HELPER_SOCKET"
	succeeds 'something is lent' passthru lend lab-h
	succeeds 'a member sees the status' as_member passthru status
	matches "$OUTPUT" 'lab-h' '… with the lease'
	is "$(as_member passthru status --json | jq -c .leases)" "$(passthru status --json | jq -c .leases)" '… the same as root sees'
	fails_with 'Permission denied' '… not from the file' as_member cat /run/passthru/state.json
	fails_with 'for root only' 'another user does not' as_nobody passthru status
	is "$(error_for as_member org.passthru.Status)" '' 'a member may call Status'
	is "$(error_for as_member org.varlink.service.GetInfo)" '' '… and GetInfo'
	for method in Lend Return Reconcile; do
		is "$(error_for as_member org.passthru.$method)" org.passthru.PermissionDenied "… but not $method"
	done
	fails_with 'only root' '… nor passthru lend' as_member passthru lend --device "$(addr nvme_b)"
	fails_with 'only root' '… nor passthru return' as_member passthru return lab-h
	crowd >/tmp/crowd &
	pid=$!
	eventually 20 grep -q connected /tmp/crowd
	workers=$(pgrep -c -P "$(helper_pid)")
	is "$((workers > 0 && workers <= 4))" 1 "of a hundred connections that say nothing only a few are listened to ($workers)"
	succeeds '… and root is served' passthru return lab-h
	pkill -P $pid
	kill $pid
	settings '[helper]' idle-exit=60s retry=2s
	is "$(error_for as_member org.passthru.Status)" org.passthru.PermissionDenied 'the socket alone does not make a member'
	rm /etc/systemd/system/passthru.socket.d/group.conf
	systemctl daemon-reload && systemctl stop passthru.service && systemctl restart passthru.socket
	is "$(stat -c '%U %G %a' "$HELPER_SOCKET")" 'root root 600' 'without the drop-in the socket is of root alone again'
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
	is "$(awk '/^CapBnd/ { print $2 }' <<<"$process")" 0000000000080004 '… two capabilities'
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
group_may_read
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
