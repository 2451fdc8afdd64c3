/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/root.h"
#include "model/pinning.h"
#include "model/request.h"

#define DOMAIN_XML_MAX (4U << 20) /* bytes; libvirt CVE-2014-0179 is what unbounded XML leads to */
#define DOMAIN_XML_NAMESPACE "urn:passthru:domain:1"

/* Reads a libvirt domain's XML (as a hook gets it, as /etc/libvirt/qemu holds it, or the <domstatus> wrapper of
 * /run/libvirt/qemu) into q: name, uuid, and every PCI device that libvirt would give to the guest:
 *   <hostdev mode='subsystem' type='pci'>         managed='yes' and 'no' alike
 *   <interface type='hostdev'>                    when its source is a PCI address
 *   <disk type='nvme'>                            and its backing images, as libvirt detaches them
 * and the huge pages of <memoryBacking>, on the nodes of <numatune>.
 * <driver model='…'/> (variant drivers, libvirt ≥ 10) is taken when it names a vfio driver. Our own element in
 * <metadata>, namespace DOMAIN_XML_NAMESPACE, says what the profile says:
 *   <passthru:domain xmlns:passthru="urn:passthru:domain:1" boot-vga="yes" group="strict">
 *     <passthru:device address="0000:01:00.0" id="10de:2206" subsystem="1458:4037"/>
 *   </passthru:domain>
 *
 * What is no XML for xml_parse (config/xml.h) is none here: a DOCTYPE, too many levels.
 *
 * A domain that borrows nothing gives an empty request even where its name is not one of ours (spaces, unicode):
 * q->domain is "" then. With devices such a name is an error that says how to change it. The same goes for a UUID
 * that is none; without one q->uuid is "".
 *
 * All of q is replaced; it is untouched on an error. Errors: -EINVAL with the line, the element and the attribute
 * in the message, -EFBIG. */
int domain_xml_parse(const char *text, size_t size, struct request *q, struct err *e);

/* Where the domain's threads run, and what the guest is told of it. *ret is undefined on an error. Errors as
 * above. */
int domain_xml_pinning(const char *text, size_t size, struct pinning *ret, struct err *e);

/* The persistent definition of a domain, /etc/libvirt/qemu/NAME.xml: caller frees. -ENOENT: libvirt has none. */
int domain_xml_load(const struct root *root, const char *name, char **ret, size_t *ret_size, struct err *e);
