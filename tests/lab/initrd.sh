#!/bin/bash
# initrd.sh IMAGE INSTALLED KIND: the initramfs that a generator makes in the guest's root file system with passthru
# installed (INSTALLED is what "make install" gave) and tests/lab/early.conf, or (INSTALLED empty) without it. Prints its path.
#
#   KIND: initramfs-tools, dracut (with systemd in it), dracut-plain (without)
#
# Kept beside the image, by all that it is made of.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

image=$1 installed=$2 kind=$3
case $kind in
initramfs-tools | dracut | dracut-plain) ;;
*) die "there is no initrd '$kind' (initramfs-tools, dracut, dracut-plain)" ;;
esac

# The programs that go into it, the hooks, and this script.
key=$({
	echo "$kind"
	cat "${BASH_SOURCE[0]}" "$LAB_DIR/early.conf"
	[ -z "$installed" ] || (cd "$installed" && find usr/libexec usr/share/initramfs-tools usr/lib/dracut -type f -exec sha256sum {} + | sort)
} | sha256sum | cut -c1-16)
out=$image/initrd-$kind-$key
if [ -e "$out" ]; then
	echo "$out"
	exit
fi

[ "$(id -u)" = 0 ] || die 'an initramfs is made by root'
echo "initrd.sh: making the initramfs of $kind (half a minute, once)" >&2
tree=$(mktemp -d "$LAB_CACHE/new.XXXXXX")
trap 'rm -rf "$tree"' EXIT
# Links are enough: the generators only make new files, and tar removes before it writes.
cp -al "$image/tree/." "$tree"
if [ -n "$installed" ]; then
	tar -C "$installed" --owner=0 --group=0 -c . | tar -C "$tree" -x --no-overwrite-dir --keep-directory-symlink
	install -D -m 644 "$LAB_DIR/early.conf" "$tree/etc/passthru/early.conf"
fi
kernel=$(cd "$tree/lib/modules" && echo *)
case $kind in
initramfs-tools) command=(mkinitramfs -o /new-initrd "$kernel") ;;
dracut) command=(dracut --force --no-hostonly --no-compress --quiet /new-initrd "$kernel") ;;
dracut-plain) command=(dracut --force --no-hostonly --no-compress --quiet --omit "systemd systemd-initrd dracut-systemd crypt" /new-initrd "$kernel") ;;
esac
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$tree" "${command[@]}" >&2 ||
	die "${command[*]} failed"
# the last few: with and without passthru may be wanted in turn
find "$image" -name "initrd-$kind-*" -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2- | xargs -r rm -f
mv "$tree/new-initrd" "$out"
echo "$out"
