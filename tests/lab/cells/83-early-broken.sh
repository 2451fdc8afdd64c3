# shellcheck shell=bash
# boot: init
# initrd: initramfs-tools dracut
# early: [device 0000:02:00.0]\nid=1b36:0010\n\n[device 0000:04:00.0]\nid=80
# timeout: 400
#
# An early.conf that was cut off: nothing is reserved, also not what stands before the cut, and the machine boots.

for role in nvme_a nic_a; do
	is "$(override_of $role)" '(null)' "$role is not reserved"
done
is "$(sed -n 's/^state=//p' "$EARLY_RESULT")" failed 'that is written down'
matches "$(cat "$EARLY_RESULT")" 'message=/etc/passthru/early.conf:5: id: wanted VVVV:DDDD' '… with file and line'
matches "$(dmesg)" 'passthru-early: nothing is done: /etc/passthru/early.conf:5: ' '… and logged'
