# shellcheck shell=bash
# Functions for the cells. Everything a cell may call is in here and in the files it sources.

LAB=/lab
# shellcheck source=/dev/null
. $LAB/settings
# shellcheck source=devices.sh
. $LAB/guest/devices.sh
# shellcheck source=domains.sh
. $LAB/guest/domains.sh
# shellcheck source=early.sh
. $LAB/guest/early.sh
# shellcheck source=memory.sh
. $LAB/guest/memory.sh
# shellcheck source=passthru.sh
. $LAB/guest/passthru.sh
# shellcheck source=boot.sh
. $LAB/guest/boot.sh

# --- results -------------------------------------------------------------------------------------------------------

ok() { # TEXT
	echo "ok - $1" | tee -a $LAB/results
}

# not_ok TEXT [DETAIL]: details become comment lines, shown below
not_ok() {
	{
		echo "not ok - $1"
		[ -z "${2:-}" ] || printf '#   %s\n' "${2//$'\n'/$'\n#   '}"
	} | tee -a $LAB/results
	return 1
}

skip() { # TEXT REASON
	echo "skip - $1 # $2" | tee -a $LAB/results
}

note() { # TEXT: shown, not counted
	local text=$*
	echo "# ${text//$'\n'/$'\n# '}" | tee -a $LAB/results
}

# A test that fails must not end the cell, nor may it be missed by one that asks: all checks return 0 or 1.
is() { # GOT WANTED TEXT
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "wanted: $2"$'\n'"found:  $1"; fi
}

is_not() { # GOT UNWANTED TEXT
	if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "found: $1"; fi
}

matches() { # GOT REGEX TEXT
	if [[ $1 =~ $2 ]]; then ok "$3"; else not_ok "$3" "wanted a match of: $2"$'\n'"found: $1"; fi
}

# run COMMAND...: OUTPUT gets what it prints (both streams), STATUS its exit status, TOOK the seconds
run() {
	local begin=$EPOCHREALTIME
	OUTPUT=$("$@" 2>&1)
	STATUS=$?
	TOOK=$(seconds_since "$begin")
	printf '[%s s, exit %s] %s\n%s\n' "$TOOK" "$STATUS" "$*" "$OUTPUT"
	return $STATUS
}

succeeds() { # TEXT COMMAND...
	local text=$1
	shift
	if run "$@"; then ok "$text"; else not_ok "$text" "$* (exit $STATUS)"$'\n'"$OUTPUT"; fi
}

fails_with() { # REGEX TEXT COMMAND...: it fails, and says what was expected of it
	local regex=$1 text=$2
	shift 2
	if run "$@"; then
		not_ok "$text" "$* succeeded"$'\n'"$OUTPUT"
	elif [[ $OUTPUT =~ $regex ]]; then
		ok "$text"
	else
		not_ok "$text" "$* (exit $STATUS)"$'\n'"wanted a match of: $regex"$'\n'"$OUTPUT"
	fi
}

# --- time ----------------------------------------------------------------------------------------------------------

seconds_since() { # BEGIN, an earlier EPOCHREALTIME
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }'
}

timed() { # TEXT COMMAND...: notes how long it took; the status is the command's
	local text=$1
	shift
	run "$@"
	note "$text: $TOOK s"
	return $STATUS
}

eventually() { # SECONDS COMMAND...: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# --- the machine ---------------------------------------------------------------------------------------------------

# reboot_guest: the power button's hard way; the cell goes on with STAGE one higher. Disk and share keep their content,
# the disk only what was synced: sync before it unless the loss is the test.
reboot_guest() {
	note "boot $STAGE ends"
	echo b >/proc/sysrq-trigger
	sleep 60
}

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

has_systemd() { [ -d /run/systemd/system ]; }

install_passthru() { # what "make install" made, put into place as a package would
	if [ ! -d $LAB/root/usr ]; then
		skip 'passthru is installed' 'the lab runs with --no-install'
		return 1
	fi
	# tar, not cp: a folder of the tree must not take the place of the guest's link of that name (/lib), nor its mode
	tar -C $LAB/root --owner=0 --group=0 -c . | tar -C / -x --no-overwrite-dir --keep-directory-symlink || return 1
	has_systemd || return 0
	systemctl daemon-reload
	systemctl start passthru.socket
}
