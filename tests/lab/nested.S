# The guest inside the guest: one boot sector. SeaBIOS reads it from a disk that was passed through, so its line on the
# serial port proves the device's registers, its DMA and its interrupts (or polling) in the domain, without a kernel
# that would take minutes in an emulator inside an emulator.
#
# It then waits for the ACPI power button (virsh shutdown) and turns the machine off. The registers are those SeaBIOS
# sets up on QEMU's "pc" machine: PM1a event block at 0x600, control at 0x604.
	.code16
	.globl	_start
	.set	UART, 0x3f8
	.set	PM_STATUS, 0x600
	.set	PM_ENABLE, 0x602
	.set	PM_CONTROL, 0x604
	.set	POWER_BUTTON, 0x0100
	.set	SLEEP_S5, 0x2000
_start:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	$line, %si
	movw	$end - line, %cx
print:
	movw	$UART + 5, %dx
wait:
	inb	%dx, %al
	testb	$0x20, %al		# room for one more byte
	jz	wait
	movw	$UART, %dx
	outsb
	loop	print

	movw	$PM_ENABLE, %dx
	movw	$POWER_BUTTON, %ax
	outw	%ax, %dx
	movw	$PM_STATUS, %dx
button:
	movw	$0x4000, %cx		# a pause between looks: each one leaves the emulated CPU
1:	pause
	loop	1b
	inw	%dx, %ax
	testw	$POWER_BUTTON, %ax
	jz	button

	movw	$PM_CONTROL, %dx
	movw	$SLEEP_S5, %ax
	outw	%ax, %dx
	hlt
line:	.ascii	"nested guest: up\r\n"
end:
	.org	510
	.word	0xaa55
