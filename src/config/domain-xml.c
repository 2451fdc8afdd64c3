/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/domain-xml.h"

#include <ctype.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "config/option.h"

/* No XML_PARSE_NOENT, _DTDLOAD, _XINCLUDE, _HUGE: what is not asked for here is not done. */
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT)

static void doc_freep(xmlDoc **doc) {
        xmlFreeDoc(*doc);
}
#define _cleanup_doc_ _cleanup_(doc_freep)

static void parser_freep(xmlParserCtxt **parser) {
        xmlFreeParserCtxt(*parser);
}
#define _cleanup_parser_ _cleanup_(parser_freep)

/* libvirt's elements have no namespace. */
static bool is_element(const xmlNode *n, const char *name) {
        return n->type == XML_ELEMENT_NODE && !n->ns && str_eq((const char *) n->name, name);
}

static bool is_ours(const xmlNode *n) {
        return n->type == XML_ELEMENT_NODE && n->ns && str_eq((const char *) n->ns->href, DOMAIN_XML_NAMESPACE);
}

/* The first of n and its siblings with this name. */
static const xmlNode *find(const xmlNode *n, const char *name) {
        while (n && !is_element(n, name))
                n = n->next;
        return n;
}

static const xmlNode *child(const xmlNode *n, const char *name) {
        return n ? find(n->children, name) : NULL;
}

/* In place, as everything here: a copy that fails for want of memory would look like something missing. */
static const char *plain_text(const xmlNode *n) {
        return !n ? "" : n->type == XML_TEXT_NODE && !n->next ? (const char *) n->content : NULL;
}

static const char *attribute(const xmlNode *n, const char *name) {
        for (const xmlAttr *a = n->properties; a; a = a->next)
                if (!a->ns && str_eq((const char *) a->name, name))
                        return plain_text(a->children);
        return NULL;
}

static bool attribute_is(const xmlNode *n, const char *name, const char *value) {
        const char *found = attribute(n, name);

        return found && str_eq(found, value);
}

/* Puts the place before what e says. */
static int fail_at(const xmlNode *n, int r, struct err *e) {
        err_prefix(e, "domain XML, line %ld, <%s>", xmlGetLineNo(n), (const char *) n->name);
        return r;
}

#define fail_syntax(n, e, ...) \
        fail_at(n, err_set(e, -EINVAL, ERR_INVALID, (const char *) (n)->name, __VA_ARGS__), e)

/* NULL: *e says why. */
static struct request_device *add_device(struct request *q, const xmlNode *n, const struct bdf *address,
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

static int parse_address(const xmlNode *n, struct bdf *ret, struct err *e) {
        static const struct {
                const char *name;
                uint64_t max;
        } parts[] = { { "domain", UINT32_MAX }, { "bus", 0xff }, { "slot", 0x1f }, { "function", 7 } };
        uint64_t v[ARRAY_SIZE(parts)] = {};

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                const char *text = attribute(n, parts[i].name);

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
static int take_source(const xmlNode *n, struct request *q, struct err *e) {
        const xmlNode *address = child(child(n, "source"), "address"), *driver = child(n, "driver");
        const char *model = driver ? attribute(driver, "model") : NULL;
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

static int take_hostdev(const xmlNode *n, struct request *q, struct err *e) {
        const char *mode = attribute(n, "mode"); /* libvirt's default is subsystem */

        if ((mode && !str_eq(mode, "subsystem")) || !attribute_is(n, "type", "pci"))
                return 0;
        return take_source(n, q, e);
}

static int take_interface(const xmlNode *n, struct request *q, struct err *e) {
        const xmlNode *address = child(child(n, "source"), "address");
        const char *type = address ? attribute(address, "type") : NULL;

        if (!attribute_is(n, "type", "hostdev") || (type && !str_eq(type, "pci")))
                return 0;
        return take_source(n, q, e);
}

/* libvirt detaches the devices of the whole chain of images, not of the top one only. */
static int take_disk(const xmlNode *n, struct request *q, struct err *e) {
        for (; n; n = child(n, "backingStore")) {
                int r;

                if (!attribute_is(n, "type", "nvme"))
                        continue;
                r = take_source(n, q, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_devices(const xmlNode *devices, struct request *q, struct err *e) {
        static const struct {
                const char *name;
                int (*take)(const xmlNode *n, struct request *q, struct err *e);
        } kinds[] = { { "hostdev", take_hostdev }, { "interface", take_interface }, { "disk", take_disk } };

        for (const xmlNode *n = devices->children; n; n = n->next)
                for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                        int r = is_element(n, kinds[i].name) ? kinds[i].take(n, q, e) : 0;

                        if (r < 0)
                                return r;
                }
        return 0;
}

/* Every attribute of our elements is known, or a typo would be silent. */
static int take_options(const xmlNode *n, struct request *q, struct request_device *d, struct err *e) {
        for (const xmlAttr *a = n->properties; a; a = a->next) {
                const char *key = (const char *) a->name, *value = plain_text(a->children);
                int r;

                if (d && str_eq(key, "address"))
                        continue;
                if (!value)
                        value = "";
                r = d ? option_set_device(d, key, value, e) : option_set_domain(q, key, value, e);
                if (r < 0)
                        return fail_at(n, r, e);
        }
        return 0;
}

static int take_own_device(const xmlNode *n, struct request *q, struct err *e) {
        const char *address = attribute(n, "address");
        struct request_device *d;
        struct bdf bdf;

        if (!is_ours(n) || !str_eq((const char *) n->name, "device"))
                return fail_syntax(n, e, "wanted the element device of the namespace " DOMAIN_XML_NAMESPACE);
        if (!address || bdf_parse(address, &bdf) < 0)
                return fail_syntax(n, e, "address: wanted a PCI address such as 0000:01:00.0, found “%s”",
                                   address ? address : "");
        d = add_device(q, n, &bdf, e);
        return d ? take_options(n, q, d, e) : -EINVAL;
}

static int take_metadata(const xmlNode *metadata, struct request *q, struct err *e) {
        for (const xmlNode *own = metadata->children; own; own = own->next) {
                int r;

                if (!is_ours(own))
                        continue;
                if (!str_eq((const char *) own->name, "domain"))
                        return fail_syntax(own, e, "wanted the element domain of this namespace");
                r = take_options(own, q, NULL, e);
                for (const xmlNode *n = own->children; n && r >= 0; n = n->next)
                        if (n->type == XML_ELEMENT_NODE)
                                r = take_own_device(n, q, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_name(const xmlNode *domain, struct request *q, struct err *e) {
        const xmlNode *n = child(domain, "name");
        const char *text = n ? plain_text(n->children) : NULL;

        if (text && name_is_valid(text))
                return str_copy(q->domain, sizeof(q->domain), text);
        /* One that borrows nothing may be called what libvirt allows: it is no concern of ours. */
        if (request_is_empty(q))
                return 0;
        return fail_syntax(n ? n : domain, e,
                           "the domain borrows PCI devices: wanted a name of 1 to %d of A-Z a-z 0-9 . _ - that "
                           "starts with neither . nor -, found “%s”; rename it while it is shut off: "
                           "virsh domrename %s NEW-NAME",
                           NAME_LENGTH_MAX, text ? text : "", *q->uuid ? q->uuid : "OLD-NAME");
}

static int take_uuid(const xmlNode *domain, struct request *q, struct err *e) {
        const xmlNode *n = child(domain, "uuid");
        const char *text = n ? plain_text(n->children) : NULL;

        if (text && uuid_is_valid(text))
                /* A lease is found by it: one spelling only. */
                for (size_t i = 0; i < UUID_TEXT_MAX; i++)
                        q->uuid[i] = (char) tolower((unsigned char) text[i]);
        else if (n && !request_is_empty(q))
                return fail_syntax(n, e, "wanted 8-4-4-4-12 hexadecimal digits, found “%s”", text ? text : "");
        return 0;
}

static int take_domain(const xmlNode *root, struct request *q, struct err *e) {
        const xmlNode *domain = is_element(root, "domstatus") ? child(root, "domain") : root;
        int r = 0;

        if (!domain || !is_element(domain, "domain"))
                return fail_syntax(root, e, "wanted <domain>, or <domstatus> with one, found neither");
        for (const xmlNode *n = domain->children; n; n = n->next) {
                if (is_element(n, "devices"))
                        r = take_devices(n, q, e);
                else if (is_element(n, "metadata"))
                        r = take_metadata(n, q, e);
                if (r < 0)
                        return r;
        }
        r = take_uuid(domain, q, e);
        return r < 0 ? r : take_name(domain, q, e);
}

/* Called at "<!DOCTYPE name", before anything that it declares was read. */
static void on_doctype(void *userdata, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
        xmlParserCtxt *parser = userdata;

        (void) name, (void) external, (void) system;
        *(bool *) parser->_private = true;
        xmlStopParser(parser);
}

static int fail_parse(xmlParserCtxt *parser, struct err *e) {
        const xmlError *why = xmlCtxtGetLastError(parser);
        const char *message = why && why->message ? why->message : "empty";

        if (why && why->code == XML_ERR_NO_MEMORY)
                return err_set(e, -ENOMEM, ERR_FAILED, "domain XML", "domain XML: out of memory");
        return err_set(e, -EINVAL, ERR_INVALID, "domain XML",
                       "domain XML, line %d: wanted well-formed XML as virsh dumpxml prints it, found: %.*s",
                       why ? why->line : 1, (int) strcspn(message, "\n"), message);
}

int domain_xml_parse(const char *text, size_t size, struct request *q, struct err *e) {
        _cleanup_parser_ xmlParserCtxt *parser = NULL;
        _cleanup_doc_ xmlDoc *doc = NULL;
        struct request parsed = {};
        bool doctype = false;
        int r;

        if (size > DOMAIN_XML_MAX)
                return err_set(e, -EFBIG, ERR_INVALID, "domain XML",
                               "domain XML: wanted at most %u bytes, found %zu", DOMAIN_XML_MAX, size);
        /* To libxml2 it is the end: what follows would not be looked at. */
        if (size > 0 && memchr(text, '\0', size))
                return err_set(e, -EINVAL, ERR_INVALID, "domain XML",
                               "domain XML: wanted text in UTF-8, found a NUL byte");
        parser = xmlNewParserCtxt();
        if (!parser)
                return err_set(e, -ENOMEM, ERR_FAILED, "domain XML", "domain XML: out of memory");
        parser->_private = &doctype;
        parser->sax->internalSubset = on_doctype;

        doc = xmlCtxtReadMemory(parser, text, (int) size, NULL, NULL, PARSE_OPTIONS);
        if (doctype)
                return err_set(e, -EINVAL, ERR_INVALID, "DOCTYPE",
                               "domain XML: wanted XML without a DOCTYPE, as libvirt writes it, found one; "
                               "take it out");
        if (!doc || !xmlDocGetRootElement(doc))
                return fail_parse(parser, e);
        r = take_domain(xmlDocGetRootElement(doc), &parsed, e);
        if (r < 0)
                return r;

        *q = parsed;
        return 0;
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
