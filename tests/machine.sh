#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes small machines for --root: the files of a host's /sys, /proc, /etc and /run that the command line looks at.

# put MACHINE PATH TEXT: a file
put() {
        mkdir -p "$1$(dirname "$2")"
        printf '%s\n' "$3" >"$1$2"
}

# pci MACHINE PATH-BELOW-THE-ROOT-BUS ID CLASS GROUP DRIVER: one function, in the kernel's layout ("-" for none)
pci() {
        local dir=$1/sys/devices/pci0000:00/$2 address=${2##*/} module=${6//-/_} id=${3^^} up
        up=$(sed 's|[^/]*/|../|g; s|[^/]*$||' <<<"devices/pci0000:00/$2/")

        put "$1" "${dir#"$1"}/vendor" "0x${3%:*}"
        put "$1" "${dir#"$1"}/device" "0x${3#*:}"
        put "$1" "${dir#"$1"}/subsystem_vendor" 0x1458
        put "$1" "${dir#"$1"}/subsystem_device" 0x4037
        put "$1" "${dir#"$1"}/class" "0x$4"
        put "$1" "${dir#"$1"}/revision" 0xa1
        put "$1" "${dir#"$1"}/modalias" "$(printf 'pci:v0000%.4sd0000%.4ssv00001458sd00004037bc%.2ssc%.2si%.2s' \
                "${id%:*}" "${id#*:}" "$4" "${4:2}" "${4:4}")"
        put "$1" "${dir#"$1"}/driver_override" '(null)'
        [[ $4 != 0300* ]] || put "$1" "${dir#"$1"}/boot_vga" 0
        mkdir -p "$1/sys/bus/pci/devices"
        ln -s "../../../devices/pci0000:00/$2" "$1/sys/bus/pci/devices/$address"
        if [ "$5" != - ]; then
                mkdir -p "$1/sys/kernel/iommu_groups/$5/devices"
                ln -s "../../../../devices/pci0000:00/$2" "$1/sys/kernel/iommu_groups/$5/devices/$address"
                ln -s "${up}kernel/iommu_groups/$5" "$dir/iommu_group"
        fi
        if [ "$6" != - ]; then
                mkdir -p "$1/sys/bus/pci/drivers/$6" "$1/sys/module/$module"
                ln -s "../../../../devices/pci0000:00/$2" "$1/sys/bus/pci/drivers/$6/$address"
                ln -s "${up}bus/pci/drivers/$6" "$dir/driver"
        fi
}

# A machine on which every check is content: the firmware's display, and a GPU with its sound behind a port, which is
# lent to win10.
good_machine() {
        mkdir -p "$1"
        put "$1" /proc/cpuinfo $'processor\t: 0\nflags\t\t: fpu vmx sse'
        put "$1" /proc/sys/kernel/osrelease 6.1.0-test
        put "$1" /lib/modules/6.1.0-test/modules.dep 'kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz'
        put "$1" /sys/firmware/acpi/tables/DMAR ''
        put "$1" /usr/sbin/libvirtd ''
        put "$1" /etc/libvirt/hooks/qemu.d/50-passthru '#!/bin/sh'
        chmod 755 "$1/etc/libvirt/hooks/qemu.d/50-passthru"
        pci "$1" 0000:00:00.0 8086:9b61 060000 0 -
        pci "$1" 0000:00:01.0 8086:1901 060400 12 pcieport
        pci "$1" 0000:00:02.0 8086:3e92 030000 1 i915
        echo 1 >"$1/sys/devices/pci0000:00/0000:00:02.0/boot_vga"
        pci "$1" 0000:00:01.0/0000:01:00.0 10de:2206 030000 12 vfio-pci
        echo vfio-pci >"$1/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/driver_override"
        pci "$1" 0000:00:01.0/0000:01:00.1 10de:1aef 040300 12 snd_hda_intel
        pci "$1" 0000:00:1f.6 8086:15bb 020000 - e1000e
        lent_state "$1" settled null
}

# lent_state MACHINE STATE-OF-THE-KNOB MESSAGE
lent_state() {
        put "$1" /run/passthru/state.json '{"version":1,
"leases":[{"domain":"win10","uuid":"5a2e5c1e-9f3b-4a6c-8d1f-0123456789ab","state":"lent","since":1700000000000000,
 "until":null,"claims":[{"kind":"pci-driver","name":"0000:01:00.0","value":"vfio-pci"}]}],
"knobs":[{"kind":"pci-driver","name":"0000:01:00.0","baseline":"nvidia","applied":"vfio-pci override=vfio-pci",
 "state":"'"$2"'","message":'"$3"'}]}'
}
