/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macro.h"

#define XML_DEPTH_MAX 256 /* elements within each other: libxml2's limit, so libvirt's */

struct xml_attribute {
        char *name, *value;
};

/* An element. Comments, processing instructions and the text around elements are left out. */
struct xml_node {
        char *name;         /* as it is written, with its prefix */
        char *text;         /* what is between the tags; NULL: nothing, or elements */
        unsigned long line; /* of its start tag */
        struct xml_attribute *attributes;
        size_t n_attributes;
        struct xml_node *parent, *children, *next;
};

void xml_free(struct xml_node *root);
DEFINE_CLEANUP(struct xml_node *, xml_free)
#define _cleanup_xml_ _cleanup_(xml_freep)

/* Reads a document of up to INT_MAX bytes into a tree, which the caller frees. No DTD, so no entities but XML's own
 * five; no XInclude, network or files. Encodings: UTF-8, and by declaration UTF-16, ISO-8859-1, US-ASCII. Undeclared
 * prefixes are no error, as for libvirt. what names the document in messages. Errors: -EINVAL with the line, when it is not well-formed, has a
 * DOCTYPE or is deeper than XML_DEPTH_MAX; -ENOMEM. */
int xml_parse(const char *text, size_t size, const char *what, struct xml_node **ret, struct err *e);

/* n is the element name of no namespace: libvirt's have none. */
bool xml_is(const struct xml_node *n, const char *name);

/* n belongs to this namespace. */
bool xml_is_of(const struct xml_node *n, const char *space);

/* n's name without its prefix. */
const char *xml_local_name(const struct xml_node *n);

/* The first among n's children for which xml_is(); NULL: none, or n is NULL. */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);

/* The attribute of no namespace; NULL: none. */
const char *xml_attribute(const struct xml_node *n, const char *name);

/* The attribute is a declaration of a namespace. */
bool xml_attribute_is_namespace(const struct xml_attribute *a);
