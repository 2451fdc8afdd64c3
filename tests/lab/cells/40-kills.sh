# shellcheck shell=bash
# timeout: 1200
# environment: KILLS LEND_CYCLES DOMAIN_CYCLES SEED
#
# The helper is killed at random moments, and then used until something would have worn out.

KILLS=${KILLS:-30} LEND_CYCLES=${LEND_CYCLES:-50} DOMAIN_CYCLES=${DOMAIN_CYCLES:-5} SEED=${SEED:-$RANDOM}
LENT=(gpu0 gpu1 gpu2 nvme_b shared_nvme shared_nic)

before_everything() {
	install_passthru
	settings '[helper]' idle-exit=1h retry=1s
	device_profile lab-k "${LENT[@]}"
	remember_host
	passthru lend lab-k && passthru return lab-k # modules are loaded, the helper is there
	timed 'a lend' passthru lend lab-k
	SPAN=$(awk -v s="$TOOK" 'BEGIN { printf "%d", s * 1000000 }')
	LENT_BINDINGS=$(bindings)
	WANTED=$(addrs "${LENT[@]}")
	is "$(lent_devices lab-k)" "$WANTED" 'six devices are lent'
	timed 'a return' passthru return lab-k
	nothing_lent 'they are back'
}

# --- kills ---

# All processes of the helper: itself, the workers, and their children that write.
victims() { cat /sys/fs/cgroup/system.slice/passthru.service/cgroup.procs; }

kill_helper() { # main|worker|unit
	local pids
	case $1 in
	main) kill -KILL "$(helper_pid)" ;;
	worker)
		mapfile -t pids < <(victims | grep -vx "$(helper_pid)")
		[ ${#pids[@]} -gt 0 ] && kill -KILL "${pids[RANDOM % ${#pids[@]}]}"
		;;
	unit) systemctl kill -s KILL passthru.service ;;
	esac
}

# Either all is lent, or the host is as it was; a lend that was killed has no third end.
is_consistent() {
	local status
	status=$(passthru status --json) || return 1
	jq -e '([.leases[] | select(.state != "lent")] + [.knobs[] | select(.state == "pending")]) == []' <<<"$status" >/dev/null ||
		return 1
	if jq -e '.leases == []' <<<"$status" >/dev/null; then
		is_at_baseline
	else
		[ "$(lent_devices lab-k)" = "$WANTED" ] && [ "$(bindings)" = "$LENT_BINDINGS" ]
	fi
}

# kill_during VERB WHOM MICROSECONDS: false, with the reason in WHY, when something is left
kill_during() {
	local job
	passthru "$1" lab-k >/dev/null 2>&1 &
	job=$!
	sleep "0.$(printf %06d "$3")"
	kill_helper "$2"
	wait $job
	WHY=
	if ! eventually 20 is_consistent; then
		WHY="after the kill: $(passthru status)"$'\n'"$(diff <(echo "$BASELINE") <(bindings))"
		return 1
	fi
	[ "$(lent_devices lab-k)" = '' ] && ENDS_BASELINE=$((ENDS_BASELINE + 1)) || ENDS_LENT=$((ENDS_LENT + 1))
	if ! run passthru return lab-k || ! is_at_baseline; then
		WHY="after the return: $OUTPUT"$'\n'"$(passthru status)"$'\n'"$(diff <(echo "$BASELINE") <(bindings))"
		return 1
	fi
}

kills() {
	local n whom verb at failed=0 whoms=(main worker unit)
	note "seed $SEED: repeat with SEED=$SEED KILLS=$KILLS; kills fall into the first $SPAN µs"
	RANDOM=$SEED ENDS_LENT=0 ENDS_BASELINE=0
	for ((n = 1; n <= KILLS; n++)); do
		whom=${whoms[n % 3]} at=$((RANDOM * SPAN / 32768))
		verb="lend"
		if [ $((n / 3 % 2)) = 1 ]; then
			verb="return"
			passthru lend lab-k >/dev/null || not_ok "kill $n: the lend before it works"
		fi
		kill_during "$verb" "$whom" "$at" && continue
		failed=$((failed + 1))
		not_ok "kill $n ($whom, $at µs into the $verb) leaves nothing half done" "$WHY"
		passthru return lab-k
	done
	is "$failed" 0 "$KILLS kills during lend and return: all lent or all back, and all back after a return"
	note "after the kill: $ENDS_LENT times all lent, $ENDS_BASELINE times all back"
	nothing_lent 'the host is as it was'
	is "$(victims | wc -l)" 1 'of the helper one process is there'
}

# --- wear ---

wear_of_helper() { # open files, processes, lanes
	local pid
	pid=$(helper_pid)
	echo "files $(find /proc/"$pid"/fd -mindepth 1 | wc -l), processes $(victims | wc -l), lanes $(find /run/passthru/lanes -type f | wc -l)"
}

lend_cycles() {
	local n drift=0 before pid begin=$EPOCHREALTIME
	passthru lend lab-k >/dev/null && passthru return lab-k >/dev/null
	before=$(wear_of_helper) pid=$(helper_pid)
	for ((n = 1; n <= LEND_CYCLES; n++)); do
		run passthru lend lab-k && [ "$(bindings)" = "$LENT_BINDINGS" ] || drift=$((drift + 1))
		run passthru return lab-k && is_at_baseline || drift=$((drift + 1))
	done
	is "$drift" 0 "$LEND_CYCLES times lent and given back without drift"
	note "$LEND_CYCLES cycles of six devices: $(seconds_since "$begin") s"
	is "$(wear_of_helper)" "$before" '… the helper has what it had after the first'
	is "$(helper_pid)" "$pid" '… and is the same process'
	is "$(pending)" 0 '… and nothing is pending'
}

domain_cycles() {
	local n drift=0 before
	start_libvirtd
	define lab-c yes gpu1 nvme_b
	for ((n = 1; n <= DOMAIN_CYCLES; n++)); do
		if ! run start_domain lab-c || ! is_lent nvme_b || ! run destroy_domain lab-c || ! eventually 20 is_at_baseline; then
			drift=$((drift + 1))
			not_ok "start and stop $n" "$OUTPUT"$'\n'"$(passthru status)"
		fi
		[ $n -gt 1 ] || before=$(wear_of_helper)
	done
	is "$drift" 0 "$DOMAIN_CYCLES domain starts and stops without drift"
	is "$(wear_of_helper)" "$before" '… the helper has what it had after the first'
}

before_everything
kills
lend_cycles
domain_cycles
