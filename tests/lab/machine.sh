# shellcheck shell=bash
# Sourced: the machine of the lab without its PCI devices (those are in topology.sh).
#
#   q35, an intel-iommu that remaps interrupts and shadows the guest's page tables (vfio needs both), 2 CPUs,
#   disk, share and randomness as virtio devices in the slots 03 to 05 of the root complex, one serial port.
#
# LAB_SMP (2), LAB_MEMORY (2G), LAB_NODES (1; 2 splits memory and CPUs into two NUMA nodes), LAB_ACCEL (probed),
# LAB_CPUFREQ (a compiled table; gives every CPU a cpufreq policy), LAB_INITRD (a file) change it.

QEMU=()

# Kernel arguments of every boot. mitigations=off because they cost time under emulation; no_timer_check because the
# kernel counts the timer's interrupts to see whether they arrive at all, and panics where a busy machine is late with them.
MACHINE_LINE='console=ttyS0 quiet loglevel=4 mitigations=off no_timer_check random.trust_cpu=on'
MACHINE_LINE+=' systemd.show_status=0 rd.udev.log_level=3'

machine_accel() { # IMAGE: "kvm" where it was seen to work, else "tcg"
	local image=$1 boot verdict dir pid n
	if [ ! -w /dev/kvm ]; then
		echo tcg
		return
	fi
	# The device alone proves nothing: there are hosts where it opens and no kernel gets to its first line.
	boot=$(cat /proc/sys/kernel/random/boot_id)
	verdict=$LAB_CACHE/accel
	if [ "$(cut -d' ' -f1 "$verdict" 2>/dev/null)" = "$boot" ]; then
		cut -d' ' -f2 "$verdict"
		return
	fi
	dir=$(mktemp -d)
	qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine q35 -accel kvm -cpu host -m 256M \
		-kernel "$image/vmlinuz" -append 'console=ttyS0 earlyprintk=serial panic=-1' -serial file:"$dir/serial" \
		>"$dir/out" 2>&1 </dev/null &
	pid=$!
	verdict=tcg
	for ((n = 0; n < 150; n++)); do
		if grep -aqs 'Linux version' "$dir/serial"; then
			verdict=kvm
			break
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	stop_process "$pid"
	rm -rf "$dir"
	echo "$boot $verdict" >"$LAB_CACHE/accel"
	echo "$verdict"
}

# machine_qemu IMAGE DISK SHARE DIR [keep]: fills QEMU with a command line, which machine_kernel or machine_firmware
# completes. DIR gets the serial log and temporary files. What the guest writes to its disk is forgotten, except with keep.
machine_qemu() {
	local image=$1 disk=$2 share=$3 dir=$4 snapshot=on format=raw accel smp=${LAB_SMP:-2} memory=${LAB_MEMORY:-2G}
	[ "${5:-}" != keep ] || snapshot=off
	[[ $disk != *.qcow2 ]] || format=qcow2
	accel=${LAB_ACCEL:-$(machine_accel "$image")}
	# TMPDIR: QEMU keeps the writes of a snapshot there
	QEMU=(env "TMPDIR=$dir" qemu-system-x86_64 -nodefaults -no-user-config -display none
		-machine "q35,kernel-irqchip=split" -smp "$smp" -m "$memory"
		-device "intel-iommu,intremap=on,caching-mode=on"
		-drive "file=$disk,format=$format,if=none,id=root,snapshot=$snapshot,cache=unsafe,aio=threads"
		-device "virtio-blk-pci,drive=root,addr=03.0,bootindex=1"
		-fsdev "local,id=lab,path=$share,security_model=none" -device "virtio-9p-pci,fsdev=lab,mount_tag=lab,addr=04.0"
		-object "rng-random,id=random,filename=/dev/urandom" -device "virtio-rng-pci,rng=random,addr=05.0"
		-serial "file:$dir/serial")
	case $accel in
	kvm) QEMU+=(-accel kvm -cpu host) ;;
	# family 6: acpi-cpufreq looks at the family before it looks at the table. Flags of "max" are
	# best left alone: with svm=off the first program of the initrd dies in QEMU 7.2.
	*) QEMU+=(-accel "tcg,thread=multi,tb-size=512" -cpu "max,family=6") ;;
	esac
	if [ "${LAB_NODES:-1}" = 2 ]; then
		local mib=${memory%G}
		mib=$((mib * 512))
		QEMU+=(-object "memory-backend-ram,id=m0,size=${mib}M" -object "memory-backend-ram,id=m1,size=${mib}M"
			-numa "node,nodeid=0,cpus=0-$((smp / 2 - 1)),memdev=m0"
			-numa "node,nodeid=1,cpus=$((smp / 2))-$((smp - 1)),memdev=m1")
	fi
	if [ -n "${LAB_CPUFREQ:-}" ]; then
		# each change of the clock writes a byte to this port: proof from outside the guest
		QEMU+=(-acpitable "file=$LAB_CPUFREQ" -chardev "file,id=clock,path=$share/clock"
			-device "isa-debugcon,iobase=0x5f0,chardev=clock")
	fi
}

# machine_kernel IMAGE APPEND: the guest's kernel, started by QEMU. A panic ends the machine at once instead of at the
# time limit.
machine_kernel() {
	QEMU+=(-kernel "$1/vmlinuz" -initrd "${LAB_INITRD:-$1/initrd}"
		-append "root=/dev/vda2 rw $MACHINE_LINE panic=-1 intel_iommu=on iommu=pt $2")
}

# machine_firmware DIR: what the disk has, started by UEFI firmware. DIR gets its variables, which are written for real
# and begin as on a machine that is new.
machine_firmware() {
	local firmware=/usr/share/OVMF
	[ -e "$firmware/OVMF_CODE_4M.fd" ] || die "$firmware/OVMF_CODE_4M.fd is missing; install the package ovmf"
	cp "$firmware/OVMF_VARS_4M.fd" "$1/variables.fd"
	QEMU+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=$firmware/OVMF_CODE_4M.fd"
		-drive "if=pflash,unit=1,format=raw,file=$1/variables.fd")
}
