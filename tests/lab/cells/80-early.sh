# shellcheck shell=bash
# boot: init
# initrd: initramfs-tools dracut dracut-plain
# nodes: 2
# memory: 10G
# kernel: log_buf_len=1M
# timeout: 400
#
# What early.conf of this folder lists, reserved by initramfs as the two generators make them: seen by the first program of
# the root file system. The other drivers come after that.

is "$(addr nvme_a) $(addr nvme_b) $(addr nic_a)" '0000:02:00.0 0000:03:00.0 0000:04:00.0' 'the addresses are those of early.conf'
is "$(addr shared_nvme) $(addr shared_nic)" '0000:05:00.0 0000:05:00.1' '… of the device of two functions as well'

# --- the first look ---
for role in nvme_a nic_a shared_nvme shared_nic; do
	is "$(first_driver_of $role)" vfio-pci "$role is with vfio-pci when the root file system looks first"
done
for role in nvme_b nvme_fs gpu0; do
	is_not "$(first_driver_of $role)" vfio-pci "$role is not"
	is "$(override_of $role)" '(null)' '… and has no driver_override'
done

modprobe -a nvme e1000e

# --- order, from the kernel's own log ---
written=$(kernel_seconds 'passthru-early: driver_override is written: 0000:02:00.0 0000:04:00.0 0000:05:00.0 0000:05:00.1')
disk=$(kernel_seconds 'nvme nvme[0-9]+: pci function')
card=$(kernel_seconds 'e1000e: Intel')
note "override at $written s, first disk driver at $disk s, driver of network cards at $card s"
succeeds 'the override is written before the first disk is probed' is_before "$written" "$disk"
succeeds '… and before the driver of network cards loads' is_before "$written" "$card"
succeeds 'the log of the kernel shows that drivers meet other devices' met nvme_b
for role in nvme_a shared_nvme; do
	fails_with '^$' "$role has never met its own driver" met $role
done

# --- the others work, those that are reserved stay so ---
for role in nvme_a nic_a shared_nvme shared_nic; do
	is "$(driver_of $role)" vfio-pci "$role is still with vfio-pci after all drivers have loaded"
done
succeeds 'the other disks have their driver' eventually 20 is_bound nvme_fs nvme
mkdir -p /mnt/data
succeeds '… and can be mounted' mount "$(block_of nvme_fs)" /mnt/data
umount /mnt/data

# --- what it says ---
# Under emulation the boot goes on before all is through.
early_is_over() { dmesg | grep -q 'passthru-early:.* never came to an end'; }
succeeds 'passthru-early comes to its end' eventually 60 early_is_over

# --- an address that has another device now ---
is "$(early_state nvme_b)" 'left alone' 'an address with another device is left alone'
matches "$(early_message nvme_b)" 'wanted 10de:2206, found 1b36:0010' '… and it says what was found'

# --- pages ---
for node in 0:1 1:2; do
	is "$(cat /sys/devices/system/node/node${node%:*}/hugepages/hugepages-1048576kB/nr_hugepages)" "${node#*:}" \
		"node ${node%:*} has its pages of 1 GiB"
done
is "$(early_state 'hugepages 1G 1')" 'done' '… and that is written down'
matches "$(dmesg)" 'passthru-early: hugepages 1G 1: done: 2 of 2 pages' '… and logged'

is "$(early_state nvme_a)" 'done' 'the result is there for the running system'
took=$(sed -n 's/^took-ms=//p' "$EARLY_RESULT")
note "passthru-early took $took ms"
note "$(dmesg | grep passthru-early)"
