# shellcheck shell=bash
# topology: full
# timeout: 400
#
# The lab itself: if one of these fails, no other cell means anything.

# --- IOMMU groups ---
for role in gpu0 nvme_a nvme_b nvme_c nvme_d nvme_e nic_a shared_nvme nvme_fs switch_nvme display_b; do
	succeeds "$role is in an IOMMU group" group_of $role
done
is "$(members_of "$(group_of gpu0)")" "$(addrs gpu0 gpu1 gpu2)" 'the card of three functions has a group of its own'
for role in nvme_a nvme_b nvme_c nvme_d nvme_e nic_a nvme_fs display_b; do
	is "$(members_of "$(group_of $role)")" "$(addr $role)" "$role is alone in its group"
done
is "$(group_of shared_nvme)" "$(group_of shared_nic)" 'without ACS on the port its two endpoints share a group'
is "$(members_of "$(group_of shared_nvme)" | wc -w)" 3 'the group of two endpoints has their port as well'
is "$(group_of switch_nvme)" "$(group_of switch_usb)" 'two slots of a switch behind such a port share a group'
is "$(cat "$(sysfs_of boot_vga)/boot_vga")" 1 'the display on the root complex is the one the host booted with'
is "$(cat "$(sysfs_of gpu0)/boot_vga")" 0 'the card that is lent is not'

# --- drivers ---
is "$(driver_of gpu1)" snd_hda_intel "the card's sound has its driver"
is "$(driver_of gpu2)" xhci_hcd "the card's USB has its driver"
is "$(driver_of nic_a)" e1000e 'the network card has its driver'
is "$(driver_of display_b)" bochs-drm 'the second display has its driver'
is "$(blkid -o value -s LABEL "$(block_of nvme_fs)")" lab-data 'the disk with a file system has one'

# --- libvirt, confined ---
confine_domains
timed 'libvirtd starts' start_libvirtd
is "$(cat /proc/"$(pidof libvirtd)"/attr/current)" 'libvirtd (enforce)' 'AppArmor enforces the profile of libvirtd'

timed 'a domain is defined' define lab-a yes nvme_a
is "$(driver_of nvme_a)" nvme 'the disk is with the host before the start'
before=$EPOCHREALTIME
succeeds 'a domain that is lent a disk starts' start_domain lab-a
note "virsh start: $TOOK s"
succeeds 'the nested guest boots from that disk' wait_serial lab-a
note "from virsh start to the line on the serial port: $(seconds_since "$before") s"
profile=$(cat /proc/"$(pidof qemu-system-x86_64)"/attr/current)
matches "$profile" '^libvirt-.* \(enforce\)$' 'AppArmor enforces a profile of the domain'
succeeds 'vfio has the disk' is_lent nvme_a
succeeds 'the domain obeys the power button' stop_domain lab-a
note "virsh shutdown to shut off: $TOOK s"
succeeds 'the host has its disk back' eventually 20 is_bound nvme_a nvme
is "$(override_of nvme_a)" '(null)' 'no driver_override is left'
