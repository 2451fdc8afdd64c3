# shellcheck shell=bash disable=SC2034
# passthru in the guest: its settings, and what it leaves on the host.

HELPER_SOCKET=/run/passthru/org.passthru
HOOK=/etc/libvirt/hooks/qemu.d/50-passthru

settings() { # LINE...: all of passthru.conf
	mkdir -p /etc/passthru/domains && printf '%s\n' "$@" >/etc/passthru/passthru.conf
}

profile() { # NAME LINE...: all of the domain's profile
	local name=$1
	shift
	mkdir -p /etc/passthru/domains && printf '%s\n' "$@" >/etc/passthru/domains/"$name".conf
}

device_profile() { # NAME ROLE...: a profile that lends these without libvirt
	local name=$1 role lines=()
	shift
	for role; do lines+=("[device $(addr "$role")]"); done
	profile "$name" "${lines[@]}"
}

bindings() { # of all PCI devices: driver and override, a line each; few processes, for it runs often
	(cd /sys/bus/pci/devices && find -- */ -maxdepth 1 -name driver -printf '%p %l\n' | sort && grep -H . -- */driver_override)
}

remember_host() { BASELINE=$(bindings); }

is_at_baseline() { [ "$(bindings)" = "$BASELINE" ] && [ "$(passthru status)" = 'Nothing is lent.' ]; }

# nothing_lent TEXT: drivers, overrides and state are those of remember_host; what is not is shown
nothing_lent() {
	if is_at_baseline; then
		ok "$1"
	else
		not_ok "$1" "$(diff <(echo "$BASELINE") <(bindings))"$'\n'"$(passthru status)"
	fi
}

gives_back() { # TEXT: within 20 s, for libvirt says "shut off" before its hook is through
	eventually 20 is_at_baseline
	nothing_lent "$1"
}

# driver_is DRIVER TEXT ROLE...
drivers_are() {
	local driver=$1 text=$2 role found=
	shift 2
	for role; do found+="$(driver_of "$role") "; done
	is "$(tr ' ' '\n' <<<"${found% }" | sort -u | xargs)" "$driver" "$text"
}

lent_devices() { # NAME: addresses that the state gives to the domain, sorted, on one line
	passthru status --json | jq -r --arg d "$1" '.leases[] | select(.domain == $d) | .claims[].name' | sort | xargs
}

helper_state() { systemctl is-active passthru.service; }

helper_pid() { systemctl show -P MainPID passthru.service; }

helper_is() { [ "$(helper_state)" = "$1" ]; }

pending() { passthru status --json | jq '[.knobs[] | select(.state == "pending")] | length'; }

qemu_pid() { cat /run/libvirt/qemu/"$1".pid; } # NAME
