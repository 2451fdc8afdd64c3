# shellcheck shell=bash
# boot: init
# initrd: initramfs-tools
# early: [device 0000:04:00.0]\nid=8086:10d3\n[device 0000:02:00.0]\nid=1b36:0010\n
#
# A boot with two devices to reserve, for tests/bench/early. The first program of the root file system says when it runs.

over() { dmesg | grep -q 'passthru-early:.* never came to an end'; }
if [ -e /run/passthru/early ]; then
	succeeds 'it comes to its end' eventually 60 over
	note "sample early-took $(sed -n 's/^took-ms=//p' /run/passthru/early)"
else
	ok 'it boots'
fi
