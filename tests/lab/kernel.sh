#!/bin/bash
# kernel.sh SUITE: Debian's kernel of that release and the modules to reach a share, unpacked once into the lab's cache;
# prints their folder. Needs what image.sh needs, but no boot.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suite=$1
out=$LAB_CACHE/kernel-$suite

# As image.sh's, for a release that apt need not know: the machine's own place to get packages, another name.
sources() {
	apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' \
		--format "deb \$(REPO_URI) $suite \$(COMPONENT)" | sort -u
}

options() {
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-Valid-Until|Check-Date)[: ]' || true
}

build() {
	local tree=$tmp/tree kernel module file n=10
	sources >"$tmp/sources"
	[ -s "$tmp/sources" ] || die "apt knows no package list of Debian: run apt-get update"
	options >"$tmp/apt.conf"
	mmdebstrap --quiet --variant=extract --include=linux-image-amd64 --aptopt="$tmp/apt.conf" \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$suite" "$tree" - <"$tmp/sources"
	[ -d "$tree/lib/modules" ] || ln -s usr/lib "$tree/lib" # from Debian 13 on a package has it there
	kernel=$(ls "$tree/lib/modules")
	mkdir -p "$tmp/out/modules"
	cp "$tree/boot/vmlinuz-$kernel" "$tmp/out/vmlinuz"
	echo "$kernel" >"$tmp/out/release"
	depmod -b "$tree" "$kernel"
	for module in virtio_pci 9pnet_virtio 9p; do
		modprobe -d "$tree" -S "$kernel" --show-depends "$module"
	done | awk '/^insmod/ && !seen[$2]++ { print $2 }' >"$tmp/list"
	while read -r file; do
		cp "$file" "$tmp/out/modules/$((n++))-${file##*/}"
		case $file in
		*.xz) xz -d "$tmp/out/modules/"*.xz ;;
		esac
	done <"$tmp/list"
}

mkdir -p "$LAB_CACHE"
exec 8>"$LAB_CACHE/kernel.lock"
flock 8
if [ ! -d "$out" ]; then
	need mmdebstrap mmdebstrap
	need kmod depmod
	need xz-utils xz
	echo "kernel.sh: getting the kernel of $suite (once)" >&2
	tmp=$(mktemp -d "$LAB_CACHE/newkernel.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	build 8>&- >&2
	mv "$tmp/out" "$out"
fi
echo "$out"
