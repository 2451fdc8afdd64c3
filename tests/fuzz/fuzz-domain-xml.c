/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "config/domain-xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool condition) {
        if (!condition)
                abort();
}

static void check(const struct request *q) {
        want(!*q->domain || name_is_valid(q->domain));
        want(!*q->uuid || uuid_is_valid(q->uuid));
        want(*q->domain || q->n_devices == 0);
        want(q->n_devices <= REQUEST_DEVICES_MAX);
        want(q->group == GROUP_EXPAND || q->group == GROUP_STRICT);
        want(!q->dry_run && q->seconds == 0);
        for (size_t i = 0; i < q->n_devices; i++) {
                const struct request_device *d = &q->devices[i];

                want(d->address.slot <= 0x1f && d->address.function <= 7);
                want(!*d->driver || (driver_name_is_valid(d->driver) && driver_is_vfio(d->driver)));
                for (size_t k = 0; k < i; k++)
                        want(bdf_compare(&d->address, &q->devices[k].address) != 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct request q, untouched;
        struct err e = {};
        int r;

        memset(&q, 0x5a, sizeof(q));
        untouched = q;
        r = domain_xml_parse((const char *) data, size, &q, &e);
        if (r == 0)
                check(&q);
        else
                want(r == e.code && *e.message && memcmp(&q, &untouched, sizeof(q)) == 0);
        return 0;
}
