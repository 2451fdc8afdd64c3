# shellcheck shell=bash
# boots: 2
# timeout: 300
#
# The host goes down with devices lent: the next boot knows nothing of it, and lends again.

LENT=(gpu0 gpu1 gpu2 nvme_b)

if [ "$STAGE" = 1 ]; then
	install_passthru
	systemctl enable passthru.socket
	device_profile lab-r "${LENT[@]}"
	remember_host
	echo "$BASELINE" >/lab/baseline
	succeeds 'devices are lent' passthru lend lab-r
	is "$(lent_devices lab-r)" "$(addrs "${LENT[@]}")" '… all of them'
	sync
	reboot_guest
fi

BASELINE=$(</lab/baseline)
is "$(systemctl is-active passthru.socket)" active 'after the reboot the socket is there by itself'
is "$(helper_state)" inactive '… and the helper is not: there is nothing to recover'
nothing_lent '… and the host has its devices, with the drivers of before'
succeeds 'the same is lent again' passthru lend lab-r
drivers_are vfio-pci '… to vfio' "${LENT[@]}"
succeeds '… and given back' passthru return lab-r
nothing_lent '… as it was'
