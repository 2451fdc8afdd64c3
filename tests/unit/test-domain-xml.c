/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "config/domain-xml.h"
#include "config/xml.h"
#include "fake/tree.h"

#define UUID "5e0ae32a-7b34-4d3b-9f0f-0a4f7b5f8a21"
#define HEAD "<domain type='kvm'>\n<name>vm</name>\n<uuid>" UUID "</uuid>\n"
#define DEVICES(s) HEAD "<devices>" s "</devices></domain>"
#define SOURCE(attributes) "<source><address " attributes "/></source>"
#define HOSTDEV(attributes) "<hostdev mode='subsystem' type='pci'>" SOURCE(attributes) "</hostdev>"
#define ANY "domain='0x0000' bus='0x01' slot='0x02' function='0x3'"
#define OWN(attributes, inner)                                                          \
        HEAD "<metadata><p:domain xmlns:p='urn:passthru:domain:1'" attributes ">" inner \
             "</p:domain></metadata></domain>"

static void parse(const char *text, struct request *q) {
        struct err e = {};

        if (domain_xml_parse(text, strlen(text), q, &e) != 0)
                fail_msg("“%s”: %s", text, e.message);
        assert_int_equal(e.code, 0);
}

static void refuse(const char *text, size_t size, int r, const char *message) {
        struct request q, before;
        struct err e = {};

        memset(&q, 0x5a, sizeof(q));
        before = q;
        if (domain_xml_parse(text, size, &q, &e) != r || !strstr(e.message, message))
                fail_msg("“%s”: wanted “%s” in “%s”", text, message, e.message);
        assert_int_equal(e.code, r);
        assert_string_equal(e.id, ERR_INVALID);
        assert_memory_equal(&q, &before, sizeof(q));
        assert_int_equal(domain_xml_parse(text, size, &q, NULL), r);
}

static void test_address(void **state) {
        static const struct {
                const char *text, *address;
        } cases[] = {
                { DEVICES(HOSTDEV("domain='0x0000' bus='0x01' slot='0x1f' function='0x7'")), "0000:01:1f.7" },
                { DEVICES(HOSTDEV("domain='0' bus='1' slot='31' function='7'")), "0000:01:1f.7" },
                { DEVICES(HOSTDEV("bus='255' slot='0' function='0'")), "0000:ff:00.0" },
                { DEVICES(HOSTDEV("domain='0X10000' bus='0XE0' slot='06' function='00'")), "10000:e0:06.0" },
                { DEVICES(HOSTDEV("domain='0xffffffff' bus='010' slot='017' function='0'")), "ffffffff:08:0f.0" },
                { DEVICES(HOSTDEV("bus='&#49;' slot='1' function='1' multifunction='on'")), "0000:01:01.1" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[BDF_TEXT_MAX];
                struct request q;

                parse(cases[i].text, &q);
                assert_int_equal(q.n_devices, 1);
                assert_string_equal(bdf_format(&q.devices[0].address, text), cases[i].address);
                assert_string_equal(q.domain, "vm");
                assert_string_equal(q.uuid, UUID);
                assert_int_equal(q.group, GROUP_EXPAND);
                assert_false(q.boot_vga || q.dry_run || q.seconds);
        }
}

static void test_bad_address(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { DEVICES(HOSTDEV("bus='0x100' slot='0' function='0'")),
                  "domain XML, line 4, <address>: bus: wanted a number from 0 to 0xff, found “0x100”" },
                { DEVICES(HOSTDEV("bus='0' slot='0x20' function='0'")), "slot: wanted a number from 0 to 0x1f" },
                { DEVICES(HOSTDEV("bus='0' slot='0' function='8'")), "function: wanted a number from 0 to 0x7" },
                { DEVICES(HOSTDEV("domain='0x100000000' bus='0' slot='0' function='0'")), "domain: wanted" },
                { DEVICES(HOSTDEV("domain='18446744073709551616' bus='0' slot='0' function='0'")), "domain:" },
                { DEVICES(HOSTDEV("bus='' slot='0' function='0'")), "bus: wanted a number" },
                { DEVICES(HOSTDEV("bus='0x' slot='0' function='0'")), "bus: wanted a number" },
                { DEVICES(HOSTDEV("bus='-1' slot='0' function='0'")), "bus: wanted a number" },
                { DEVICES(HOSTDEV("bus=' 1' slot='0' function='0'")), "bus: wanted a number" },
                { DEVICES(HOSTDEV("bus='1f' slot='0' function='0'")), "bus: wanted a number" },
                { DEVICES(HOSTDEV("bus='08' slot='0' function='0'")), "bus: wanted a number" },
                { DEVICES(HOSTDEV("slot='0' function='0'")), "wanted the attribute bus, found none" },
                { DEVICES(HOSTDEV("bus='0' function='0'")), "wanted the attribute slot, found none" },
                { DEVICES(HOSTDEV("bus='0' slot='0'")), "wanted the attribute function, found none" },
                { DEVICES(HOSTDEV("x:bus='0' xmlns:x='urn:x' slot='0' function='0'")), "the attribute bus" },
                { DEVICES("<hostdev type='pci'/>"), "<hostdev>: wanted <source><address" },
                { DEVICES("<hostdev type='pci'><source/></hostdev>"), "<hostdev>: wanted <source><address" },
                { DEVICES("<hostdev type='pci'><address " ANY "/></hostdev>"), "wanted <source><address" },
                { DEVICES("<interface type='hostdev'/>"), "<interface>: wanted <source><address" },
                { DEVICES("<disk type='nvme'/>"), "<disk>: wanted <source><address" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refuse(cases[i].text, strlen(cases[i].text), -EINVAL, cases[i].message);
}

static void test_devices(void **state) {
        static const struct {
                const char *text;
                size_t n;
                const char *driver;
        } cases[] = {
                { "<domain/>", 0 },
                { HEAD "</domain>", 0 },
                { DEVICES("<hostdev mode='subsystem' type='pci' managed='yes'>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<hostdev mode='subsystem' type='pci' managed='no'>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<hostdev type='pci'>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<hostdev mode='capabilities' type='pci'>" SOURCE(ANY) "</hostdev>"), 0 },
                { DEVICES("<hostdev mode='subsystem' type='usb'>" SOURCE(ANY) "</hostdev>"), 0 },
                { DEVICES("<hostdev mode='subsystem' type='scsi'>" SOURCE(ANY) "</hostdev>"), 0 },
                { DEVICES("<hostdev mode='subsystem' type='mdev'>" SOURCE("uuid='" UUID "'") "</hostdev>"), 0 },
                { DEVICES("<hostdev mode='subsystem'>" SOURCE(ANY) "</hostdev>"), 0 },
                { DEVICES("<x:hostdev xmlns:x='urn:x' type='pci'>" SOURCE(ANY) "</x:hostdev>"), 0 },
                { DEVICES("<hostdev xmlns='urn:x' type='pci'>" SOURCE(ANY) "</hostdev>"), 0 },
                { DEVICES("<hostdev xmlns='' type='pci'>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<x:hostdev type='pci'>" SOURCE(ANY) "</x:hostdev>" HOSTDEV(ANY)), 1, "" },
                { DEVICES("<input><hostdev type='pci'>" SOURCE(ANY) "</hostdev></input>"), 0 },
                { DEVICES("<interface type='hostdev'>" SOURCE("type='pci' " ANY) "</interface>"), 1, "" },
                { DEVICES("<interface type='hostdev'>" SOURCE(ANY) "</interface>"), 1, "" },
                { DEVICES("<interface type='hostdev'>" SOURCE("type='usb' bus='1'") "</interface>"), 0 },
                { DEVICES("<interface type='network'>" SOURCE("type='pci' " ANY) "</interface>"), 0 },
                { DEVICES("<disk type='nvme'>" SOURCE(ANY) "</disk>"), 1, "" },
                { DEVICES("<disk type='block'>" SOURCE(ANY) "</disk>"), 0 },
                { DEVICES("<disk type='file'><backingStore type='file'><backingStore type='nvme'>" SOURCE(ANY)
                          "</backingStore></backingStore></disk>"), 1, "" },
                /* the same controller for two namespaces */
                { DEVICES("<disk type='nvme'>" SOURCE(ANY) "</disk>" "<disk type='nvme'>" SOURCE(ANY) "</disk>"),
                  1, "" },
                { DEVICES(HOSTDEV(ANY)) "<!-- after -->", 1, "" },
                { HEAD "<devices/><devices>" HOSTDEV(ANY) "</devices></domain>", 1, "" },
                { "<?xml version='1.0' encoding='UTF-8'?>\n<!-- before -->\n" DEVICES(HOSTDEV(ANY)), 1, "" },
                { "<domstatus state='running'><vcpus/>" DEVICES(HOSTDEV(ANY)) "</domstatus>", 1, "" },
                { DEVICES("<hostdev type='pci'><driver name='vfio'/>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<hostdev type='pci'><driver model='mlx5_vfio_pci'/>" SOURCE(ANY) "</hostdev>"),
                  1, "mlx5_vfio_pci" },
                { DEVICES("<hostdev type='pci'><driver model='nvidia'/>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<hostdev type='pci'><driver model='../x-vfio-pci'/>" SOURCE(ANY) "</hostdev>"), 1, "" },
                { DEVICES("<interface type='hostdev'><driver model='vfio-pci'/>" SOURCE(ANY) "</interface>"), 1,
                  "vfio-pci" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct request q;

                parse(cases[i].text, &q);
                if (q.n_devices != cases[i].n)
                        fail_msg("%s: %zu devices", cases[i].text, q.n_devices);
                if (cases[i].n > 0) {
                        assert_int_equal(q.devices[0].address.slot, 2);
                        assert_string_equal(q.devices[0].driver, cases[i].driver);
                        assert_false(q.devices[0].has_id || q.devices[0].has_subsystem);
                }
        }
}

static void test_metadata(void **state) {
        struct request q;

        (void) state;
        parse(OWN(" group='strict' boot-vga='yes'",
                  "<p:device address='01:00.0' id='10de:2206' subsystem='1458:4037' driver='vfio-pci'/>"
                  "<!-- and -->\n<p:device address='0000:01:00.1'/>"), &q);
        assert_int_equal(q.group, GROUP_STRICT);
        assert_true(q.boot_vga);
        assert_int_equal(q.n_devices, 2);
        assert_true(q.devices[0].has_id && q.devices[0].has_subsystem);
        assert_int_equal(q.devices[0].id.device, 0x2206);
        assert_int_equal(q.devices[0].subsystem.device, 0x4037);
        assert_string_equal(q.devices[0].driver, "vfio-pci");
        assert_int_equal(q.devices[1].address.function, 1);
        assert_false(q.devices[1].has_id || q.devices[1].has_subsystem);

        /* says more about a device that libvirt has, before it or after it */
        parse(HEAD "<metadata><domain xmlns='urn:passthru:domain:1'>"
                   "<device address='0000:01:02.3' id='10de:2206'/></domain></metadata>"
                   "<devices>" HOSTDEV(ANY) "</devices></domain>", &q);
        assert_int_equal(q.n_devices, 1);
        assert_true(q.devices[0].has_id);
        parse(HEAD "<devices>" HOSTDEV(ANY) "</devices><metadata><domain xmlns='urn:passthru:domain:1'>"
                   "<device address='0000:01:02.3' id='10de:2206'/></domain></metadata></domain>", &q);
        assert_int_equal(q.n_devices, 1);
        assert_true(q.devices[0].has_id);

        /* the innermost declaration counts */
        parse(HEAD "<metadata xmlns:p='urn:passthru:domain:1'><p:domain xmlns:p='urn:other' group='x'/>"
                   "<q:domain xmlns:q='urn:passthru:domain:1' group='strict'/></metadata></domain>", &q);
        assert_int_equal(q.group, GROUP_STRICT);

        /* of others */
        parse(HEAD "<metadata><domain/><o:domain xmlns:o='urn:other' group='x'/>text</metadata></domain>", &q);
        assert_int_equal(q.n_devices, 0);
}

static void test_bad_metadata(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { OWN(" group='lax'", ""), "line 4, <domain>: group: wanted expand or strict, found “lax”" },
                { OWN(" boot-vga=''", ""), "boot-vga: wanted yes or no, found “”" },
                { OWN(" bootvga='yes'", ""), "unknown setting “bootvga”" },
                { OWN(" p:group='strict'", ""), "unknown setting “p:group”" },
                { OWN("", "<p:device/>"), "<device>: address: wanted a PCI address" },
                { OWN("", "<p:device address='0000:01:00.8'/>"), "found “0000:01:00.8”" },
                { OWN("", "<p:device address='01:00.0' id='10de'/>"), "id: wanted VVVV:DDDD" },
                { OWN("", "<p:device address='01:00.0' subsystem='x'/>"), "subsystem: wanted VVVV:DDDD" },
                { OWN("", "<p:device address='01:00.0' driver='nouveau'/>"), "driver: wanted vfio-pci" },
                { OWN("", "<p:device address='01:00.0' ID='10de:2206'/>"), "unknown setting “ID”" },
                { OWN("", "<p:devcie address='01:00.0'/>"), "<devcie>: wanted the element device" },
                { OWN("", "<device address='01:00.0'/>"), "<device>: wanted the element device of the namespace" },
                { HEAD "<metadata><p:vm xmlns:p='urn:passthru:domain:1'/></metadata></domain>",
                  "<vm>: wanted the element domain" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refuse(cases[i].text, strlen(cases[i].text), -EINVAL, cases[i].message);
}

/* A name or UUID matters only where there is something to borrow. */
static void test_identity(void **state) {
        static const struct {
                const char *identity;
                const char *domain, *uuid; /* as parsed */
                const char *message;       /* NULL: fine with devices, too */
        } cases[] = {
                { "<name>vm.1_a-B</name>", "vm.1_a-B", "", NULL },
                { "<name>vm</name><uuid>5E0AE32A-7B34-4D3B-9F0F-0A4F7B5F8A21</uuid>", "vm", UUID, NULL },
                { "<name>my vm</name><uuid>" UUID "</uuid>", "", UUID,
                  "found “my vm”; rename it while it is shut off: virsh domrename " UUID " NEW-NAME" },
                { "<name>Übung</name>", "", "", "found “Übung”; rename" },
                { "<name>Übung</name>", "", "", "virsh domrename OLD-NAME NEW-NAME" },
                { "<name>Übung</name><uuid>x; y</uuid>", "", "", "<uuid>: wanted 8-4-4-4-12" },
                { "<name>../vm</name>", "", "", "<name>: the domain borrows devices or memory: wanted a name" },
                { "<name>.vm</name>", "", "", "<name>: the domain borrows" },
                { "<name>v&amp;m</name>", "", "", "found “v&m”" },
                { "<name>v<![CDATA[m]]>&#49;<!-- -->2</name>", "vm12", "", NULL },
                { "<name>a<b/></name>", "", "", "<name>: the domain borrows" },
                { "<name/>", "", "", "<name>: the domain borrows" },
                { "", "", "", "<domain>: the domain borrows" },
                { "<name>vm</name><uuid>none</uuid>", "vm", "", "<uuid>: wanted 8-4-4-4-12" },
                { "<name>vm</name><uuid/>", "vm", "", "<uuid>: wanted 8-4-4-4-12" },
                { "<name>vm</name><uuid>" UUID "0</uuid>", "vm", "", "<uuid>: wanted 8-4-4-4-12" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[1024];
                struct request q;

                assert_true(snprintf(text, sizeof(text), "<domain>%s</domain>", cases[i].identity) > 0);
                parse(text, &q);
                assert_true(request_is_empty(&q));
                assert_string_equal(q.domain, cases[i].domain);
                assert_string_equal(q.uuid, cases[i].uuid);

                assert_true(snprintf(text, sizeof(text), "<domain>%s<devices>" HOSTDEV(ANY) "</devices></domain>",
                                     cases[i].identity) > 0);
                if (cases[i].message) {
                        refuse(text, strlen(text), -EINVAL, cases[i].message);
                        continue;
                }
                parse(text, &q);
                assert_string_equal(q.domain, cases[i].domain);
                assert_string_equal(q.uuid, cases[i].uuid);
        }
}

static void test_not_xml(void **state) {
        static const struct {
                const char *text;
                size_t size; /* 0: strlen */
                const char *message;
        } cases[] = {
                { "", 0, "wanted well-formed XML" },
                { " ", 0, "wanted well-formed XML" },
                { "domain", 0, "wanted well-formed XML" },
                { "<domain>", 0, "wanted well-formed XML" },
                { "<domain>\n<name>vm</nam></domain>", 0, "domain XML, line 2: wanted well-formed XML" },
                { "<domain/><domain/>", 0, "wanted well-formed XML" },
                { "<domain/>\0<x/>", 14, "found: not well-formed" },
                { "<domain>\0</domain>", 18, "found: not well-formed" },
                { "<domain><name>\xff</name></domain>", 0, "wanted well-formed XML" },
                { "<domain><name>&undefined;</name></domain>", 0, "wanted well-formed XML" },
                { "<network/>", 0, "<network>: wanted <domain>, or <domstatus> with one" },
                { "<domstatus/>", 0, "<domstatus>: wanted <domain>, or <domstatus> with one" },
                { "<x:domain xmlns:x='urn:x'/>", 0, "wanted <domain>, or <domstatus>" },
                { "<!DOCTYPE domain><domain/>", 0, "found: a DOCTYPE" },
                { "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>", 0, "found: a DOCTYPE" },
                { "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain>&e;</domain>", 0,
                  "found: a DOCTYPE" },
                { "<!DOCTYPE domain [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><domain x='&b;'/>", 0, "found: a DOCTYPE" },
                { "<!DOCTYPE domain [", 0, "found: a DOCTYPE" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refuse(cases[i].text, cases[i].size ? cases[i].size : strlen(cases[i].text), -EINVAL,
                       cases[i].message);
}

static char *repeat(const char *before, const char *s, size_t n, const char *after) {
        size_t room = strlen(before) + n * strlen(s) + strlen(after) + 1;
        char *text = malloc(room), *p = text;

        assert_non_null(text);
        p = stpcpy(p, before);
        while (n-- > 0)
                p = stpcpy(p, s);
        strcpy(p, after);
        return text;
}

static void test_bounds(void **state) {
        _cleanup_free_ char *deep = repeat("<domain>", "<a>", XML_DEPTH_MAX, "");
        _cleanup_free_ char *big = repeat("<domain>", "          ", DOMAIN_XML_MAX / 10, "</domain>");
        struct request q;

        (void) state;
        refuse(deep, strlen(deep), -EINVAL, "found: a depth of over 256");
        deep[strlen(deep) - strlen("<a>")] = '\0';
        refuse(deep, strlen(deep), -EINVAL, "found: no element found");
        refuse(big, strlen(big), -EFBIG, "wanted at most 4194304 bytes");
        memcpy(big + DOMAIN_XML_MAX - strlen("</domain>"), "</domain>", strlen("</domain>"));
        big[DOMAIN_XML_MAX] = '\0';
        parse(big, &q);
        assert_true(request_is_empty(&q));
}

static void test_full(void **state) {
        char text[16384];

        (void) state;
        for (unsigned n = REQUEST_DEVICES_MAX; n <= REQUEST_DEVICES_MAX + 1; n++) {
                struct request q;

                strcpy(text, HEAD "<devices>");
                for (unsigned i = 0; i < n; i++)
                        sprintf(text + strlen(text), HOSTDEV("bus='%u' slot='0' function='0'"), i);
                strcat(text, "</devices></domain>");
                if (n <= REQUEST_DEVICES_MAX) {
                        parse(text, &q);
                        assert_int_equal(q.n_devices, n);
                        assert_int_equal(q.devices[n - 1].address.bus, n - 1);
                } else
                        refuse(text, strlen(text), -EINVAL, "wanted at most 64 PCI devices");
        }
}

#define MEMORY(text, backing)                                                                                     \
        "<domain><name>vm</name><memory" text "</memory><memoryBacking>" backing "</memoryBacking>"
#define ONE_GIB " unit='GiB'>1"
#define CELLS                                                                                                     \
        "<cpu><numa><cell id='0' cpus='0-1' memory='512' unit='MiB'/><cell id='1' cpus='2-3' "                    \
        "memory='524288'/></numa></cpu>"

static void test_memory(void **state) {
        static const struct {
                const char *text;
                size_t n;
                struct request_memory wanted[2];
        } cases[] = {
                { "<domain><name>vm</name><memory>1024</memory></domain>", 0 },
                { MEMORY(ONE_GIB, "<locked/>") "</domain>", 0 },
                { MEMORY(ONE_GIB, "<hugepages/>") "</domain>", 1, { { .kib = 1048576 } } },
                { MEMORY(">1048576", "<hugepages/>") "</domain>", 1, { { .kib = 1048576 } } },
                { MEMORY(" unit='b'>1025", "<hugepages/>") "</domain>", 1, { { .kib = 2 } } },
                { MEMORY(" unit='KB'>1024", "<hugepages/>") "</domain>", 1, { { .kib = 1000 } } },
                { MEMORY(ONE_GIB, "<hugepages><page size='2' unit='M'/></hugepages>") "</domain>",
                  1,
                  { { .kib = 1048576, .page_kib = 2048 } } },
                { MEMORY(ONE_GIB,
                         "<hugepages><page size='2048'/><page size='1' unit='G' nodeset='1'/></hugepages>") CELLS
                  "</domain>",
                  2,
                  { { .kib = 524288, .page_kib = 2048 }, { .kib = 524288, .page_kib = 1048576 } } },
                { MEMORY(ONE_GIB, "<hugepages><page size='1' unit='G' nodeset='3'/></hugepages>") "</domain>",
                  1,
                  { { .kib = 1048576 } } },
                { MEMORY(ONE_GIB,
                         "<hugepages/>") "<numatune><memory mode='strict' nodeset='1'/></numatune></domain>",
                  1,
                  { { .kib = 1048576, .nodes = { { 2 } } } } },
                { MEMORY(ONE_GIB, "<hugepages/>") "<numatune><memory mode='interleave' "
                                                  "nodeset='0-2,^1'/></numatune></domain>",
                  1,
                  { { .kib = 1048576, .nodes = { { 5 } }, .interleave = true } } },
                { MEMORY(ONE_GIB, "<hugepages/>") "<numatune><memory placement='auto'/></numatune></domain>",
                  1,
                  { { .kib = 1048576 } } },
                { MEMORY(ONE_GIB,
                         "<hugepages/>") "<numatune><memory mode='strict' nodeset='0'/>"
                                         "<memnode cellid='1' mode='strict' nodeset='3'/></numatune>" CELLS
                                         "</domain>",
                  2,
                  { { .kib = 524288, .nodes = { { 1 } } }, { .kib = 524288, .nodes = { { 8 } } } } },
                /* a memory module of 1 GiB */
                { MEMORY(" unit='GiB'>2", "<hugepages/>") CELLS "</domain>",
                  2,
                  { { .kib = 524288 + 1048576 }, { .kib = 524288 } } },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct request q;

                parse(cases[i].text, &q);
                if (q.n_memory != cases[i].n)
                        fail_msg("%s: %zu", cases[i].text, q.n_memory);
                assert_int_equal(request_is_empty(&q), q.n_memory == 0);
                for (size_t m = 0; m < q.n_memory; m++) {
                        assert_int_equal(q.memory[m].kib, cases[i].wanted[m].kib);
                        assert_int_equal(q.memory[m].page_kib, cases[i].wanted[m].page_kib);
                        assert_int_equal(q.memory[m].interleave, cases[i].wanted[m].interleave);
                        assert_true(cpu_set_equal(&q.memory[m].nodes, &cases[i].wanted[m].nodes));
                }
        }
}

static void test_bad_memory(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                { "<domain><name>vm</name><memoryBacking><hugepages/></memoryBacking></domain>",
                  "wanted the element memory" },
                { MEMORY(">0", "<hugepages/>") "</domain>",
                  "line 1, <memory>: wanted an amount of memory, found “0”" },
                { MEMORY(">", "<hugepages/>") "</domain>", "wanted an amount of memory, found “”" },
                { MEMORY(">-1", "<hugepages/>") "</domain>", "wanted an amount of memory" },
                { MEMORY(">99999999999999999999", "<hugepages/>") "</domain>", "wanted an amount of memory" },
                { MEMORY(" unit='TiB'>9999", "<hugepages/>") "</domain>", "wanted an amount of memory" },
                { MEMORY(" unit='pages'>1", "<hugepages/>") "</domain>", "wanted a unit such as KiB" },
                { MEMORY(ONE_GIB, "<hugepages><page/></hugepages>") "</domain>", "<page>: wanted an amount" },
                { MEMORY(ONE_GIB, "<hugepages><page size='2' nodeset='x'/></hugepages>") "</domain>",
                  "nodeset: wanted numbers as 0-3,8 below 1024, found “x”" },
                { MEMORY(ONE_GIB, "<hugepages/>") "<numatune><memory nodeset='5000'/></numatune></domain>",
                  "nodeset: wanted" },
                { MEMORY(ONE_GIB, "<hugepages/>") "<numatune><memory nodeset=''/></numatune></domain>",
                  "nodeset: wanted" },
                { MEMORY(ONE_GIB, "<hugepages/>") "<cpu><numa><cell memory='x'/></numa></cpu></domain>",
                  "<cell>: wanted" },
                { MEMORY(ONE_GIB, "<hugepages/>") "<cpu><numa><cell id='x' memory='1'/></numa></cpu></domain>",
                  "id: wanted" },
                { "<domain><name>my "
                  "vm</name><memory>1</memory><memoryBacking><hugepages/></memoryBacking></domain>",
                  "borrows devices or memory" },
        };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refuse(cases[i].text, strlen(cases[i].text), -EINVAL, cases[i].message);
}

#define PINS(pins) "<domain><name>vm</name><vcpu>4</vcpu><cputune>" pins "</cputune></domain>"

static void test_cpus(void **state) {
        static const struct {
                const char *text, *cpus;
        } cases[] = {
                { "<domain/>", "" },
                { PINS("<shares>2048</shares><emulatorpin cpuset='0-1'/>"), "" },
                { PINS("<vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='4'/><emulatorpin cpuset='0'/>"),
                  "2,4" },
                { PINS("<vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='5' cpuset='4'/>"), "2" }, /* there are four */
                { PINS("<vcpupin vcpu='0' cpuset='2-7,^3'/><vcpupin vcpu='1' cpuset='9'/>"), "2,4-7,9" },
        };
        static const char *const bad[] = { "<vcpupin vcpu='0'/>",
                                           "<vcpupin vcpu='0' cpuset=''/>",
                                           "<vcpupin vcpu='0' cpuset='2-'/>",
                                           "<vcpupin vcpu='0' cpuset='1024'/>",
                                           "<vcpupin cpuset='1'/>",
                                           "<vcpupin vcpu='x' cpuset='1'/>",
                                           "<emulatorpin/>" };

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct request q;
                char text[64];

                parse(cases[i].text, &q);
                assert_int_equal(cpu_set_format(&q.cpus, text, sizeof(text)), 0);
                assert_string_equal(text, cases[i].cpus);
                assert_true(request_is_empty(&q));
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct request q;
                char text[512];

                assert_int_equal(str_format(text, sizeof(text), PINS("%s"), bad[i]), 0);
                parse(text, &q); /* it borrows nothing */
                assert_true(cpu_set_is_empty(&q.cpus));
                assert_int_equal(str_format(text, sizeof(text),
                                            MEMORY(ONE_GIB, "<hugepages/>") "<cputune>%s</cputune></domain>",
                                            bad[i]),
                                 0);
                refuse(text, strlen(text), -EINVAL, "pin>: ");
        }
}

static void test_load(void **state) {
        static const char *const bad[] = { "", "../vm", "a/b", "my vm" };
        _cleanup_tree_ struct tree *t = tree_new();
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        struct err e = {};

        (void) state;
        tree_file(t, "/etc/libvirt/qemu/vm.xml", DEVICES(HOSTDEV(ANY)));
        assert_int_equal(domain_xml_load(tree_root(t), "vm", &text, &size, &e), 0);
        assert_int_equal(size, strlen(DEVICES(HOSTDEV(ANY))));
        assert_string_equal(text, DEVICES(HOSTDEV(ANY)));

        assert_int_equal(domain_xml_load(tree_root(t), "vm2", &text, &size, &e), -ENOENT);
        assert_string_equal(e.id, ERR_NOT_FOUND);
        assert_string_equal(e.subject, "vm2");
        assert_non_null(strstr(e.message, "/etc/libvirt/qemu/vm2.xml"));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert_int_equal(domain_xml_load(tree_root(t), bad[i], &text, &size, &e), -EINVAL);
                assert_string_equal(e.subject, "domain");
        }
        tree_dir(t, "/etc/libvirt/qemu/vm3.xml");
        assert_int_equal(domain_xml_load(tree_root(t), "vm3", &text, &size, &e), -EISDIR);
        assert_string_equal(e.id, ERR_FAILED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_address),      cmocka_unit_test(test_bad_address),
                cmocka_unit_test(test_devices),      cmocka_unit_test(test_metadata),
                cmocka_unit_test(test_bad_metadata), cmocka_unit_test(test_identity),
                cmocka_unit_test(test_not_xml),      cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_full),         cmocka_unit_test(test_load),
                cmocka_unit_test(test_memory),       cmocka_unit_test(test_bad_memory),
                cmocka_unit_test(test_cpus),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
