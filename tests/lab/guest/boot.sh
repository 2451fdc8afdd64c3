# shellcheck shell=bash
# The kernel command line of a guest that boots by itself: what a cell looks at, and the stages of it, one for each boot.

BOOT_PARAMETERS='intel_iommu=on iommu=pt lab.marker=1'
# the loaders' own state, which changes with every boot
BOOT_STATE='/boot/(grub/grubenv|efi/loader/random-seed)$'

line() { cat /proc/cmdline; }

iommu_groups() { find /sys/kernel/iommu_groups -mindepth 1 -maxdepth 1 | wc -l; }

# All that a boot can depend on, on the root and on the EFI system partition: kind, mode, owner and target of
# everything, and a checksum of each file.
boot_files() {
	find /boot /etc -printf '%y %m %u:%g %p %l\n' | sort
	find /boot /etc -type f -print0 | sort -z | grep -zvE "$BOOT_STATE" | xargs -0 sha256sum
}

remember_files() { boot_files >"$LAB/$1"; } # NAME

files_are() { # NAME TEXT
	if boot_files | cmp -s - "$LAB/$1"; then
		ok "$2"
	else
		not_ok "$2" "$(boot_files | diff "$LAB/$1" -)"
	fi
}

boot_settings() { # EXTRA: parameters besides those of the IOMMU
	settings '[iommu]' enable=on passthrough=yes '[parameters]' "extra=$1"
}

boot_status() { passthru boot status --json | jq -r '.parameters[].status' | sort -u; }

boot_trial() { passthru boot status --json | jq -r '.trial'; }

confirm_is_over() { [[ $(systemctl show -P ActiveState passthru-boot.service) =~ ^(active|failed)$ ]]; }

# wait_for_confirm: until passthru-boot.service has judged this boot
wait_for_confirm() {
	eventually 240 confirm_is_over
	is "$(systemctl show -P Result passthru-boot.service)" success 'passthru-boot.service has looked at the boot'
	journalctl --no-pager -u passthru-boot.service
}

boot_next() {
	sync
	reboot_guest
}

# Boot 1, as the machine came. TITLE: the loader, as passthru calls it
boot_first() {
	local title=$1
	install_passthru
	# /usr is younger now, for which systemd would do the work of a first boot at the next one
	touch /etc/.updated /var/.updated
	systemctl enable passthru.socket passthru-boot.service
	# dracut is in the image for its own cells; it would make an initrd of modules that the installed kernel does not have
	mkdir -p /etc/kernel/install.d
	ln -sf /dev/null /etc/kernel/install.d/50-dracut.install
	boot_settings lab.marker=1
	line >"$LAB/line"
	remember_files files
	is "$(iommu_groups)" 0 'there are no IOMMU groups at first'
	succeeds 'passthru knows the boot loader' passthru boot status
	is "$(head -n 1 <<<"$OUTPUT")" "Boot loader: $title" '… the right one, from what it left in EFI variables or files'
	is "$(boot_status)" 'not applied: passthru boot apply' '… and that nothing is there yet'
	run passthru boot plan
	is "$STATUS" 2 'a plan has changes'
	matches "$OUTPUT" "$BOOT_PARAMETERS" '… with all parameters'
	files_are files '… and makes none of them'
	succeeds 'a trial is prepared' passthru boot apply --yes
	is "$(boot_trial)" 'the next boot tries it' '… for the next boot'
	is "$(boot_status)" 'not applied: passthru boot apply' '… and not for others'
	boot_next
}

kernel_hooks() { env INITRD=No run-parts --exit-on-error --arg="$2" --arg="/boot/vmlinuz-$2" "/etc/kernel/$1.d"; } # KIND KERNEL

# What the packages of a kernel do, without its modules and its initrd, which nothing boots.
boot_gets_kernel() {
	local kernel=9.9.9-lab
	cp "/boot/vmlinuz-$(uname -r)" "/boot/vmlinuz-$kernel"
	succeeds 'another kernel is installed' kernel_hooks postinst $kernel
	is_not "$(grep -rl $kernel /boot/grub /boot/efi)" '' '… and can be booted'
	succeeds '… and nothing is left to do' passthru boot plan
	is "$(boot_status)" 'in effect' '… for its line has all parameters'
	rm "/boot/vmlinuz-$kernel"
	succeeds 'it is removed' kernel_hooks postrm $kernel
	files_are applied '… and the files are what they were, byte for byte'
}

# Boot 2 tries the line.
boot_tried() {
	matches "$(line)" " $BOOT_PARAMETERS panic=10 passthru.trial=" 'the trial boots with all parameters'
	is_not "$(iommu_groups)" 0 '… and has IOMMU groups'
	wait_for_confirm
	is "$(boot_trial)" null '… and confirmed it'
	is "$(boot_status)" 'in effect' '… so that all boots have the parameters'
	remember_files applied
	succeeds 'to apply them again is possible' passthru boot apply --yes
	matches "$OUTPUT" 'nothing to do' '… and nothing to do'
	boot_gets_kernel
	boot_next
}

# Boot 3 is one like all to come. Then a trial is prepared that ends in a panic.
boot_kept() {
	is "$(line)" "$(</lab/line) $BOOT_PARAMETERS" 'the boot after it has the line of before, and the parameters behind it'
	is_not "$(iommu_groups)" 0 '… and IOMMU groups'
	is "$(boot_status)" 'in effect' '… and passthru says so'
	line >"$LAB/line.kept"
	boot_settings 'lab.marker=1 init=/nonexistent'
	succeeds 'a trial is prepared that will panic' passthru boot apply --yes
	boot_next
}

# Boot 4 in our count: the kernel that panicked did not get to the script.
boot_fell_back() {
	matches "$(tail -n 2 /var/lab-lines | head -n 1)" 'init=/nonexistent' 'the tried line was booted, and panicked'
	is "$(line)" "$(</lab/line.kept)" 'the machine came back by itself, with the line of before'
	wait_for_confirm
	matches "$(boot_trial)" 'did not come up' '… and gave the trial up, with the reason'
	boot_settings lab.marker=1
	is "$(boot_status)" 'in effect' '… and kept what was there'
	files_are applied '… in files that are what they were before the trial, byte for byte'
	succeeds 'all parameters are taken out' passthru boot revert --yes
	files_are files '… and every file is what it was at first, byte for byte'
	is "$(boot_status)" 'gone at the next boot' '… and the next boot is without them'
	boot_next
}

# Boot 5 is the machine as it came. All boots at once are left to try: the files say enough.
boot_is_as_before() {
	is "$(line)" "$(</lab/line)" 'the machine booted with the line that it had at first'
	is "$(iommu_groups)" 0 '… and without IOMMU groups'
	files_are files '… and every file is what it was'
	is "$(boot_status)" 'not applied: passthru boot apply' '… and passthru says so'
	succeeds 'the parameters are written for all boots, without a trial' passthru boot apply --no-trial --yes
	is "$(boot_status)" 'reboot pending' '… and come with the next one'
	files_are applied '… in the same files as behind a trial'
	succeeds 'they are taken out' passthru boot revert --yes
	files_are files '… and every file is what it was'
}

boot_cycle() { # TITLE
	case $STAGE in
	1) boot_first "$1" ;;
	2) boot_tried ;;
	3) boot_kept ;;
	4) boot_fell_back ;;
	5) boot_is_as_before ;;
	esac
}
