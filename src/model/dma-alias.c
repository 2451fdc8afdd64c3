/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/dma-alias.h"

enum alias_rule {
        FUNCTION_0, /* function 0 of the slot */
        FUNCTION_1,
        MIC,        /* 10.0, 11.0 and 12.3 */
        FIRST_FIVE, /* functions 0 to 4 of every slot */
        ALL,
        SLOT_1,     /* 01.0, for two cards that are known by their subsystem */
};

static const struct {
        uint16_t vendor, device;
        enum alias_rule rule;
} aliases[] = {
        { 0x1180, 0xe832, FUNCTION_0 }, { 0x1180, 0xe476, FUNCTION_0 }, /* Ricoh */
        { 0x6766, 0x3d40, FUNCTION_0 }, { 0x6766, 0x3d41, FUNCTION_0 }, /* Glenfly */
        { 0x1b4b, 0x9120, FUNCTION_1 }, { 0x1b4b, 0x9123, FUNCTION_1 }, /* Marvell */
        { 0x1b4b, 0x9125, FUNCTION_1 }, { 0x1b4b, 0x9128, FUNCTION_1 }, { 0x1b4b, 0x9130, FUNCTION_1 },
        { 0x1b4b, 0x9170, FUNCTION_1 }, { 0x1b4b, 0x9172, FUNCTION_1 }, { 0x1b4b, 0x917a, FUNCTION_1 },
        { 0x1b4b, 0x9182, FUNCTION_1 }, { 0x1b4b, 0x9183, FUNCTION_1 }, { 0x1b4b, 0x91a0, FUNCTION_1 },
        { 0x1b4b, 0x9215, FUNCTION_1 }, { 0x1b4b, 0x9220, FUNCTION_1 }, { 0x1b4b, 0x9230, FUNCTION_1 },
        { 0x1b4b, 0x9235, FUNCTION_1 },
        { 0x1103, 0x0642, FUNCTION_1 }, { 0x1103, 0x0645, FUNCTION_1 }, /* HighPoint */
        { 0x197b, 0x2392, FUNCTION_1 },                                 /* JMicron */
        { 0x1c28, 0x0122, FUNCTION_1 },                                 /* Plextor */
        { 0x8086, 0x2260, MIC },        { 0x8086, 0x2264, MIC },
        { 0x8086, 0x2954, FIRST_FIVE }, { 0x8086, 0x2955, FIRST_FIVE }, { 0x8086, 0x2956, FIRST_FIVE },
        { 0x8086, 0x2958, FIRST_FIVE }, { 0x8086, 0x2959, FIRST_FIVE }, { 0x8086, 0x295a, FIRST_FIVE },
        { 0x10b5, 0x87b0, ALL },        { 0x10b5, 0x87b1, ALL },        /* PLX */
        { 0x9005, 0x0285, SLOT_1 },                                     /* Adaptec */
};

static bool matches(enum alias_rule rule, const struct pci_function *f, const struct bdf *as) {
        bool same_slot = as->slot == f->address.slot;

        switch (rule) {
        case FUNCTION_0:
                return same_slot && as->function == 0;
        case FUNCTION_1:
                return same_slot && as->function == 1;
        case MIC:
                return (as->slot == 0x10 && as->function == 0) || (as->slot == 0x11 && as->function == 0) ||
                       (as->slot == 0x12 && as->function == 3);
        case FIRST_FIVE:
                return as->function < 5;
        case ALL:
                return true;
        case SLOT_1:
                return as->slot == 1 && as->function == 0 && f->subsystem.vendor == 0x9005 &&
                       (f->subsystem.device == 0x02bb || f->subsystem.device == 0x02bc);
        }
        return false;
}

/* The bus is the same. */
static bool uses(const struct pci_function *f, const struct bdf *as) {
        for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
                if (aliases[i].vendor == f->id.vendor && aliases[i].device == f->id.device)
                        return matches(aliases[i].rule, f, as);
        return false;
}

bool dma_aliases(const struct pci_function *a, const struct pci_function *b) {
        return uses(a, &b->address) || uses(b, &a->address);
}
