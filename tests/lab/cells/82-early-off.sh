# shellcheck shell=bash
# boot: init
# initrd: initramfs-tools dracut
# kernel: passthru=off
# timeout: 400
#
# The same image with passthru=off on the kernel command line.

for role in nvme_a nic_a shared_nvme shared_nic; do
	is "$(override_of $role)" '(null)' "$role is not reserved"
done
modprobe -a nvme e1000e
succeeds '… and the disk has its own driver' eventually 20 is_bound nvme_a nvme
is "$(cat /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages)" 0 'no pages were made'
is "$(sed -n 's/^state=//p' "$EARLY_RESULT")" off 'that is written down'
matches "$(dmesg)" 'passthru-early: passthru=off is on the kernel command line' '… and logged'
