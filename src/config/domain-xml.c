/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/domain-xml.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "config/domain-parts.h"
#include "config/option.h"

static bool is_ours(const struct xml_node *n) {
        return xml_is_of(n, DOMAIN_XML_NAMESPACE);
}

static bool attribute_is(const struct xml_node *n, const char *name, const char *value) {
        const char *found = xml_attribute(n, name);

        return found && str_eq(found, value);
}

int domain_fail_at(const struct xml_node *n, int r, struct err *e) {
        err_prefix(e, "domain XML, line %lu, <%s>", n->line, xml_local_name(n));
        return r;
}

/* NULL: *e says why. */
static struct request_device *add_device(struct request *q, const struct xml_node *n, const struct bdf *address,
                                         struct err *e) {
        struct request_device *d = request_add(q, address);

        if (!d)
                (void) fail_syntax(n, e, "wanted at most %d PCI devices, found one more", REQUEST_DEVICES_MAX);
        return d;
}

/* As libvirt reads it, which is C's way: 0x1f, 31 and 037 are the same. */
static int parse_number(const char *s, uint64_t max, uint64_t *ret) {
        return str_to_u64(s, str_starts(s, "0x") || str_starts(s, "0X") ? 16 : *s == '0' ? 8 : 10, max, ret);
}

static int parse_address(const struct xml_node *n, struct bdf *ret, struct err *e) {
        static const struct {
                const char *name;
                uint64_t max;
        } parts[] = { { "domain", UINT32_MAX }, { "bus", 0xff }, { "slot", 0x1f }, { "function", 7 } };
        uint64_t v[ARRAY_SIZE(parts)] = {};

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                const char *text = xml_attribute(n, parts[i].name);

                if (!text && i == 0) /* the domain may be left out */
                        continue;
                if (!text)
                        return fail_syntax(n, e, "wanted the attribute %s, found none", parts[i].name);
                if (parse_number(text, parts[i].max, &v[i]) < 0)
                        return fail_syntax(n, e, "%s: wanted a number from 0 to 0x%llx, found “%s”", parts[i].name,
                                           (unsigned long long) parts[i].max, text);
        }
        *ret = (struct bdf) { (uint32_t) v[0], (uint8_t) v[1], (uint8_t) v[2], (uint8_t) v[3] };
        return 0;
}

/* The device of <source><address/></source> in n. */
static int take_source(const struct xml_node *n, struct request *q, struct err *e) {
        const struct xml_node *address = xml_child(xml_child(n, "source"), "address");
        const struct xml_node *driver = xml_child(n, "driver");
        const char *model = driver ? xml_attribute(driver, "model") : NULL;
        struct request_device *d;
        struct bdf bdf;
        int r;

        if (!address)
                return fail_syntax(n, e, "wanted <source><address …/></source>, found none");
        r = parse_address(address, &bdf, e);
        if (r < 0)
                return r;
        d = add_device(q, n, &bdf, e);
        if (!d)
                return -EINVAL;
        if (model && driver_name_is_valid(model) && driver_is_vfio(model))
                return str_copy(d->driver, sizeof(d->driver), model);
        return 0;
}

static int take_hostdev(const struct xml_node *n, struct request *q, struct err *e) {
        const char *mode = xml_attribute(n, "mode"); /* libvirt's default is subsystem */

        if ((mode && !str_eq(mode, "subsystem")) || !attribute_is(n, "type", "pci"))
                return 0;
        return take_source(n, q, e);
}

static int take_interface(const struct xml_node *n, struct request *q, struct err *e) {
        const struct xml_node *address = xml_child(xml_child(n, "source"), "address");
        const char *type = address ? xml_attribute(address, "type") : NULL;

        if (!attribute_is(n, "type", "hostdev") || (type && !str_eq(type, "pci")))
                return 0;
        return take_source(n, q, e);
}

/* libvirt detaches the devices of the whole chain of images, not of the top one only. */
static int take_disk(const struct xml_node *n, struct request *q, struct err *e) {
        for (; n; n = xml_child(n, "backingStore")) {
                int r;

                if (!attribute_is(n, "type", "nvme"))
                        continue;
                r = take_source(n, q, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_devices(const struct xml_node *devices, struct request *q, struct err *e) {
        static const struct {
                const char *name;
                int (*take)(const struct xml_node *n, struct request *q, struct err *e);
        } kinds[] = { { "hostdev", take_hostdev }, { "interface", take_interface }, { "disk", take_disk } };

        for (const struct xml_node *n = devices->children; n; n = n->next)
                for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                        int r = xml_is(n, kinds[i].name) ? kinds[i].take(n, q, e) : 0;

                        if (r < 0)
                                return r;
                }
        return 0;
}

/* Every attribute of our elements is known, or a typo would be silent. */
static int take_options(const struct xml_node *n, struct request *q, struct request_device *d, struct err *e) {
        for (size_t i = 0; i < n->n_attributes; i++) {
                const struct xml_attribute *a = &n->attributes[i];
                int r;

                if (xml_attribute_is_namespace(a) || (d && str_eq(a->name, "address")))
                        continue;
                r = d ? option_set_device(d, a->name, a->value, e) : option_set_domain(q, a->name, a->value, e);
                if (r < 0)
                        return domain_fail_at(n, r, e);
        }
        return 0;
}

static int take_own_device(const struct xml_node *n, struct request *q, struct err *e) {
        const char *address = xml_attribute(n, "address");
        struct request_device *d;
        struct bdf bdf;

        if (!is_ours(n) || !str_eq(xml_local_name(n), "device"))
                return fail_syntax(n, e, "wanted the element device of the namespace " DOMAIN_XML_NAMESPACE);
        if (!address || bdf_parse(address, &bdf) < 0)
                return fail_syntax(n, e, "address: wanted a PCI address such as 0000:01:00.0, found “%s”",
                                   address ? address : "");
        d = add_device(q, n, &bdf, e);
        return d ? take_options(n, q, d, e) : -EINVAL;
}

static int take_metadata(const struct xml_node *metadata, struct request *q, struct err *e) {
        for (const struct xml_node *own = metadata->children; own; own = own->next) {
                int r;

                if (!is_ours(own))
                        continue;
                if (!str_eq(xml_local_name(own), "domain"))
                        return fail_syntax(own, e, "wanted the element domain of this namespace");
                r = take_options(own, q, NULL, e);
                for (const struct xml_node *n = own->children; n && r >= 0; n = n->next)
                        r = take_own_device(n, q, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_name(const struct xml_node *domain, struct request *q, struct err *e) {
        const struct xml_node *n = xml_child(domain, "name");
        const char *text = n ? n->text : NULL;

        if (text && name_is_valid(text))
                return str_copy(q->domain, sizeof(q->domain), text);
        /* One that borrows nothing may be called what libvirt allows: it is no concern of ours. */
        if (request_is_empty(q))
                return 0;
        return fail_syntax(
                n ? n : domain, e,
                "the domain borrows devices or memory: wanted a name of 1 to %d of A-Z a-z 0-9 . _ - that "
                "starts with neither . nor -, found “%s”; rename it while it is shut off: "
                "virsh domrename %s NEW-NAME",
                NAME_LENGTH_MAX, text ? text : "", *q->uuid ? q->uuid : "OLD-NAME");
}

static int take_uuid(const struct xml_node *domain, struct request *q, struct err *e) {
        const struct xml_node *n = xml_child(domain, "uuid");
        const char *text = n ? n->text : NULL;

        if (text && uuid_is_valid(text))
                /* A lease is found by it: one spelling only. */
                for (size_t i = 0; i < UUID_TEXT_MAX; i++)
                        q->uuid[i] = (char) tolower((unsigned char) text[i]);
        else if (n && !request_is_empty(q))
                return fail_syntax(n, e, "wanted 8-4-4-4-12 hexadecimal digits, found “%s”", text ? text : "");
        return 0;
}

/* The element of libvirt's document that is the domain. */
static int find_domain(const struct xml_node *root, const struct xml_node **ret, struct err *e) {
        const struct xml_node *domain = xml_is(root, "domstatus") ? xml_child(root, "domain") : root;

        if (!domain || !xml_is(domain, "domain"))
                return fail_syntax(root, e, "wanted <domain>, or <domstatus> with one, found neither");
        *ret = domain;
        return 0;
}

static int take_domain(const struct xml_node *root, struct request *q, struct err *e) {
        const struct xml_node *domain;
        int r;

        r = find_domain(root, &domain, e);
        if (r < 0)
                return r;
        for (const struct xml_node *n = domain->children; n; n = n->next) {
                if (xml_is(n, "devices"))
                        r = take_devices(n, q, e);
                else if (xml_is(n, "metadata"))
                        r = take_metadata(n, q, e);
                if (r < 0)
                        return r;
        }
        r = domain_take_memory(domain, q, e);
        if (r >= 0)
                r = domain_take_cpus(domain, q, e);
        if (r >= 0)
                r = take_uuid(domain, q, e);
        return r < 0 ? r : take_name(domain, q, e);
}

static int parse(const char *text, size_t size, struct xml_node **ret, struct err *e) {
        if (size > DOMAIN_XML_MAX)
                return err_set(e, -EFBIG, ERR_INVALID, "domain XML",
                               "domain XML: wanted at most %u bytes, found %zu", DOMAIN_XML_MAX, size);
        return xml_parse(text, size, "domain XML", ret, e);
}

int domain_xml_parse(const char *text, size_t size, struct request *q, struct err *e) {
        _cleanup_xml_ struct xml_node *root = NULL;
        struct request parsed = {};
        int r;

        r = parse(text, size, &root, e);
        if (r >= 0)
                r = take_domain(root, &parsed, e);
        if (r < 0)
                return r;

        *q = parsed;
        return 0;
}

int domain_xml_pinning(const char *text, size_t size, struct pinning *ret, struct err *e) {
        _cleanup_xml_ struct xml_node *root = NULL;
        const struct xml_node *domain;
        int r;

        r = parse(text, size, &root, e);
        if (r >= 0)
                r = find_domain(root, &domain, e);
        return r < 0 ? r : domain_take_pinning(domain, ret, e);
}

int domain_xml_load(const struct root *root, const char *name, char **ret, size_t *ret_size, struct err *e) {
        char path[PATH_MAX];
        int r;

        /* The name becomes a part of a path. */
        if (!name_is_valid(name))
                return err_set(e, -EINVAL, ERR_INVALID, "domain",
                               "wanted the name of a domain (1 to %d of A-Z a-z 0-9 . _ -), found “%s”",
                               NAME_LENGTH_MAX, name);
        r = str_format(path, sizeof(path), "/etc/libvirt/qemu/%s.xml", name);
        if (r >= 0)
                r = root_read(root, path, DOMAIN_XML_MAX, ret, ret_size);
        if (r == -ENOENT || r == -ENOTDIR)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, name,
                               "libvirt has no persistent domain %s (there is no %s); virsh list --all shows "
                               "what it has",
                               name, path);
        if (r < 0)
                return err_set(e, r, r == -EACCES ? ERR_PERMISSION : ERR_FAILED, name, "%s cannot be read: %s",
                               path, strerror(-r));
        return 0;
}
