# shellcheck shell=bash
# libvirt and its domains. All domains are 64 MiB machines that boot nested.S from the first nvme they are given.

SERIAL_DIR=/var/log/libvirt/qemu

start_libvirtd() {
	systemctl start libvirtd.service && virsh -q list >/dev/null
}

confine_domains() { # before start_libvirtd: AppArmor for each domain too, as on a stock Debian; a start takes longer
	sed -i '/^security_driver/d' /etc/libvirt/qemu.conf
}

is_nvme() { [[ $(cat "$(sysfs_of "$1")/class") == 0x0108* ]]; }

# domain_xml NAME yes|no ROLE|ADDR...: with hostdevs of that "managed". MEMORY_MIB, VCPUS and EXTRA (more XML below
# <domain>), DEVICE_EXTRA (below <devices>) change it.
domain_xml() {
	local name=$1 managed=$2 device a boot="<boot order='1'/>"
	shift 2
	cat <<-X
		<domain type='qemu'>
		  <name>$name</name>
		  <memory unit='MiB'>${MEMORY_MIB:-64}</memory>
		  <vcpu>${VCPUS:-1}</vcpu>
		  <os><type arch='x86_64' machine='pc'>hvm</type></os>
		  <features><acpi/></features>
		  ${EXTRA:-}
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type='usb' model='none'/>
		    <memballoon model='none'/>
		    <serial type='file'><source path='$SERIAL_DIR/$name.serial'/></serial>
		    ${DEVICE_EXTRA:-}
	X
	for device; do
		a=$(addr "$device") || return 1
		# rom: a network card's boot ROM takes longer than everything else here
		cat <<-X
			    <hostdev mode='subsystem' type='pci' managed='$managed'>
			      <source>
			        <address domain='0x${a:0:4}' bus='0x${a:5:2}' slot='0x${a:8:2}' function='0x${a:11:1}'/>
			      </source>
			      $(is_nvme "$a" && echo "$boot")
			      <rom bar='off'/>
			    </hostdev>
		X
		! is_nvme "$a" || boot=
	done
	printf '  </devices>\n</domain>\n'
}

define() { # NAME yes|no ROLE|ADDR...: the domain of domain_xml, made known to libvirt
	domain_xml "$@" >/tmp/"$1".xml && virsh -q define /tmp/"$1".xml
}

serial_of() { # NAME: what the domain printed since it was started last
	cat $SERIAL_DIR/"$1".serial 2>/dev/null
}

wait_serial() { # NAME [TEXT [SECONDS]]: until the domain has printed it
	local file=$SERIAL_DIR/$1.serial
	eventually "${3:-90}" grep -aqs "${2:-nested guest: up}" "$file"
}

state_of() { # NAME: running, shut off …
	virsh -q domstate "$1"
}

is_off() { [ "$(state_of "$1")" = 'shut off' ]; }

# start_domain NAME: the old serial log goes first, so that wait_serial can't see the line of the last start
start_domain() {
	rm -f $SERIAL_DIR/"$1".serial
	virsh -q start "$1"
}

stop_domain() { # NAME: presses the power button and waits
	virsh -q shutdown "$1" && eventually 60 is_off "$1"
}

destroy_domain() { # NAME
	virsh -q destroy "$1"
}
