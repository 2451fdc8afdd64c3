# shellcheck shell=bash
# Runs once, while the image is made: leaves the caches that a machine in use has.
set -x
udevadm settle
aa-status --profiled
systemctl start libvirtd.service
virsh version
virsh domcapabilities --virttype qemu >/dev/null
ls -l /var/cache/libvirt/qemu/capabilities /var/cache/apparmor/*
systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
sync
# all file systems read-only, so that the machine may be stopped at once
echo s >/proc/sysrq-trigger
sleep 1
echo u >/proc/sysrq-trigger
sleep 2
touch /lab/end
