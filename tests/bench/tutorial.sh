# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced: what a user of the GPU passthrough tutorial has under /etc/libvirt/hooks, written anew: the same commands in
# the same order. $ROOT in front of /sys and /proc is empty on a real host.

# tutorial_install DIRECTORY DOMAIN ROOT bind|full MIB NODEDEV...: "full" has hugepages and the governor too
tutorial_install() {
	local dir=$1 domain=$2 root=$3 what=$4 mib=$5 device begin end
	shift 5
	begin=$dir/qemu.d/$domain/prepare/begin end=$dir/qemu.d/$domain/release/end
	mkdir -p "$begin" "$end"
	{
		printf 'ROOT=%q\nMEMORY=%q\n' "$root" "$mib"
		for device; do printf 'DEVICES_%s=%q\n' "${device//[^0-9a-f]/}" "$device"; done
	} >"$dir/kvm.conf"

	tutorial_dispatcher >"$dir/qemu"
	{
		printf '#!/bin/bash\nsource "%s/kvm.conf"\n' "$dir"
		printf 'modprobe %s\n' vfio vfio_iommu_type1 vfio_pci
		# shellcheck disable=SC2016 # expanded there
		for device; do printf 'virsh nodedev-detach $DEVICES_%s\n' "${device//[^0-9a-f]/}"; done
	} >"$begin/bind.sh"
	{
		printf '#!/bin/bash\nsource "%s/kvm.conf"\n' "$dir"
		# shellcheck disable=SC2016
		for device; do printf 'virsh nodedev-reattach $DEVICES_%s\n' "${device//[^0-9a-f]/}"; done
		printf 'modprobe -r %s\n' vfio_pci vfio_iommu_type1 vfio
	} >"$end/unbind.sh"
	if [ "$what" = full ]; then
		tutorial_pages "$dir" >"$begin/pages.sh"
		# shellcheck disable=SC2016
		printf '#!/bin/bash\nsource "%s/kvm.conf"\necho 0 >$ROOT/proc/sys/vm/nr_hugepages\n' "$dir" >"$end/pages.sh"
		tutorial_governor "$dir" performance >"$begin/governor.sh"
		tutorial_governor "$dir" ondemand >"$end/governor.sh"
	fi
	chmod -R a+x "$dir"
}

# The common hook helper: runs what is executable in qemu.d/DOMAIN/OPERATION/SUB-OPERATION.
tutorial_dispatcher() {
	cat <<'END'
#!/bin/bash
here=$(dirname "$0")
path=$here/qemu.d/$1/$2/$3
set -e
if [ -f "$path" ] && [ -x "$path" ]; then
	"$path" "$@"
elif [ -d "$path" ]; then
	while read -r file; do
		[ -z "$file" ] || "$file" "$@"
	done <<<"$(find -L "$path" -maxdepth 1 -type f -executable -print)"
fi
END
}

tutorial_pages() { # DIRECTORY
	printf '#!/bin/bash\nsource "%s/kvm.conf"\n' "$1"
	cat <<'END'
wanted=$((MEMORY / ($(grep Hugepagesize "$ROOT/proc/meminfo" | awk '{ print $2 }') / 1024)))
echo $wanted >"$ROOT/proc/sys/vm/nr_hugepages"
got=$(cat "$ROOT/proc/sys/vm/nr_hugepages")
tries=0
while ((got != wanted && tries < 1000)); do
	echo 1 >"$ROOT/proc/sys/vm/compact_memory"
	echo $wanted >"$ROOT/proc/sys/vm/nr_hugepages"
	got=$(cat "$ROOT/proc/sys/vm/nr_hugepages")
	let tries+=1
done
if [ "$got" -ne "$wanted" ]; then
	echo 0 >"$ROOT/proc/sys/vm/nr_hugepages"
	exit 1
fi
END
}

tutorial_governor() { # DIRECTORY GOVERNOR
	printf '#!/bin/bash\nsource "%s/kvm.conf"\n' "$1"
	cat <<END
cat \$ROOT/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor
for file in \$ROOT/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo $2 >\$file; done
cat \$ROOT/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor
END
}

# tutorial_groups FILE ROOT LSPCI-OPTION...: the loop over IOMMU groups, one lspci per function
tutorial_groups() {
	local file=$1 root=$2
	shift 2
	cat >"$file" <<END
#!/bin/bash
for device in $root/sys/kernel/iommu_groups/*/devices/*; do
	group=\${device#*/iommu_groups/}
	printf 'IOMMU Group %s ' "\${group%%/*}"
	lspci $* -nns "\${device##*/}"
done
END
	chmod a+x "$file"
}
