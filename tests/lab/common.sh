# shellcheck shell=bash
# Sourced by the programs of the lab: where things are, and how they fail.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOP=$(cd "$LAB_DIR/../.." && pwd)
LAB_CACHE=${PASSTHRU_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/passthru-lab}
export LAB_DIR LAB_TOP LAB_CACHE

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# need PACKAGE COMMAND: every missing command is named with the package that has it.
need() {
	command -v "$2" >/dev/null || die "$2 is missing; install the package $1"
}

# stop_process PID: asks, then insists. Only ever for a process that this shell started.
stop_process() {
	local pid=$1 n
	kill "$pid" 2>/dev/null || return 0
	for ((n = 0; n < 50; n++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}
