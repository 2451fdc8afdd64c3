# shellcheck shell=bash
# boot: systemd
# initrd: initramfs-tools dracut
# early: [device 0000:1f:00.0]\nid=8086:293e\n[device 0000:00:02.0]\nid=1234:1111\n[device 0000:00:03.0]\nid=1af4:1001\nforce=yes\n[device 0000:07:00.0]\nid=1b36:0010\n[image]\nkeep=0000:00:03.0 /\n
# timeout: 400
#
# Addresses that are wrong, and what the host must keep, with the udev of a whole system behind it.

is "$(addr boot_vga)" 0000:00:02.0 'the address of the display is the one in early.conf'
eventually 60 grep -q '^state=done$' "$EARLY_RESULT"
note "$(grep -v '^took' "$EARLY_RESULT")"

is "$(driver_of gpu1)" vfio-pci 'a device that moved is found by its id'
fails_with '^$' '… and has never met its own driver' met gpu1
is "$(early_state 'device 0000:1f:00.0')" 'done' '… which is written down'
is "$(early_message 'device 0000:1f:00.0')" "moved to $(addr gpu1)" '… with the address where it was found'
matches "$(dmesg)" "passthru-early: device 0000:1f:00.0: done: moved to $(addr gpu1)" '… and logged'

is "$(override_of boot_vga)" '(null)' 'the display of the firmware is left alone'
matches "$(early_message boot_vga)" 'the display that the firmware uses' '… and it says why'
is "$(override_of 0000:00:03.0)" '(null)' 'the disk of the root file system is left alone, even with force'
matches "$(early_message 0000:00:03.0)" 'boots from: /$' '… and it says why'

is "$(early_state 'device 0000:07:00.0')" 'left alone' 'of several identical disks none is guessed'
for role in nvme_a nvme_b shared_nvme nvme_fs; do
	is "$(driver_of $role)" nvme "$role has its own driver"
done

# --- what an image made on this machine would have in it ---
install_passthru
mkdir -p /etc/passthru
printf '[device %s]\nid=1b36:0010\n' "$(addr nvme_a)" >/etc/passthru/early.conf
succeeds 'early.conf is packed on a running system' /usr/libexec/passthru/passthru-early --pack /tmp/packed
is "$OUTPUT" vfio-pci '… and the module is named'
matches "$(cat /tmp/packed)" 'path=0000:00:11.0/00.0' '… with the place of the device'
matches "$(cat /tmp/packed)" 'keep=0000:00:03.0 /' '… and the disk of the root file system'
