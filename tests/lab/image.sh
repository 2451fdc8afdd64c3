#!/bin/bash
# image.sh [--guest bookworm|trixie] [--loader grub|systemd-boot|uki] [--print-key]: makes a guest's disk, kernel and
# initrd, unless the cache has them, and prints their folder. With --loader there is LOADER.qcow2 in it as well: the
# same disk, made to boot by itself through UEFI.
#
# No loop device and no mount of ours, so it works in a container. The key of the cache is made of everything the image
# is made of; the packages come from the machine's own apt sources.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$LAB_DIR/machine.sh"

# apt's sources on the machine that makes the images; those of other guests are the same with another suite
HOST_SUITE=bookworm
SOURCES=(image.sh common.sh machine.sh packages packages.trixie guest/lab-start guest/lab.service guest/initrd-init
	guest/settle.sh guest/install-loader.sh)
# the file systems on the disk
ESP_MIB=128 ESP_ID=1ABE-0001
ROOT_MIB=3072 ROOT_UUID=1abe0000-7061-7373-7468-727500000002

image_key() { # GUEST
	(cd "$LAB_DIR" && echo "$1" && sha256sum "${SOURCES[@]}") | sha256sum | cut -c1-16
}

# The lines of apt's own configuration that decide where packages come from and how. apt has parsed them, so
# one-line and deb822 files, proxies and options all work without a parser here.
apt_sources() { # GUEST
	apt-get indextargets 'Created-By: Packages' 'Origin: Debian' \
		--format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" | grep -E " $HOST_SUITE(-updates|-security)? " | sort -u |
		sed "s/ $HOST_SUITE/ $1/"
}

apt_options() {
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-Valid-Until|Check-Date)[: ]' || true
}

unpack() { # GUEST TREE
	local guest=$1 tree=$2 lists=("$LAB_DIR/packages") packages
	[ ! -e "$LAB_DIR/packages.$guest" ] || lists+=("$LAB_DIR/packages.$guest")
	packages=$(sed 's/#.*//' "${lists[@]}" | xargs | tr ' ' ,)
	apt_sources "$guest" >"$tmp/sources"
	[ -s "$tmp/sources" ] ||
		die "apt knows no package list of Debian $HOST_SUITE: run apt-get update on a Debian $HOST_SUITE machine"
	apt_options >"$tmp/apt.conf"
	# INITRD=No: the kernel's own hook would build an initrd that nothing boots here
	INITRD=No mmdebstrap --quiet --variant=minbase --include="$packages" \
		--aptopt="$tmp/apt.conf" --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		"$guest" "$tree" - <"$tmp/sources"
}

customise() { # TREE
	local tree=$1 unit
	echo lab >"$tree/etc/hostname"
	echo "UUID=$ROOT_UUID / ext4 defaults,noatime 0 0" >"$tree/etc/fstab"
	install -D -m 755 "$LAB_DIR/guest/lab-start" "$tree/usr/local/sbin/lab-start"
	install -D -m 644 "$LAB_DIR/guest/lab.service" "$tree/etc/systemd/system/lab.service"
	mkdir -p "$tree/lab"
	# A known machine-id and these stamps save the work of a first boot, at every boot of a disk that forgets.
	echo 5f6e7061737374687275000000001abe >"$tree/etc/machine-id"
	touch "$tree/etc/.updated" "$tree/var/.updated"
	# Nothing that wakes up by itself while something is measured.
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer \
		e2scrub_reap.service logrotate.timer man-db.timer systemd-tmpfiles-clean.timer mdcheck_start.timer \
		mdcheck_continue.timer mdmonitor-oneshot.timer systemd-update-utmp.service systemd-random-seed.service \
		systemd-journal-flush.service lvm2-monitor.service blk-availability.service systemd-binfmt.service; do
		ln -sfn /dev/null "$tree/etc/systemd/system/$unit"
	done
	install -d "$tree/etc/systemd/journald.conf.d"
	printf '[Journal]\nStorage=volatile\n' >"$tree/etc/systemd/journald.conf.d/lab.conf"
	# What the machine has and no test looks at.
	printf 'blacklist %s\n' kvm_amd kvm_intel ahci iTCO_wdt i2c_i801 pcspkr psmouse >"$tree/etc/modprobe.d/lab.conf"
	# libvirt compiles a policy for its domain five times at each start: 8 s under emulation. libvirtd itself stays
	# confined as on any Debian, and that is what passthru's hook lives under. Cells that want both: confine_domains.
	printf '%s\n' 'stdio_handler = "file"' 'security_driver = "none"' >>"$tree/etc/libvirt/qemu.conf"
	# a third of the time to compile a policy, for a larger one
	echo 'Optimize=no-expr-simplify' >>"$tree/etc/apparmor/parser.conf"
}

initrd() { # TREE KERNEL OUT
	local tree=$1 kernel=$2 out=$3 dir=$tmp/initrd n=10 module file
	mkdir -p "$dir"/{bin,dev,proc,root,modules}
	cp "$tree/bin/busybox" "$dir/bin/busybox"
	ln -s busybox "$dir/bin/sh"
	install -m 755 "$LAB_DIR/guest/initrd-init" "$dir/init"
	for module in virtio_pci virtio_blk crc32c_generic ext4; do
		chroot "$tree" modprobe -S "$kernel" --show-depends "$module"
	done | awk '/^insmod/ && !seen[$2]++ { print $2 }' >"$tmp/modules"
	while read -r file; do
		module=$dir/modules/$((n++))-${file##*/}
		case $file in
		*.xz) "$tree/bin/busybox" xzcat "$tree$file" >"${module%.xz}" ;;
		*) cp "$tree$file" "$module" ;;
		esac
	done <"$tmp/modules"
	(cd "$dir" && find . | "$tree/bin/busybox" cpio -o -H newc) >"$out"
}

# A FAT file system for boot loaders and the root, each made in its place, then the table that says where they are.
partition() { # TREE DISK
	local tree=$1 disk=$2
	truncate -s $((ESP_MIB + 1))M "$disk"
	mkfs.vfat -F 32 -s 1 -i "${ESP_ID/-/}" -n ESP --offset 2048 "$disk" >/dev/null
	truncate -s $((ESP_MIB + ROOT_MIB + 2))M "$disk"
	mkfs.ext4 -q -F -L lab -U "$ROOT_UUID" -d "$tree" \
		-E "offset=$(((ESP_MIB + 1) << 20)),lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0" "$disk" ${ROOT_MIB}M
	sgdisk --new=1:1M:+${ESP_MIB}M --typecode=1:ef00 --change-name=1:ESP --new=2:0:+${ROOT_MIB}M --typecode=2:8300 \
		--change-name=2:root "$disk" >/dev/null
}

# One boot of the guest's own kernel that keeps what its script writes. The firmware is UEFI where there are SETTINGS:
# boot loaders, and the tools that install them, look at it.
boot_once() { # IMAGE DISK SCRIPT [SETTINGS]
	local image=$1 disk=$2 script=$3 settings=${4:-} share=$tmp/share n
	rm -rf "$share"
	mkdir -p "$share/guest"
	cp "$LAB_DIR/guest/$script" "$share/guest/main.sh"
	printf '%s\n' "$settings" >"$share/settings"
	machine_qemu "$image" "$disk" "$share" "$tmp" keep
	[ -z "$settings" ] || machine_firmware "$tmp"
	machine_kernel "$image" 'systemd.unit=basic.target systemd.wants=lab.service'
	"${QEMU[@]}" -no-reboot >"$tmp/qemu.log" 2>&1 </dev/null &
	qemu=$!
	for ((n = 0; n < 600; n++)); do
		if [ -e "$share/end" ] || ! kill -0 "$qemu" 2>/dev/null; then break; fi
		sleep 1
	done
	# the file systems are read-only by the time the guest says so
	stop_process "$qemu"
	qemu=''
	if [ ! -e "$share/end" ]; then
		tail -n 40 "$tmp/serial" "$share/log" "$tmp/qemu.log" >&2 || true
		die "the boot of the image for $script did not get to its end"
	fi
}

make_guest() { # GUEST OUT
	local guest=$1 out=$2 tree=$tmp/tree kernel
	echo "image.sh: making the image $guest-$key (minutes, once)" >&2
	mkdir "$out"
	unpack "$guest" "$tree"
	customise "$tree"
	kernel=$(cd "$tree/lib/modules" && echo *)
	cp "$tree/boot/vmlinuz-$kernel" "$out/vmlinuz"
	initrd "$tree" "$kernel" "$out/initrd"
	# where boot loaders look for it
	cp "$out/initrd" "$tree/boot/initrd.img-$kernel"
	partition "$tree" "$out/disk.raw"
	# The caches that a machine in use has, made once here: each later boot is spared the work.
	boot_once "$out" "$out/disk.raw" settle.sh
	# what an initramfs is made in: initrd.sh
	mv "$tree" "$out/tree"
}

make_loader() { # LOADER FOLDER
	local loader=$1 folder=$2 disk=$2/new.qcow2
	echo "image.sh: installing $loader in the image ${folder##*/}" >&2
	qemu-img create -q -f qcow2 -F raw -b disk.raw "$disk"
	boot_once "$folder" "$disk" install-loader.sh "LOADER=$loader ESP=$ESP_ID LINE='root=UUID=$ROOT_UUID ro $MACHINE_LINE'"
	mv "$disk" "$folder/$loader.qcow2"
}

guest=bookworm loader='' print_key=''
while [ $# -gt 0 ]; do
	case $1 in
	--guest) guest=$2 && shift ;;
	--loader) loader=$2 && shift ;;
	--print-key) print_key=yes ;;
	*) die "wanted --guest, --loader or --print-key, found '$1'" ;;
	esac
	shift
done
[[ $guest =~ ^(bookworm|trixie)$ ]] || die "there is no guest '$guest' (bookworm, trixie)"
[[ $loader =~ ^(|grub|systemd-boot|uki)$ ]] || die "there is no loader '$loader' (grub, systemd-boot, uki)"

key=$(image_key "$guest")
if [ -n "$print_key" ]; then
	echo "$key"
	exit
fi
image=$LAB_CACHE/$guest-$key
mkdir -p "$LAB_CACHE"
exec 8>"$LAB_CACHE/lock"
flock 8
if [ ! -d "$image" ] || [ ! -e "$image/${loader:-disk}.${loader:+qcow2}" ]; then
	need mmdebstrap mmdebstrap
	need e2fsprogs mkfs.ext4
	need dosfstools mkfs.vfat
	need gdisk sgdisk
	need qemu-system-x86 qemu-system-x86_64
	need qemu-utils qemu-img
	[ "$(id -u)" = 0 ] || die 'an image is made by root'
	rm -rf "$LAB_CACHE"/new.*
	tmp=$(mktemp -d "$LAB_CACHE/new.XXXXXX")
	qemu=''
	trap '[ -z "$qemu" ] || stop_process "$qemu"; rm -rf "$tmp"' EXIT
	trap 'exit 130' INT TERM HUP
	if [ ! -d "$image" ]; then
		make_guest "$guest" "$tmp/out" 8>&- >&2
		mv "$tmp/out" "$image"
	fi
	[ -z "$loader" ] || make_loader "$loader" "$image" 8>&- >&2
	# only folders with a name like one of ours: the cache is the user's
	for old in "$LAB_CACHE/$guest"-*; do
		[[ ${old##*-} =~ ^[0-9a-f]{16}$ && $old != "$image" && -e $old/disk.raw ]] && rm -rf "$old"
	done
fi
echo "$image"
