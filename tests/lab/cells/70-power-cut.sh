# shellcheck shell=bash
# boot: init
# host: power-cut
# timeout: 300
#
# The power fails while boot entries are edited. Here the edits are made; after the run tests/lab/power-cut cuts the log of
# their writes wherever it can be cut, and reads what is left as a boot loader would.

P=$LAB/power-cut

device() { # DISK
	local file
	file=$(grep -lx "$1" /sys/block/vd*/serial) && file=${file%/serial} && echo "/dev/${file##*/}"
}

size_of() { awk -v d="$1" '$1 == d { print $2 }' "$P/disks"; } # DISK, in MiB

# mark DISK TEXT [CONVERSION]: past the page cache, so that it stands in the log where it was made
mark() {
	printf '%s\n' "$2" | dd of="$(device "$1")" bs=512 seek=$(($(size_of "$1") * 2048)) oflag=direct conv=notrunc,sync${3:+,$3} status=none
}

# step DISK FS FOLDER NAME WANTED COMMAND...: FOLDER is below the disk's root and mounted in /mnt/DISK
step() {
	local disk=$1 folder=$3 name=$4
	mkdir -p "$P/before/$disk-$name"
	cp "/mnt/$disk/$folder"/*.conf "$P/before/$disk-$name"
	echo "${*:1:5}" >>"$P/steps"
	sync
	mark "$disk" "$name begin" fsync
	succeeds "$disk, $name: succeeds" "${@:6}"
	mark "$disk" "$name done"
	sync
	mark "$disk" "$name end" fsync
}

mount_disk() { # DISK MOUNT-ARGUMENT...
	mkdir -p "/mnt/$1"
	succeeds "$1 is mounted" mount "${@:2}" "$(device "$1")" "/mnt/$1"
}

want() { # ROOT
	mkdir -p "$1/etc/passthru" "$1/var/lib"
	printf '[parameters]\nextra = intel_iommu=on iommu=pt\n' >"$1/etc/passthru/passthru.conf"
}

keep_tree() { # DISK NAME: for the host to compare with
	mkdir -p "$P/trees"
	cp -r "/mnt/$1" "$P/trees/$1-$2"
}

# The entry gets a longer options line, as an edit of a kernel command line makes it.
longer() { sed 's/^options.*/& nosmt=force/' "$1"; } # FILE

# What is usual, and wrong on VFAT.
temporary_and_rename() { # FILE
	longer "$1" >"$1.new" && sync "$1.new" && mv "$1.new" "$1" && sync "$(dirname "$1")"
}

# What "> FILE" does in slow motion.
in_place() { # FILE
	longer "$1" >/tmp/longer && dd if=/tmp/longer of="$1" conv=notrunc,fsync status=none
}

# A new entry, and its end.
makes_and_removes() { # DISK FS FOLDER
	step "$1" "$2" "$3" new safe "$P/replace" "/mnt/$1" "/$3/new-entry-of-a-trial.conf" "$(longer "$(entry_of "$1")")"
	step "$1" "$2" "$3" gone safe "$P/replace" "/mnt/$1" "/$3/new-entry-of-a-trial.conf"
}

entry_of() { find "/mnt/$1" -name '*.conf' -path '*/loader/entries/*' | sort | head -n 1; } # DISK

# The ESP of a systemd-boot with three kernels; the rest of the root is on a disk that is not looked at.
esp() { # DISK MKFS-ARGUMENT...
	local disk=$1 root=/root-$1 entries=loader/entries first
	succeeds "$disk is formatted" mkfs.vfat -F 32 "${@:2}" "$(device "$disk")" $(($(size_of "$disk") * 1024))
	# as the Debian installer has it in fstab
	mount_disk "$disk" -t vfat -o umask=0077
	cp -r "$P/debian-12-sdboot" "$root"
	want "$root"
	cp -r "$root/boot/efi/." "/mnt/$disk"
	first=$(entry_of "$disk")
	sed 's/6\.1\.0-13/6.1.0-9/g' "$first" >"${first/6.1.0-13/6.1.0-9}"
	rm -r "$root/boot/efi"
	mkdir "$root/boot/efi"
	mount --bind "/mnt/$disk" "$root/boot/efi"
	step "$disk" vfat $entries apply safe passthru --root "$root" boot apply --no-trial --yes
	step "$disk" vfat $entries revert safe passthru --root "$root" boot revert --yes
	makes_and_removes "$disk" vfat $entries
	step "$disk" vfat $entries rename lost temporary_and_rename "$first"
}

# A root partition with /boot on it and the entries of a Fedora, which its GRUB reads.
grub() {
	local disk=grub entries=boot/loader/entries
	# the default, done at once: else a thread of the kernel would write zeroes into the log
	succeeds "$disk is formatted" mkfs.ext4 -q -E nodiscard,lazy_itable_init=0 "$(device $disk)" "$(size_of $disk)M"
	mount_disk $disk -t ext4
	cp -r "$P/fedora-41/." /mnt/$disk
	want /mnt/$disk
	step $disk ext4 $entries apply safe passthru --root /mnt/$disk boot apply --no-trial --yes
	keep_tree $disk apply
	step $disk ext4 $entries revert safe passthru --root /mnt/$disk boot revert --yes
	keep_tree $disk revert
	makes_and_removes $disk ext4 $entries
	step $disk ext4 $entries in-place lost in_place "$(entry_of $disk)"
}

install_passthru
esp esp
# A cluster of one sector: folders and entries have several.
esp esp-small -s 1
grub
