# shellcheck shell=bash
# timeout: 300
#
# A driver that does not come back from its unbind: while a process has a VFIO device open, the kernel sleeps in it with
# the device's lock held. One device is lost for that time, and nothing else.

# Opens the device as a virtual machine does, says so, and keeps it until it is killed.
hold_vfio() { # GROUP ADDRESS
	exec python3 - "$1" "$2" <<-'X'
		import fcntl, signal, sys
		SET_IOMMU, SET_CONTAINER, GET_DEVICE_FD = 0x3b66, 0x3b68, 0x3b6a  # linux/vfio.h
		container = open("/dev/vfio/vfio", "rb+", buffering=0)
		group = open("/dev/vfio/" + sys.argv[1], "rb+", buffering=0)
		fcntl.ioctl(group, SET_CONTAINER, container.fileno().to_bytes(4, "little"))
		fcntl.ioctl(container, SET_IOMMU, 1)
		device = fcntl.ioctl(group, GET_DEVICE_FD, sys.argv[2].encode() + b"\0")
		print("held", flush=True)
		signal.pause()
	X
}

hangs() { sleep 3 && kill -0 "$1"; } # PID

install_passthru
settings '[lease]' deadline=4s '[helper]' retry=2s
device_profile lab-stuck nvme_b
device_profile lab-other nvme_a
remember_host
stuck=$(addr nvme_b)

succeeds 'a device is lent' passthru lend lab-stuck
hold_vfio "$(group_of nvme_b)" "$stuck" >/tmp/held 2>&1 &
holder=$!
succeeds 'a process has it open' eventually 20 grep -q held /tmp/held
echo "$stuck" >/sys/bus/pci/drivers/vfio-pci/unbind &
unbinder=$!
succeeds 'somebody unbinds it by hand, and hangs' hangs "$unbinder"

succeeds 'groups are listed all the same' timeout 20 passthru groups
matches "$(timeout 20 passthru status)" "$stuck .*does not answer" '… and the status says what hangs'
succeeds 'another device is lent' timeout 20 passthru lend lab-other
drivers_are vfio-pci '… to vfio' nvme_a
fails_with "$stuck|answer" 'the return says what hangs' timeout 30 passthru return lab-stuck
is "$STATUS" 1 '… and comes back'
matches "$(timeout 20 passthru status)" "$stuck" '… the device is still known'
fails_with 'hangs|answer' 'nobody else gets it' timeout 40 passthru lend lab-new --device "$stuck"
is "$STATUS" 1 '… and is told so in time'
succeeds 'the other one comes back' timeout 20 passthru return lab-other
is_bound nvme_a nvme && ok '… to its driver' || not_ok '… to its driver' "$(driver_of nvme_a)"

kill "$holder"
wait "$unbinder"
gives_back 'when the process has ended everything comes back by itself'
