#!/bin/bash
# image.sh [--print-key]: makes the guest's disk, kernel and initrd, unless the cache has them, and prints their folder.
#
# No loop device and no mount of ours, so it works in a container. The key of the cache is made of everything the image
# is made of; the packages come from the machine's own apt sources.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$LAB_DIR/machine.sh"

SUITE=bookworm
SOURCES=(image.sh common.sh machine.sh packages guest/lab-start guest/lab.service guest/initrd-init guest/settle.sh)

image_key() {
	(cd "$LAB_DIR" && echo "$SUITE" && sha256sum "${SOURCES[@]}") | sha256sum | cut -c1-16
}

# The lines of apt's own configuration that decide where packages come from and how. apt has parsed them, so
# one-line and deb822 files, proxies and options all work without a parser here.
apt_sources() {
	apt-get indextargets 'Created-By: Packages' 'Origin: Debian' \
		--format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" | grep -E " $SUITE(-updates|-security)? " | sort -u
}

apt_options() {
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-Valid-Until|Check-Date)[: ]' || true
}

unpack() { # TREE
	local tree=$1 packages
	packages=$(sed 's/#.*//' "$LAB_DIR/packages" | xargs | tr ' ' ,)
	apt_sources >"$tmp/sources"
	[ -s "$tmp/sources" ] || die "apt knows no package list of Debian $SUITE: run apt-get update on a Debian $SUITE machine"
	apt_options >"$tmp/apt.conf"
	# INITRD=No: the kernel's own hook would build an initrd that nothing boots here
	INITRD=No mmdebstrap --quiet --variant=minbase --include="$packages" \
		--aptopt="$tmp/apt.conf" --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		"$SUITE" "$tree" - <"$tmp/sources"
}

customise() { # TREE
	local tree=$1 unit
	echo lab >"$tree/etc/hostname"
	echo '/dev/vda / ext4 defaults,noatime 0 0' >"$tree/etc/fstab"
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
		cp "$tree$file" "$dir/modules/$((n++))-${file##*/}"
	done <"$tmp/modules"
	(cd "$dir" && find . | "$tree/bin/busybox" cpio -o -H newc) >"$out"
}

# settle OUT: one boot that keeps what it writes: policy caches, libvirt's idea of its emulator. Made once here, each
# later boot is spared the work.
settle() {
	local out=$1 share=$tmp/share n
	mkdir -p "$share/guest"
	cp "$LAB_DIR/guest/settle.sh" "$share/guest/main.sh"
	machine_qemu "$out" "$share" "$tmp" 'systemd.unit=basic.target systemd.wants=lab.service' keep
	"${QEMU[@]}" -no-reboot </dev/null &
	qemu=$!
	for ((n = 0; n < 240; n++)); do
		if [ -e "$share/end" ] || ! kill -0 "$qemu" 2>/dev/null; then break; fi
		sleep 1
	done
	# the file systems are read-only by the time the guest says so
	stop_process "$qemu"
	qemu=''
	if [ ! -e "$share/end" ]; then
		tail -n 40 "$tmp/serial" "$share/log" >&2 || true
		die 'the first boot of the image did not get to its end'
	fi
}

build() { # OUT
	local out=$1 tree=$tmp/tree kernel
	mkdir "$out"
	unpack "$tree"
	customise "$tree"
	kernel=$(cd "$tree/lib/modules" && echo *)
	cp "$tree/boot/vmlinuz-$kernel" "$out/vmlinuz"
	initrd "$tree" "$kernel" "$out/initrd"
	truncate -s 3G "$out/root.ext4"
	mkfs.ext4 -q -F -L lab -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 -d "$tree" "$out/root.ext4"
	settle "$out"
	# what an initramfs is made in: initrd.sh
	mv "$tree" "$out/tree"
}

key=$(image_key)
if [ "${1:-}" = --print-key ]; then
	echo "$key"
	exit
fi
mkdir -p "$LAB_CACHE"
exec 8>"$LAB_CACHE/lock"
flock 8
if [ ! -d "$LAB_CACHE/$key" ]; then
	need mmdebstrap mmdebstrap
	need e2fsprogs mkfs.ext4
	need qemu-system-x86 qemu-system-x86_64
	[ "$(id -u)" = 0 ] || die 'an image is made by root'
	echo "image.sh: making the image $key (minutes, once)" >&2
	rm -rf "$LAB_CACHE"/new.*
	tmp=$(mktemp -d "$LAB_CACHE/new.XXXXXX")
	qemu=''
	trap '[ -z "$qemu" ] || stop_process "$qemu"; rm -rf "$tmp"' EXIT
	trap 'exit 130' INT TERM HUP
	build "$tmp/out" 8>&- >&2
	mv "$tmp/out" "$LAB_CACHE/$key"
	# only folders with a name like a key of ours: the cache is the user's
	for old in "$LAB_CACHE"/????????????????; do
		[[ ${old##*/} =~ ^[0-9a-f]{16}$ && ${old##*/} != "$key" && -e $old/root.ext4 ]] && rm -rf "$old"
	done
fi
echo "$LAB_CACHE/$key"
