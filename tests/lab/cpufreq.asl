// Gives each CPU of the machine three clocks, so that acpi-cpufreq makes a cpufreq policy for it: QEMU's own tables have
// none. The register is an I/O port with a debug console of QEMU behind it, so each change leaves a digit in a file
// outside the guest: "3" for 3000 MHz, "2", "1". There is no _PSD: every CPU is a domain of its own.
DefinitionBlock ("", "SSDT", 2, "LAB", "CPUFREQ", 1)
{
    External (\_SB.CPUS.C000, DeviceObj)
    External (\_SB.CPUS.C001, DeviceObj)
    External (\_SB.CPUS.C002, DeviceObj)
    External (\_SB.CPUS.C003, DeviceObj)

    Name (\PCTL, Package () {
        ResourceTemplate () { Register (SystemIO, 8, 0, 0x5F0, 1) },
        ResourceTemplate () { Register (SystemIO, 8, 0, 0x5F0, 1) }
    })
    // MHz, mW, two latencies in µs, what is written to change, what is read back
    Name (\PSTA, Package () {
        Package () { 3000, 30000, 10, 10, 0x33, 0x33 },
        Package () { 2000, 20000, 10, 10, 0x32, 0x32 },
        Package () { 1000, 10000, 10, 10, 0x31, 0x31 }
    })

    If (CondRefOf (\_SB.CPUS.C000)) { Scope (\_SB.CPUS.C000) {
        Method (_PCT) { Return (\PCTL) }
        Method (_PSS) { Return (\PSTA) }
        Method (_PPC) { Return (0) }
    } }
    If (CondRefOf (\_SB.CPUS.C001)) { Scope (\_SB.CPUS.C001) {
        Method (_PCT) { Return (\PCTL) }
        Method (_PSS) { Return (\PSTA) }
        Method (_PPC) { Return (0) }
    } }
    If (CondRefOf (\_SB.CPUS.C002)) { Scope (\_SB.CPUS.C002) {
        Method (_PCT) { Return (\PCTL) }
        Method (_PSS) { Return (\PSTA) }
        Method (_PPC) { Return (0) }
    } }
    If (CondRefOf (\_SB.CPUS.C003)) { Scope (\_SB.CPUS.C003) {
        Method (_PCT) { Return (\PCTL) }
        Method (_PSS) { Return (\PSTA) }
        Method (_PPC) { Return (0) }
    } }
}
