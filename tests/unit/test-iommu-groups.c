/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The kernel's rules for IOMMU groups, each with what it must not do. A machine is a text, one function a line:
 *
 *   BUS:SLOT.FUNCTION VENDOR:DEVICE TYPE [bus=SECONDARY] [acs=CAPABILITY/CONTROL] [mf] [class=CCCCCC] [sub=V:D]
 *                                        [vf=COUNT,OFFSET,STRIDE,DEVICE] [rcba] [off]
 *
 * mf: header bit 7. off: the IOMMU does not translate it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/str.h"
#include "model/iommu-groups.h"

enum { IOMMU_OFF = 1, IVRS = 2, NO_BOOT = 4 };

struct machine {
        const char *name, *functions, *groups;
        const char *acs, *config;
        unsigned flags;
};

static enum pcie_type type_of(const char *word) {
        static const struct {
                const char *word;
                enum pcie_type type;
        } types[] = {
                { "pci", PCIE_NONE },       { "end", PCIE_ENDPOINT },   { "legacy", PCIE_LEGACY_ENDPOINT },
                { "root", PCIE_ROOT_PORT }, { "up", PCIE_UPSTREAM },    { "down", PCIE_DOWNSTREAM },
                { "to-pci", PCIE_TO_PCI },  { "to-pcie", PCI_TO_PCIE }, { "rc", PCIE_RC_ENDPOINT },
                { "event", PCIE_RC_EVENT_COLLECTOR },
        };

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (str_eq(types[i].word, word))
                        return types[i].type;
        fail_msg("no type '%s'", word);
        return PCIE_NONE;
}

static void option(struct pci_function *f, const char *word, bool *off) {
        unsigned a, b, c, d;

        if (sscanf(word, "bus=%x", &a) == 1)
                f->secondary = (uint8_t) a;
        else if (sscanf(word, "acs=%x/%x", &a, &b) == 2) {
                f->has_acs = true;
                f->acs_capability = (uint16_t) a;
                f->acs_control = (uint16_t) b;
        } else if (sscanf(word, "class=%x", &a) == 1)
                f->class_code = a;
        else if (str_starts(word, "sub="))
                assert_int_equal(pci_id_parse(word + 4, &f->subsystem), 0);
        else if (sscanf(word, "vf=%u,%u,%u,%x", &a, &b, &c, &d) == 4) {
                f->vf_count = (uint16_t) a;
                f->vf_offset = (uint16_t) b;
                f->vf_stride = (uint16_t) c;
                f->vf_device = (uint16_t) d;
        } else if (str_eq(word, "mf"))
                f->multifunction = true;
        else if (str_eq(word, "rcba"))
                f->rcba = true;
        else if (str_eq(word, "off"))
                *off = true;
        else
                fail_msg("no option '%s'", word);
}

static int build(const char *text, struct pci_topology *ret, struct err *e) {
        _cleanup_free_ char *copy = strdup(text);
        struct pci_topology t = { .list = calloc(64, sizeof(*t.list)) };
        bool off[64] = {};
        struct bdf off_address[64];
        size_t n_off = 0;
        char *lines, *line;
        int r;

        for (line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
                struct pci_function *f = &t.list[t.n];
                char *words, *word = strtok_r(line, " ", &words);

                if (!word)
                        continue;
                assert_int_equal(bdf_parse(word, &f->address), 0);
                assert_int_equal(pci_id_parse(strtok_r(NULL, " ", &words), &f->id), 0);
                f->type = type_of(strtok_r(NULL, " ", &words));
                while ((word = strtok_r(NULL, " ", &words)))
                        option(f, word, &off[t.n]);
                if (off[t.n])
                        off_address[n_off++] = f->address;
                t.n++;
        }
        r = pci_topology_link(&t, e);
        if (r < 0) {
                pci_topology_done(&t);
                return r;
        }
        for (size_t i = 0; i < n_off; i++)
                t.list[pci_topology_find(&t, &off_address[i])].translated = false;
        *ret = t;
        return 0;
}

/* "00:01.0 01:00.0 | 02:00.0": groups by their first member; functions without one are not there. */
static void format(const struct pci_topology *t, const int *groups, char *buf, size_t size) {
        bool done[64] = {};
        size_t n = 0;

        *buf = '\0';
        for (size_t i = 0; i < t->n; i++) {
                if (done[i] || groups[i] < 0)
                        continue;
                n += (size_t) snprintf(buf + n, size - n, "%s", n ? " | " : "");
                for (size_t k = i; k < t->n; k++)
                        if (groups[k] == groups[i]) {
                                char address[BDF_TEXT_MAX];
                                const char *s = bdf_format(&t->list[k].address, address);

                                done[k] = true;
                                s += str_starts(s, "0000:") ? 5 : 0;
                                n += (size_t) snprintf(buf + n, size - n, "%s%s", k > i ? " " : "", s);
                        }
        }
}

static void check(const struct machine *m) {
        _cleanup_pci_topology_ struct pci_topology t = {};
        struct acs_settings s = { .boot = !(m->flags & NO_BOOT) };
        struct err e = {};
        char found[1024];
        int groups[64];

        if (build(m->functions, &t, &e) < 0)
                fail_msg("%s: %s", m->name, e.message);
        t.iommu_on = !(m->flags & IOMMU_OFF);
        t.ivrs |= (m->flags & IVRS) != 0;
        if (m->acs)
                assert_int_equal(acs_override_parse(m->acs, &s.override, &e), 0);
        if (m->config && config_acs_parse(m->config, &s.config, &e) < 0)
                fail_msg("%s: %s", m->name, e.message);
        acs_configure(&t, &s, NULL);
        iommu_groups_predict(&t, &s.override, groups);
        format(&t, groups, found, sizeof(found));
        if (!str_eq(found, m->groups))
                fail_msg("%s:\n  wanted: %s\n  found:  %s", m->name, m->groups, found);
}

#define PORT "00:01.0 1b36:000c root bus=01 acs=1f/1d\n"
#define PORT_WITHOUT "00:01.0 1b36:000c root bus=01\n"
#define TWO_FUNCTIONS "01:00.0 10de:2206 end mf\n01:00.1 10de:1aef end mf\n"

static const struct machine paths[] = {
        { "a port with ACS", PORT "01:00.0 10de:2206 end\n", "00:01.0 | 01:00.0" },
        { "a port without", PORT_WITHOUT "01:00.0 10de:2206 end\n", "00:01.0 01:00.0" },
        { "ACS of which nothing is implemented", "00:01.0 1b36:000c root bus=01 acs=0/0\n01:00.0 10de:2206 end\n",
          "00:01.0 | 01:00.0" },
        { "ACS of which a part is implemented", "00:01.0 1b36:000c root bus=01 acs=c/c\n01:00.0 10de:2206 end\n",
          "00:01.0 | 01:00.0" },
        { "ACS that is switched off", "00:01.0 1b36:000c root bus=01 acs=1d/c\n01:00.0 10de:2206 end\n",
          "00:01.0 01:00.0", NULL, NULL, NO_BOOT },
        { "… which the next boot switches on", "00:01.0 1b36:000c root bus=01 acs=1d/c\n01:00.0 10de:2206 end\n",
          "00:01.0 | 01:00.0" },
        { "… or is off since the IOMMU is", "00:01.0 1b36:000c root bus=01 acs=1d/0\n01:00.0 10de:2206 end\n",
          "00:01.0 | 01:00.0", NULL, NULL, NO_BOOT | IOMMU_OFF },
        { "a conventional function alone", "00:03.0 1234:1111 pci\n00:04.0 1234:11e8 pci\n", "00:03.0 | 00:04.0" },
        { "conventional functions of one slot", "00:03.0 1234:1111 pci mf\n00:03.1 1234:11e8 pci\n",
          "00:03.0 00:03.1" },
        { "functions of one slot", PORT TWO_FUNCTIONS, "00:01.0 | 01:00.0 01:00.1" },
        { "functions with ACS", PORT "01:00.0 10de:2206 end mf acs=1d/1d\n01:00.1 10de:1aef end acs=1d/1d\n",
          "00:01.0 | 01:00.0 | 01:00.1" },
        { "one of them with ACS",
          PORT "01:00.0 10de:2206 end mf\n01:00.1 10de:1aef end acs=1d/1d\n01:00.2 10de:1ad8 end\n",
          "00:01.0 | 01:00.0 01:00.2 | 01:00.1" },
        { "a first function that says it is the only one", PORT "01:00.0 10de:2206 end\n01:00.1 10de:1aef end\n",
          "00:01.0 | 01:00.0 | 01:00.1" },
        { "root ports of one slot, one without ACS",
          "00:01.0 8086:3420 root mf bus=01 acs=1f/1f\n00:01.1 8086:3420 root bus=02\n01:00.0 10de:2206 end\n"
          "02:00.0 144d:a808 end\n",
          "00:01.0 | 00:01.1 02:00.0 | 01:00.0" },
        { "root ports of one slot, two without",
          "00:01.0 8086:3420 root mf bus=01\n00:01.1 8086:3420 root bus=02\n01:00.0 10de:2206 end\n"
          "02:00.0 144d:a808 end\n",
          "00:01.0 00:01.1 01:00.0 02:00.0" },
        { "an event collector in a slot of integrated endpoints",
          "00:03.0 1022:1483 rc mf\n00:03.4 1022:1484 event\n", "00:03.0 00:03.4" },
        { "a reserved type", "00:03.0 1022:1483 pci mf\n00:04.0 1022:1483 legacy mf\n", "00:03.0 | 00:04.0" },
        { "what the IOMMU does not know", PORT "00:02.0 1022:1481 pci off\n01:00.0 10de:2206 end\n",
          "00:01.0 | 01:00.0" },
};

#define SWITCH(upstream, downstream)                                                                    \
        PORT "01:00.0 104c:8232 up bus=02 " upstream "\n02:00.0 104c:8233 down bus=03 " downstream "\n" \
             "02:01.0 104c:8233 down bus=04 " downstream "\n03:00.0 144d:a808 end\n04:00.0 144d:a808 end\n"

static const struct machine bridges[] = {
        { "a switch without ACS: each port with what is behind it", SWITCH("", ""),
          "00:01.0 | 01:00.0 | 02:00.0 03:00.0 | 02:01.0 04:00.0" },
        { "a switch with ACS", SWITCH("", "acs=1d/1d"),
          "00:01.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0" },
        { "an upstream port that is one of several functions: all of the switch", SWITCH("mf", ""),
          "00:01.0 | 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0" },
        { "… unless it has ACS", SWITCH("mf acs=1d/1d", "acs=1d/1d"),
          "00:01.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0" },
        { "a switch behind a port without ACS",
          PORT_WITHOUT "01:00.0 104c:8232 up bus=02\n02:00.0 104c:8233 down bus=03\n03:00.0 144d:a808 end\n",
          "00:01.0 01:00.0 02:00.0 03:00.0" },
        { "a switch whose upstream port claims to be a downstream one",
          PORT "01:00.0 104c:8232 down bus=02\n02:00.0 104c:8233 down bus=03 acs=1d/1d\n03:00.0 144d:a808 end\n",
          "00:01.0 | 01:00.0 | 02:00.0 | 03:00.0" },
        { "… and the other way round",
          PORT "01:00.0 104c:8232 up bus=02\n02:00.0 104c:8233 up bus=03\n03:00.0 144d:a808 end\n",
          "00:01.0 | 01:00.0 | 02:00.0 03:00.0" },
        { "a bridge to conventional PCI",
          PORT "01:00.0 1b36:000e to-pci bus=02\n02:01.0 1234:11e8 pci\n02:02.0 8086:100e pci\n",
          "00:01.0 | 01:00.0 02:01.0 02:02.0" },
        { "… with another one behind it",
          PORT "01:00.0 1b36:000e to-pci bus=02\n02:01.0 1b36:0001 pci bus=03\n03:01.0 8086:100e pci\n",
          "00:01.0 | 01:00.0 02:01.0 03:01.0" },
        { "a conventional bridge on the root complex",
          "00:1e.0 8086:244e pci bus=05\n05:01.0 8086:100e pci\n00:02.0 1234:1111 pci\n",
          "00:02.0 | 00:1e.0 05:01.0" },
        { "a bridge from conventional PCI back to PCI Express",
          "00:1e.0 8086:244e pci bus=05\n05:01.0 104c:8240 to-pcie bus=06\n06:00.0 10de:2206 end\n",
          "00:1e.0 05:01.0 06:00.0" },
        { "a bridge to a bus that is not its own", "00:01.0 1b36:000c root bus=00\n00:02.0 1234:1111 pci\n",
          "00:01.0 | 00:02.0" },
        { "a second root bus", "00:02.0 1234:1111 pci\n80:00.0 1b36:000c root bus=81\n81:00.0 10de:2206 end\n",
          "00:02.0 | 80:00.0 81:00.0" },
};

static const struct machine quirks[] = {
        { "Intel's integrated endpoints", "00:14.0 8086:a36d rc mf\n00:14.2 8086:a36f rc\n", "00:14.0 | 00:14.2" },
        { "… but not the conventional ones", "00:1f.0 8086:a303 pci mf\n00:1f.4 8086:a323 pci\n",
          "00:1f.0 00:1f.4" },
        { "… nor other makers'", "00:14.0 1022:a36d rc mf\n00:14.2 1022:a36f rc\n", "00:14.0 00:14.2" },
        { "a NIC that is known to be isolated", PORT "01:00.0 8086:1521 end mf\n01:00.1 8086:1521 end\n",
          "00:01.0 | 01:00.0 | 01:00.1" },
        { "a PCH port whose registers can be set",
          "00:1c.0 8086:8c10 root bus=01 mf\n00:1c.2 8086:8c14 root bus=02\n00:1f.0 8086:8c44 pci rcba\n"
          "01:00.0 10ec:8168 end\n02:00.0 10ec:8168 end\n",
          "00:1c.0 | 00:1c.2 | 00:1f.0 | 01:00.0 | 02:00.0" },
        { "… and where they can't",
          "00:1c.0 8086:8c10 root bus=01 mf\n00:1c.2 8086:8c14 root bus=02\n00:1f.0 8086:8c44 pci\n"
          "01:00.0 10ec:8168 end\n02:00.0 10ec:8168 end\n",
          "00:1c.0 00:1c.2 01:00.0 02:00.0 | 00:1f.0" },
        { "AMD's southbridge", "00:14.0 1002:4385 pci mf\n00:14.2 1002:4383 pci\n", "00:14.0 | 00:14.2", NULL,
          NULL, IVRS },
        { "… without an AMD IOMMU", "00:14.0 1002:4385 pci mf\n00:14.2 1002:4383 pci\n", "00:14.0 00:14.2" },
        { "… whose IOMMU is a function",
          "00:00.2 1022:1481 pci class=080600\n00:14.0 1002:4385 pci mf\n00:14.2 1002:4383 pci\n",
          "00:00.2 | 00:14.0 | 00:14.2" },
        { "a Zhaoxin port that is known", "00:01.0 1d17:0721 root bus=01\n01:00.0 10de:2206 end\n",
          "00:01.0 | 01:00.0" },
        { "… and one that is not, though it has ACS",
          "00:01.0 1d17:0722 root bus=01 acs=1d/1d\n01:00.0 10de:2206 end\n", "00:01.0 01:00.0" },
        { "a Marvell controller that uses its second function's address",
          PORT "01:00.0 1b4b:9230 end mf acs=1d/1d\n01:00.1 1b4b:9230 end acs=1d/1d\n",
          "00:01.0 | 01:00.0 01:00.1" },
        { "… which others do not", PORT "01:00.0 1b4b:9231 end mf acs=1d/1d\n01:00.1 1b4b:9231 end acs=1d/1d\n",
          "00:01.0 | 01:00.0 | 01:00.1" },
        { "… and not in another slot", "00:05.0 1b4b:9230 rc\n00:06.1 1b4b:9230 rc mf acs=0/0\n",
          "00:05.0 | 00:06.1" },
        { "a Ricoh reader that uses its first function's",
          PORT "01:00.0 1180:e832 pci mf\n01:00.3 1180:e832 pci\n", "00:01.0 | 01:00.0 01:00.3" },
        { "an Adaptec card that is known by its subsystem",
          "00:01.0 9005:0285 pci sub=9005:02bb\n00:02.0 9005:0285 pci sub=9005:02bb\n", "00:01.0 00:02.0" },
        { "… and one that is not", "00:01.0 9005:0285 pci sub=9005:02bd\n00:02.0 9005:0285 pci sub=9005:02bd\n",
          "00:01.0 | 00:02.0" },
        { "a function that uses the address of one whose slot has a group",
          PORT "01:12.0 8086:2261 end mf\n01:12.1 8086:2260 end mf acs=1d/1d\n01:12.3 8086:2261 end mf\n",
          "00:01.0 | 01:12.0 01:12.1 01:12.3" },
        { "a bridge to conventional PCI that is known to be isolated: not what is behind it",
          "00:14.0 1022:780b pci mf\n00:14.4 1022:780f pci bus=05\n05:01.0 8086:100e pci\n",
          "00:14.0 | 00:14.4 05:01.0", NULL, NULL, IVRS },
        { "virtual functions, some on a bus of their own",
          PORT "01:00.0 8086:10c9 end vf=4,254,1,10ca\n01:1f.6 ffff:ffff end mf\n01:1f.7 ffff:ffff end mf\n"
               "02:00.0 ffff:ffff end mf\n02:00.1 ffff:ffff end mf\n",
          "00:01.0 | 01:00.0 | 01:1f.6 | 01:1f.7 | 02:00.0 | 02:00.1" },
        { "… of a port without ACS", PORT_WITHOUT "01:00.0 8086:10c9 end vf=1,256,1,10ca\n02:00.0 ffff:ffff end\n",
          "00:01.0 01:00.0 02:00.0" },
        { "what is behind a VMD",
          "00:0e.0 8086:467f rc class=010400\n10000:e0:06.0 8086:464d root bus=e1 acs=1d/1d\n10000:e1:00.0 "
          "144d:a80a end\n",
          "00:0e.0 10000:e0:06.0 10000:e1:00.0" },
};

static const struct machine overrides[] = {
        { "downstream", PORT_WITHOUT TWO_FUNCTIONS, "00:01.0 | 01:00.0 01:00.1", "downstream" },
        { "multifunction", PORT_WITHOUT TWO_FUNCTIONS, "00:01.0 01:00.0 01:00.1", "multifunction" },
        { "both", PORT_WITHOUT TWO_FUNCTIONS, "00:01.0 | 01:00.0 | 01:00.1", "downstream,multifunction" },
        { "one of two functions by id", PORT TWO_FUNCTIONS, "00:01.0 | 01:00.0 | 01:00.1", "id:10de:1aef" },
        { "another id", PORT TWO_FUNCTIONS, "00:01.0 | 01:00.0 01:00.1", "id:10de:1aee" },
        { "not for ACS that is incomplete", "00:01.0 1b36:000c root bus=01 acs=1d/0\n01:00.0 10de:2206 end\n",
          "00:01.0 01:00.0", "downstream,id:1b36:000c", "0000000@0:1.0" },
        { "not for conventional PCI", "00:03.0 1234:1111 pci mf\n00:03.1 1234:11e8 pci\n", "00:03.0 00:03.1",
          "downstream,multifunction,id:1234:1111,id:1234:11e8" },
        { "not for what is behind a bridge to conventional PCI",
          PORT "01:00.0 1b36:000e to-pci bus=02\n02:01.0 1234:11e8 pci\n", "00:01.0 | 01:00.0 02:01.0",
          "id:1b36:000e" },
        { "… nor from it", "00:1e.0 104c:8240 to-pcie bus=06\n06:00.0 10de:2206 end\n", "00:1e.0 06:00.0",
          "id:104c:8240" },
        { "not against a quirk", "00:1c.0 8086:8c10 root bus=01\n01:00.0 10ec:8168 end\n", "00:1c.0 01:00.0",
          "downstream,id:8086:8c10" },
};

#define THREE_PORTS                                                                                               \
        "00:01.0 1b36:000c root bus=01 acs=1f/1d\n00:02.0 8086:3420 root bus=02 acs=1f/1d\n"                      \
        "00:03.0 1b36:000c root bus=03\n01:00.0 144d:a808 end\n02:00.0 144d:a808 end\n03:00.0 144d:a808 end\n"

static const struct machine configs[] = {
        { "without", THREE_PORTS, "00:01.0 | 00:02.0 | 00:03.0 03:00.0 | 01:00.0 | 02:00.0" },
        { "all off, for all", THREE_PORTS, "00:01.0 01:00.0 | 00:02.0 02:00.0 | 00:03.0 03:00.0", NULL,
          "0000000@pci:0:0" },
        { "what the kernel does by itself", THREE_PORTS, "00:01.0 | 00:02.0 | 00:03.0 03:00.0 | 01:00.0 | 02:00.0",
          NULL, "0011101@pci:0:0" },
        { "x is the firmware's, which nobody knows any more", THREE_PORTS,
          "00:01.0 01:00.0 | 00:02.0 02:00.0 | 00:03.0 03:00.0", NULL, "xxxxxxx@pci:0:0" },
        { "… or knows: all bits were set", "00:01.0 1b36:000c root bus=01 acs=1f/1d\n01:00.0 144d:a808 end\n",
          "00:01.0 | 01:00.0", NULL, "xxxxxxx@pci:0:0", IOMMU_OFF },
        { "… or only some", "00:01.0 1b36:000c root bus=01 acs=1f/1\n01:00.0 144d:a808 end\n", "00:01.0 01:00.0",
          NULL, "xxxxxxx@pci:0:0", IOMMU_OFF },
        { "flags that are left out are x", THREE_PORTS, "00:01.0 01:00.0 | 00:02.0 | 00:03.0 03:00.0 | 02:00.0",
          NULL, "1@00:01.0" },
        { "the first entry that matches", THREE_PORTS, "00:01.0 | 00:02.0 02:00.0 | 00:03.0 03:00.0 | 01:00.0",
          NULL, "0011101@00:01.0;0@pci:1b36:c,0@pci:8086:3420" },
        { "by domain and address", THREE_PORTS, "00:01.0 | 00:02.0 02:00.0 | 00:03.0 03:00.0 | 01:00.0", NULL,
          "0@0000:00:02.0;0@1:0:1.0" },
        { "not without ACS", THREE_PORTS, "00:01.0 | 00:02.0 | 00:03.0 03:00.0 | 01:00.0 | 02:00.0", NULL,
          "1111111@00:03.0" },
        { "by path", SWITCH("", "acs=1d/1d"), "00:01.0 | 01:00.0 | 02:00.0 | 02:01.0 04:00.0 | 03:00.0", NULL,
          "0@0:1.0/0.0/1.0" },
        { "a path that leads elsewhere", SWITCH("", "acs=1d/1d"),
          "00:01.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0", NULL, "0@0:1.0/1.0/1.0" },
        { "an Intel port of the 100 series, whatever the flags say",
          "00:1c.0 8086:a110 root bus=01 acs=1f/1d\n01:00.0 144d:a808 end\n", "00:1c.0 01:00.0", NULL,
          "0011101@pci:0:0" },
        { "… which is isolated without", "00:1c.0 8086:a110 root bus=01 acs=1f/1d\n01:00.0 144d:a808 end\n",
          "00:1c.0 | 01:00.0", NULL, "0011101@pci:8086:a111" },
};

#define TABLE(name, machines)                                       \
        static void name(void **state) {                            \
                (void) state;                                       \
                for (size_t i = 0; i < ARRAY_SIZE(machines); i++)   \
                        check(&machines[i]);                        \
        }
TABLE(test_paths, paths)
TABLE(test_bridges, bridges)
TABLE(test_quirks, quirks)
TABLE(test_overrides, overrides)
TABLE(test_configs, configs)

static void refused(const char *functions, const char *message) {
        struct pci_topology t = {};
        struct err e = {};

        assert_int_equal(build(functions, &t, &e), -EINVAL);
        assert_null(t.list);
        if (!strstr(e.message, message))
                fail_msg("wanted '%s', found '%s'", message, e.message);
}

static void test_refused(void **state) {
        (void) state;
        refused(PORT "01:00.0 10de:2206 end\n01:00.0 10de:2206 end\n",
                "0000:01:00.0: this address is there twice");
        refused("01:00.0 10de:2206 end\n", "0000:01:00.0: the bridge to bus 01 is missing");
        refused("02:00.0 104c:8233 down bus=03\n", "the bridge to bus 02 is missing");
        refused("10000:e0:06.0 8086:464d root\n", "1 functions are behind an Intel VMD, and there are 0 of those");
        refused("00:0e.0 8086:467f rc class=010400\n80:0e.0 8086:467f rc class=010400\n10000:e0:06.0 8086:464d "
                "root\n",
                "there are 2 of those");
}

static void test_guessed(void **state) {
        _cleanup_pci_topology_ struct pci_topology t = {};
        struct acs_settings s = { .boot = true };
        struct err e = {};
        bool guessed = true;

        (void) state;
        assert_int_equal(build(THREE_PORTS, &t, &e), 0);
        t.iommu_on = true;
        acs_configure(&t, &s, &guessed);
        assert_false(guessed);
        assert_int_equal(config_acs_parse("xx11101@pci:0:0", &s.config, &e), 0);
        acs_configure(&t, &s, &guessed);
        assert_false(guessed);
        assert_int_equal(t.list[0].acs_active, 0x1d);
        assert_int_equal(config_acs_parse("1100x01@00:01.0", &s.config, &e), 0);
        acs_configure(&t, &s, &guessed);
        assert_true(guessed);
        assert_int_equal(t.list[0].acs_active, 0x61);
        t.iommu_on = false;
        acs_configure(&t, &s, &guessed);
        assert_false(guessed);
        assert_int_equal(t.list[0].acs_active, 0x65);
}

static void test_equal(void **state) {
        static const int a[] = { 4, -1, 4, 7 }, same[] = { 0, -1, 0, 1 }, apart[] = { 0, -1, 2, 1 },
                         more[] = { 0, 3, 0, 1 }, merged[] = { 0, -1, 0, 0 };

        (void) state;
        assert_true(iommu_groups_equal(a, same, 4));
        assert_true(iommu_groups_equal(a, apart, 0));
        assert_false(iommu_groups_equal(a, apart, 4));
        assert_false(iommu_groups_equal(a, more, 4));
        assert_false(iommu_groups_equal(a, merged, 4));
}

static void test_control_offset(void **state) {
        (void) state;
        assert_int_equal(acs_control_offset(&(struct pci_id) { 0x8086, 0xa110 }, PCIE_ROOT_PORT), 8);
        assert_int_equal(acs_control_offset(&(struct pci_id) { 0x8086, 0x9d1b }, PCIE_ROOT_PORT), 8);
        assert_int_equal(acs_control_offset(&(struct pci_id) { 0x8086, 0x9d1c }, PCIE_ROOT_PORT), 6);
        assert_int_equal(acs_control_offset(&(struct pci_id) { 0x1022, 0xa110 }, PCIE_ROOT_PORT), 6);
        assert_int_equal(acs_control_offset(&(struct pci_id) { 0x8086, 0xa110 }, PCIE_ENDPOINT), 6);
}

static void test_parse(void **state) {
        static const char *const good_acs[] = { "downstream", "multifunction,downstream",
                                                "id:10de:2206,id:10de:1aef" };
        static const char *const bad_acs[] = { "",        "down",     "downstream,", "downstream;multifunction",
                                               "id:10de", "id:10de:", "Downstream" };
        static const char *const good_config[] = { "1@0:1.0", "0011101@pci:0:0", "x@0000:00:01.0",
                                                   "xX01@10000:e0:1f.7/1.0",
                                                   "1@pci:8086:a110:1:2,0@pci:1:2;1@0:1.0" };
        static const char *const bad_config[] = {
                "",
                "@0:1.0",
                "1",
                "1@",
                "11111111@0:1.0",
                "2@0:1.0",
                "1@0:1",
                "1@0:1.8",
                "1@0:20.0",
                "1@100:1.0",
                "1@pci:8086",
                "1@pci:8086:1:2",
                "1@pci:1:10000",
                "1@0:1.0,0@0:2.0",
                "1@0:1.0;",
                "1@0:1.0/0",
                "1@0:1.0 ",
                "1@1:2:3:4.0",
                "1@pci:1:2:3:4:5",
                "1@0:1.0;2.0",
                "1@0x0:1.0",
                "1@0:1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0",
        };
        struct acs_override o = { .n_ids = 99 };
        struct config_acs c = { .n = 99 };
        char many[1024] = "id:0001:0001";
        struct err e;

        (void) state;
        for (size_t i = 0; i < ARRAY_SIZE(bad_acs); i++)
                if (acs_override_parse(bad_acs[i], &o, &e) != -EINVAL)
                        fail_msg("acs=%s", bad_acs[i]);
        assert_int_equal(o.n_ids, 99);
        for (size_t i = 0; i < ARRAY_SIZE(good_acs); i++)
                assert_int_equal(acs_override_parse(good_acs[i], &o, &e), 0);
        assert_int_equal(o.n_ids, 2);
        for (size_t i = 1; i < ACS_OVERRIDE_IDS_MAX; i++)
                strcat(many, ",id:0001:0001");
        assert_int_equal(acs_override_parse(many, &o, &e), 0);
        strcat(many, ",id:0001:0001");
        assert_int_equal(acs_override_parse(many, &o, &e), -EINVAL);

        for (size_t i = 0; i < ARRAY_SIZE(bad_config); i++)
                if (config_acs_parse(bad_config[i], &c, &e) != -EINVAL)
                        fail_msg("config_acs=%s", bad_config[i]);
        assert_int_equal(c.n, 99);
        for (size_t i = 0; i < ARRAY_SIZE(good_config); i++)
                if (config_acs_parse(good_config[i], &c, &e) < 0)
                        fail_msg("%s", e.message);
        assert_int_equal(c.n, 3);
        assert_int_equal(c.entries[0].subsystem.device, 2);
        *many = '\0';
        for (size_t i = 0; i < CONFIG_ACS_ENTRIES_MAX; i++)
                strcat(many, i > 0 ? ";0@0:1.0" : "0@0:1.0");
        assert_int_equal(config_acs_parse(many, &c, &e), 0);
        strcat(many, ";0@0:1.0");
        assert_int_equal(config_acs_parse(many, &c, &e), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),   cmocka_unit_test(test_bridges),
                cmocka_unit_test(test_quirks),  cmocka_unit_test(test_overrides),
                cmocka_unit_test(test_configs), cmocka_unit_test(test_refused),
                cmocka_unit_test(test_guessed), cmocka_unit_test(test_equal),
                cmocka_unit_test(test_parse),   cmocka_unit_test(test_control_offset),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
