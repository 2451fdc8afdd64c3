/* SPDX-License-Identifier: GPL-2.0-or-later */

/* passthru-hook NAME OPERATION SUB-OPERATION EXTRA: libvirt runs it for every change of a domain, by the link 50-passthru in
 * its hooks. A link and no script, whose shell would cost as much as all of this. AppArmor's profile of libvirtd lets
 * programs in /usr/bin leave its confinement, also by a link, and no others. Where passthru was removed and the link is
 * left, libvirt passes over it.
 * Standard output stays empty (libvirt ≥ 6.5 takes it for the new XML of the domain), errors go to standard error: libvirt
 * shows them to whoever started the domain. It never calls libvirt, which waits for it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "config/domain-xml.h"
#include "config/profile.h"
#include "lease/state.h"
#include "wire/client.h"
#include "wire/interface.h"

static int read_stdin(char **ret, size_t *ret_size, struct err *e) {
        _cleanup_free_ char *buf = NULL;
        size_t size = 0, capacity = 16384;

        for (;;) {
                ssize_t n;

                if (!buf || size == capacity) {
                        char *bigger = realloc(buf, capacity *= 2);

                        if (!bigger)
                                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
                        buf = bigger;
                }
                n = read(STDIN_FILENO, buf + size, capacity - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set(e, -errno, ERR_FAILED, NULL, "the domain's XML cannot be read: %s", strerror(errno));
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > DOMAIN_XML_MAX)
                        return err_set(e, -EFBIG, ERR_INVALID, NULL, "the domain's XML is over %u bytes", DOMAIN_XML_MAX);
        }
        *ret = TAKE_PTR(buf);
        *ret_size = size;
        return 0;
}

static int prepare(const struct root *root, const char *name, struct err *e) {
        _cleanup_varlink_ struct varlink *v = NULL;
        _cleanup_json_ struct json_object *parameters = NULL;
        _cleanup_free_ char *xml = NULL;
        struct request q = {};
        size_t size = 0;
        int r;

        r = read_stdin(&xml, &size, e);
        if (r < 0)
                return r;
        r = domain_xml_parse(xml, size, &q, e);
        if (r < 0)
                return r;
        /* Names that we refuse are fine for a domain that borrows nothing; it has no profile then. */
        if (name_is_valid(name)) {
                (void) str_copy(q.domain, sizeof(q.domain), name);
                r = profile_apply(root, &q, NULL, e);
                if (r < 0)
                        return r;
        }
        if (request_is_empty(&q))
                return 0;

        parameters = request_to_json(&q);
        if (!parameters)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = varlink_connect(HELPER_SOCKET, &v, e);
        if (r < 0)
                return r;
        return varlink_call(v, PASSTHRU_INTERFACE ".Lend", parameters, NULL, NULL, NULL, e);
}

/* What the XML says at the end does not matter, a device may have been unplugged from it: the lease does. */
static int release(const struct root *root, const char *name, struct err *e) {
        _cleanup_varlink_ struct varlink *v = NULL;
        _cleanup_json_ struct json_object *parameters = NULL;
        _cleanup_state_ struct state s = {};
        int r;

        /* Where reading is not allowed (SELinux), the helper is asked. */
        if (state_load(root, &s, NULL) >= 0 && !state_find_lease(&s, name))
                return 0;
        parameters = json_object_new_object();
        if (!parameters)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        (void) json_object_object_add(parameters, "domain", json_object_new_string(name));
        r = varlink_connect(HELPER_SOCKET, &v, e);
        if (r < 0)
                return r;
        return varlink_call(v, PASSTHRU_INTERFACE ".Return", parameters, NULL, NULL, NULL, e);
}

int main(int argc, char **argv) {
        _cleanup_root_ struct root *root = NULL;
        struct err e = {};
        int r = 0;

        if (argc == 2 && str_eq(argv[1], "--version")) {
                /* The one case with output: it is not a hook then. */
                puts("passthru-hook " VERSION);
                return EXIT_SUCCESS;
        }
        if (argc < 3) {
                fputs("Usage: passthru-hook DOMAIN OPERATION [SUB-OPERATION EXTRA] <XML\n"
                      "Called by libvirt's hook /etc/libvirt/hooks/qemu.d/50-passthru; see passthru-helper(8).\n", stderr);
                return 2;
        }
        r = root_new(NULL, &root);
        if (r < 0)
                (void) err_set(&e, r, ERR_FAILED, NULL, "%s", strerror(-r));
        else if (str_eq(argv[2], "prepare"))
                r = prepare(root, argv[1], &e);
        else if (str_eq(argv[2], "release"))
                r = release(root, argv[1], &e);
        /* Everything else is none of our business. At "reconnect" an error would kill the running guest. */

        if (r < 0)
                fprintf(stderr, "passthru: %s\n", e.message);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
