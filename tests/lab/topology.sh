# shellcheck shell=bash
# Sourced: the PCI devices of the lab, each under a role. Tests name roles, never bus numbers.
#
#   role              slot (path)      IOMMU group
#   boot_vga          02.0             alone                                 the display the host boots with
#   gpu0 gpu1 gpu2    10.0/00.{0,1,2}  the three, without others             display, sound and USB of one card
#   nvme_a            11.0/00.0        alone                                 holds the nested guest
#   nvme_b            12.0/00.0        alone                                 holds the nested guest
#   nic_a             13.0/00.0        alone
#   shared_nvme       14.0/00.0        with its port and shared_nic          holds the nested guest
#   shared_nic        14.0/00.1        with its port and shared_nvme
#   nvme_fs           15.0/00.0        alone                                 holds an ext4 file system, label lab-data
#                     full only:
#   nvme_c d e        16.0 17.0 18.0   alone                                 hold the nested guest
#   switch_nvme       19.0/00.0/00.0/00.0  with the port, the whole switch and switch_usb
#   switch_usb        19.0/00.0/01.0/00.0  the same
#   display_b         1a.0/00.0        alone                                 a second display without a VGA
#
# A group is alone where all ports above have ACS: QEMU's root ports do, unless told otherwise; its switches don't.

DEVICES=()
ROLES=()

port() { # ID SLOT [OPTIONS]
	DEVICES+=(-device "pcie-root-port,id=$1,bus=pcie.0,addr=$2,chassis=$((16#${2%.0})),slot=$((16#${2%.0}))${3:+,$3}")
}

place() { # ROLE PATH QEMU-DEVICE
	ROLES+=("$1 $2")
	DEVICES+=(-device "$3")
}

# nvme ROLE PATH BUS IMAGE [OPTIONS]; the serial number is the role
nvme() {
	DEVICES+=(-drive "file=$4,format=raw,if=none,id=disk-$1,snapshot=on")
	place "$1" "$2" "nvme,drive=disk-$1,serial=$1,bus=$3${5:+,$5}"
}

# topology none|demo|full DIR: fills DEVICES with QEMU's arguments and ROLES with "role path"; DIR/nested.img and
# DIR/data.img are the disks' content.
topology() {
	local dir=$2 slot
	DEVICES=()
	ROLES=()
	[ "$1" != none ] || return 0
	DEVICES=(-audiodev "none,id=silence")
	place boot_vga 02.0 "VGA,bus=pcie.0,addr=02.0,vgamem_mb=8"

	port port_gpu 10.0
	place gpu0 10.0/00.0 "VGA,bus=port_gpu,addr=00.0,vgamem_mb=8,multifunction=on"
	place gpu1 10.0/00.1 "ich9-intel-hda,id=gpu1,bus=port_gpu,addr=00.1"
	DEVICES+=(-device "hda-output,bus=gpu1.0,audiodev=silence")
	place gpu2 10.0/00.2 "qemu-xhci,bus=port_gpu,addr=00.2"

	port port_a 11.0
	nvme nvme_a 11.0/00.0 port_a "$dir/nested.img"
	port port_b 12.0
	nvme nvme_b 12.0/00.0 port_b "$dir/nested.img"
	port port_nic 13.0
	place nic_a 13.0/00.0 "e1000e,bus=port_nic"

	port port_shared 14.0 disable-acs=on
	nvme shared_nvme 14.0/00.0 port_shared "$dir/nested.img" addr=00.0,multifunction=on
	place shared_nic 14.0/00.1 "e1000e,bus=port_shared,addr=00.1"

	port port_fs 15.0
	nvme nvme_fs 15.0/00.0 port_fs "$dir/data.img"

	case $1 in
	demo) return 0 ;;
	full) ;;
	*) die "there is no topology '$1' (none, demo, full)" ;;
	esac

	for slot in c:16.0 d:17.0 e:18.0; do
		port "port_${slot%:*}" "${slot#*:}"
		nvme "nvme_${slot%:*}" "${slot#*:}/00.0" "port_${slot%:*}" "$dir/nested.img"
	done

	port port_switch 19.0 disable-acs=on
	DEVICES+=(-device "x3130-upstream,id=switch,bus=port_switch"
		-device "xio3130-downstream,id=down0,bus=switch,addr=00.0,chassis=64,slot=64"
		-device "xio3130-downstream,id=down1,bus=switch,addr=01.0,chassis=65,slot=65")
	nvme switch_nvme 19.0/00.0/00.0/00.0 down0 "$dir/nested.img"
	place switch_usb 19.0/00.0/01.0/00.0 "qemu-xhci,bus=down1"

	port port_display 1a.0
	place display_b 1a.0/00.0 "bochs-display,bus=port_display"
}
