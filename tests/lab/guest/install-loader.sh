# shellcheck shell=bash
# Runs once, while a disk is made that boots by itself: installs LOADER as its distribution does, with its own tools.
# The variables of this boot's firmware are not kept: later ones find the loader in the place for removable disks.
set -ex
# a failure is the end of the machine, which whoever waits for the end of this script sees
trap 'echo o >/proc/sysrq-trigger' ERR
# shellcheck source=/dev/null
. /lab/settings
# The kernels of Debian turn the IOMMU on by themselves. Here it takes a parameter.
LINE+=' intel_iommu=off systemd.unit=multi-user.target systemd.wants=lab.service'
kernel=$(uname -r)

install_grub() {
	# root= is grub-mkconfig's own
	sed -i -e 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=0/' -e 's/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT="quiet"/' \
		-e "s|^GRUB_CMDLINE_LINUX=.*|GRUB_CMDLINE_LINUX=\"${LINE#root=* ro }\"|" \
		-e 's/^#GRUB_TERMINAL=.*/GRUB_TERMINAL=console/' /etc/default/grub
	grub-install --target=x86_64-efi --efi-directory=/boot/efi --no-nvram --removable
	update-grub
}

install_systemd_boot() { # LAYOUT: bls or uki, as kernel-install calls it
	bootctl --esp-path=/boot/efi --no-variables install
	printf 'timeout 0\n' >/boot/efi/loader/loader.conf
	mkdir -p /etc/kernel/install.d
	echo "layout=$1" >/etc/kernel/install.conf
	echo "$LINE" >/etc/kernel/cmdline
	# the modules of a kernel that comes from a package are known, and to look again takes half a minute
	ln -s /dev/null /etc/kernel/install.d/50-depmod.install
	kernel-install --verbose add "$kernel" "/boot/vmlinuz-$kernel"
}

mkdir -p /boot/efi
echo "UUID=$ESP /boot/efi vfat umask=0077 0 0" >>/etc/fstab
mount /boot/efi
case $LOADER in
grub) install_grub ;;
systemd-boot) install_systemd_boot bls ;;
uki) install_systemd_boot uki ;;
esac
umount /boot/efi
sync
# all file systems read-only, so that the machine may be stopped at once
echo s >/proc/sysrq-trigger
sleep 1
echo u >/proc/sysrq-trigger
sleep 2
touch /lab/end
