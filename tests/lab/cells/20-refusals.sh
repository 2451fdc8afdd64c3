# shellcheck shell=bash
# timeout: 600
#
# What must not be lent is refused before anything is touched, and whoever starts the domain reads why.

nested_disk() { block_of nvme_b; }

before_everything() {
	install_passthru
	settings '[helper]' idle-exit=60s retry=2s
	remember_host
	start_libvirtd
}

# borrower ROLE...: the domain lab-r is one that wants these
borrower() {
	[ ! -e /etc/libvirt/qemu/lab-r.xml ] || virsh -q undefine lab-r
	define lab-r yes "$@"
}

# refused REGEX TEXT: lab-r does not start, virsh says why, nothing is lent
refused() {
	fails_with "$1" "$2: refused" start_domain lab-r
	is "$(state_of lab-r)" 'shut off' "$2: the domain does not run"
	nothing_lent "$2: nothing is lent, drivers are unchanged"
}

# lend_refused REGEX TEXT ARGUMENT...: the same of passthru lend
lend_refused() {
	local regex=$1 text=$2
	shift 2
	fails_with "$regex" "$text: refused" passthru lend "$@"
	nothing_lent "$text: nothing is lent, drivers are unchanged"
}

mounted() {
	borrower gpu1 nvme_fs
	mkdir -p '/mnt/lab data'
	mount "$(block_of nvme_fs)" '/mnt/lab data'
	refused "$(addr nvme_fs) is in use: mounted at /mnt/lab data \($(block_of nvme_fs)\)" 'a mounted file system'
	is "$(cat '/mnt/lab data/lost+found/none' 2>&1)" "cat: '/mnt/lab data/lost+found/none': No such file or directory" \
		'… and the file system is still well'
	umount '/mnt/lab data'
}

swap() {
	mkswap -q "$(nested_disk)" && swapon "$(nested_disk)"
	refused "in use: swap on $(nested_disk)" 'swap'
	swapoff "$(nested_disk)"
}

stacked() { # disks below other disks
	local disk
	disk=$(nested_disk)
	echo "0 8192 linear $disk 0" | dmsetup create lab-linear
	refused "in use: part of dm-[0-9]+ \(lab-linear\) through $disk" 'a disk below device-mapper'
	dmsetup remove lab-linear

	wipefs -qa "$disk"
	vgcreate -q lab-vg "$disk" && lvcreate -q -y -Wn -n data -l 4 lab-vg
	refused "in use: part of dm-[0-9]+ \(lab--vg-data\) through $disk" 'an LVM volume'
	mkfs.ext4 -q /dev/lab-vg/data && mount /dev/lab-vg/data /mnt
	refused 'in use: mounted at /mnt' 'a file system on an LVM volume'
	umount /mnt
	vgremove -q -f lab-vg && pvremove -q "$disk"

	mdadm --create /dev/md7 --quiet --run --force --level=1 --metadata=1.2 --raid-devices=1 "$disk"
	refused "in use: part of md7 through $disk" 'a member of an md array'
	mdadm --quiet --stop /dev/md7
	wipefs -qa "$disk"
}

btrfs_member() { # mountinfo names one disk of the two only
	local a disk
	a=$(block_of nvme_a) disk=$(nested_disk)
	mkfs.btrfs -q -f -m single -d single "$a" "$disk" && btrfs -q device scan && mount "$a" /mnt
	refused "in use: mounted at /mnt .*\($disk\)" 'the second disk of a btrfs'
	umount /mnt
	wipefs -qa "$a" "$disk"
}

opened() { # by another user: looking at his files takes capabilities that the helper's sandbox must leave it
	local node pid
	for node in "$(nested_disk)" "$(nested_disk | sed 's/n1$//')"; do
		setpriv --reuid=65534 --clear-groups tail -f /dev/null <"$node" &
		pid=$!
		refused "in use: used by tail \(pid $pid, $node\)" "a process with $node open"
		kill $pid
		wait $pid
	done
}

default_route() {
	local nic
	borrower nic_a
	nic=$(net_of nic_a)
	ip link set "$nic" up && ip address add 192.0.2.1/24 dev "$nic" && ip route add default via 192.0.2.2 dev "$nic"
	refused "in use: default route through $nic" 'the network card of the default route'
	ip route del default
	ip address flush dev "$nic"
	ip link set "$nic" down
}

boot_display() {
	borrower boot_vga
	refused "$(addr boot_vga) is the display that the firmware booted with" 'the display of the boot'
	profile lab-r '[domain]' boot-vga=yes
	succeeds 'boot-vga=yes in the profile allows it' passthru lend lab-r --dry-run
	matches "$OUTPUT" "planned +$(addr boot_vga)" '… and the plan has it'
	nothing_lent '… and a dry run changes nothing'
	rm /etc/passthru/domains/lab-r.conf
}

profiles() {
	borrower nvme_b
	profile lab-r "[device $(addr nvme_b)]" id=10de:2206
	refused "should have id 10de:2206 and has 1b36:0010" 'another device at the address of the profile'
	profile lab-r '[domain]' group=maybe
	refused '/etc/passthru/domains/lab-r.conf:2: .*expand.*strict' 'a malformed profile'
	profile lab-r "[device $(addr nvme_b)]" driver=nvme
	refused 'vfio' 'a profile with a driver that is not of vfio'
	rm /etc/passthru/domains/lab-r.conf
}

borrowed_already() {
	borrower nvme_a nvme_b
	device_profile lab-first nvme_b
	run passthru lend lab-first
	fails_with "$(addr nvme_b) is lent to domain lab-first" 'a device that another domain has: refused' start_domain lab-r
	is "$(lent_devices lab-first) $(lent_devices lab-r)" "$(addr nvme_b) " '… and it stays with that one alone'
	is "$(driver_of nvme_a)" nvme '… and the other device is not lent'
	run passthru return lab-first
	nothing_lent '… and comes back from there'
}

unknown_device() {
	lend_refused '0000:7f:1f.7' 'a device that is not there' --device 0000:7f:1f.7
	lend_refused 'bridge' 'a bridge' --device "$(basename "$(dirname "$(realpath "$(sysfs_of nvme_b)")")")"
	lend_refused 'no domain lab-nobody' 'a domain that nobody knows' lab-nobody
}

# The override of one device takes writes and forgets them: the lend fails after the other device is bound.
half_way() {
	local file
	file=$(sysfs_of nvme_b)/driver_override
	borrower nvme_a nvme_b
	mount --bind /dev/null "$file"
	systemctl stop passthru.service # the next one sees the mount
	fails_with "$(addr nvme_b)" 'one of two devices cannot be bound: the domain does not start' start_domain lab-r
	umount "$file"
	run journalctl -q -o cat -u passthru.service -n 20
	matches "$OUTPUT" "lend lab-r: $(addr nvme_a) 'nvme' → '[^']*' done" '… the other one had been'
	gives_back '… and has been given back'
}

before_everything
mounted
borrower nvme_b
swap
stacked
btrfs_member
opened
default_route
boot_display
profiles
borrowed_already
unknown_device
half_way
