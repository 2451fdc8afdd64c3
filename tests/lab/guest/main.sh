#!/bin/bash
# Runs in the guest, from the share, once per boot: makes the machine ready, then sources the cell.
# /lab/results gets the lines of the checks, /lab/log everything else, /lab/end appears when the cell is through.
. "$(dirname "$0")/lib.sh"

read -r LAB_UP _ </proc/uptime
# The first look of the root file system at the devices, before anything here loads a driver.
bindings >$LAB/first-look
echo $(($(cat /lab/boots 2>/dev/null || echo 0) + 1)) >/lab/boots
STAGE=$(cat /lab/boots)
export STAGE
if [ "$STAGE" -gt "$LAB_BOOTS" ]; then
	not_ok "the machine boots $LAB_BOOTS times" "this is boot $STAGE"
	touch /lab/end
	exit
fi
note "boot $STAGE: the script runs $LAB_UP s after the kernel started"

# Under systemd udev has begun to load drivers, and has more to do than this script: a test must not race with it.
if [ -e /run/udev/control ]; then
	udevadm settle --timeout=120
else
	modprobe -a nvme e1000e snd_hda_intel xhci_pci bochs
fi
for role in $(roles | grep nvme); do
	is_reserved "$role" || eventually 30 is_bound "$(addr "$role")" nvme || not_ok "$role has its driver when the cell starts"
done
read -r LAB_UP _ </proc/uptime
note "devices are there $LAB_UP s after the kernel started"

# A subshell: whatever way the cell ends, the end is written.
(
	# shellcheck disable=SC1091 # chosen by the runner
	. /lab/cell.sh
)
rc=$?
# A cell ends with the status of its last command, which says nothing, unless a signal ended it.
[ $rc -lt 128 ] || not_ok "the cell runs to its end" "it was ended by signal $((rc - 128))"
sync
touch /lab/end
