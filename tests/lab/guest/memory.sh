# shellcheck shell=bash disable=SC2034
# Memory and CPUs of the host, as its own files show them.

pages() { # NODE [KIB]: nr_hugepages
	cat /sys/devices/system/node/node"$1"/hugepages/hugepages-"${2:-2048}"kB/nr_hugepages
}

free_pages() { # NODE [KIB]
	cat /sys/devices/system/node/node"$1"/hugepages/hugepages-"${2:-2048}"kB/free_hugepages
}

set_pages() { # NODE COUNT
	echo "$2" >/sys/devices/system/node/node"$1"/hugepages/hugepages-2048kB/nr_hugepages
}

pools() { # all pools, a line each
	grep -H . /sys/devices/system/node/node*/hugepages/hugepages-*/nr_hugepages
}

# hugepages_xml NODE [SIZE UNIT]: for EXTRA of domain_xml: memory from this node of the host
hugepages_xml() {
	local page=
	[ -z "${2:-}" ] || page="<page size='$2' unit='$3'/>"
	printf "<memoryBacking><hugepages>%s</hugepages></memoryBacking>" "$page"
	printf "<numatune><memory mode='strict' nodeset='%s'/></numatune>" "$1"
}

# cpus_of UNIT: what its tasks may run on; without the cpuset controller that is everything
cpus_of() { cat /sys/fs/cgroup/"$1"/cpuset.cpus.effective 2>/dev/null || cat /sys/devices/system/cpu/online; }

# cpu_files: every file of the host that isolation and speed may change, with its content; interrupts by who handles them,
# for a device that was lent may come back with other numbers
cpu_files() {
	local unit irq
	grep -sH . /sys/devices/system/cpu/cpufreq/policy*/{scaling_governor,energy_performance_preference} \
		/proc/irq/default_smp_affinity /sys/devices/virtual/workqueue/cpumask
	for irq in /proc/irq/[0-9]*; do
		[ "$(cat /sys/kernel/irq/"${irq##*/}"/actions)" = '' ] ||
			echo "irq $(cat /sys/kernel/irq/"${irq##*/}"/actions) $(cat "$irq"/smp_affinity_list)"
	done | sort
	for unit in system.slice user.slice init.scope own.slice machine.slice; do
		[ ! -d /sys/fs/cgroup/$unit ] || echo "$unit $(cpus_of $unit)"
	done
}

governors() { cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | xargs; }

# pins_xml CPU...: a vCPU on each
pins_xml() {
	local n=0 cpu
	printf '<cputune>'
	for cpu; do
		printf "<vcpupin vcpu='%d' cpuset='%s'/>" $n "$cpu"
		n=$((n + 1))
	done
	printf '</cputune>'
}

# strays CPUS: tasks of user space, other than the domains', whose last CPU and allowed CPUs are among these
strays() {
	local task allowed
	for task in /proc/[0-9]*/status; do
		allowed=$(awk -F'\t' '/^Cpus_allowed_list/ { print $2 }' "$task" 2>/dev/null)
		[ -n "$(readlink "${task%/status}"/exe)" ] || continue
		grep -qs machine.slice "${task%/status}"/cgroup && continue
		[[ $allowed =~ ^($1)$ ]] && cat "${task%/status}"/comm
	done
}
