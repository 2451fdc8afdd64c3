# shellcheck shell=bash
# boot: systemd
# initrd: initramfs-tools dracut
# early: [device 0000:02:00.0]\nid=1b36:0010\nidle=host\n[device 0000:04:00.0]\nid=8086:10d3\n
# timeout: 400
#
# Devices that were reserved at boot are lent as others are: one that the host has while it is idle, one that it never has.

is "$(addr nvme_a) $(addr nic_a)" '0000:02:00.0 0000:04:00.0' 'the addresses are those of early.conf'
install_passthru
mkdir -p /etc/passthru
printf '[device 0000:02:00.0]\nid=1b36:0010\nidle=host\n[device 0000:04:00.0]\nid=8086:10d3\n' >/etc/passthru/early.conf
drivers_are vfio-pci 'both are reserved' nvme_a nic_a
fails_with '^$' '… and have never met their own drivers' met nvme_a
matches "$(passthru status)" 'device 0000:02:00\.0 +(done|pending)' 'status shows it'

succeeds 'idle devices are given to the host' systemctl start passthru-idle.service
is "$(driver_of nvme_a)" nvme 'idle=host: its own driver has it'
is "$(override_of nvme_a)" '(null)' '… and no driver_override is left'
is "$(driver_of nic_a)" vfio-pci 'without idle=host it stays reserved'

baseline=$(bindings)
device_profile lab-e nvme_a nic_a
succeeds 'both are lent' passthru lend lab-e
drivers_are vfio-pci '… to vfio' nvme_a nic_a
succeeds 'and given back' passthru return lab-e
is "$(bindings)" "$baseline" '… as they were'
matches "$(passthru check)" 'ok +early-boot|warning +early-boot .*early\.conf changed' 'check has an eye on it'
