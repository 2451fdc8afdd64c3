/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/text.h"
#include "config/domain-xml.h"
#include "config/profile.h"
#include "model/step.h"
#include "wire/client.h"
#include "wire/interface.h"

int cli_lend_option(const char *verb, int c, const char *value, struct lend_options *options) {
        switch (c) {
        case 'd':
                if (options->n_devices == REQUEST_DEVICES_MAX)
                        return cli_usage_error(verb, "at most %d devices can be lent at once", REQUEST_DEVICES_MAX);
                if (bdf_parse(value, &options->devices[options->n_devices]) < 0)
                        return cli_usage_error(verb, "wanted a PCI address like 0000:01:00.0, found '%s'", value);
                options->n_devices++;
                return 1;
        case 'b':
                options->boot_vga = true;
                return 1;
        case 'g':
                if (!str_eq(value, "strict") && !str_eq(value, "expand"))
                        return cli_usage_error(verb, "--group=: wanted expand or strict, found '%s'", value);
                options->strict = str_eq(value, "strict");
                return 1;
        default:
                return 0;
        }
}

/* A lease without a domain is named after its first device: a name cannot hold colons. */
static void name_after_device(struct request *q, const struct bdf *address) {
        (void) str_format(q->domain, sizeof(q->domain), "device-%04x-%02x-%02x.%x", address->domain, address->bus,
                          address->slot, address->function);
}

static int add_domain(const struct cli *cli, const char *domain, struct request *q, bool *ret_known, struct err *e) {
        _cleanup_free_ char *xml = NULL;
        bool has_profile = false;
        size_t size = 0;
        int r;

        if (!name_is_valid(domain))
                return err_set(e, -EINVAL, ERR_INVALID, "domain",
                               "'%s' cannot be the name of a domain: wanted 1 to %d of A-Z a-z 0-9 . _ -, not starting with "
                               ". or -", domain, NAME_LENGTH_MAX);
        r = domain_xml_load(cli->root, domain, &xml, &size, e);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0) {
                r = domain_xml_parse(xml, size, q, e);
                if (r < 0)
                        return r;
        }
        (void) str_copy(q->domain, sizeof(q->domain), domain);
        r = profile_apply(cli->root, q, &has_profile, e);
        if (r < 0)
                return r;
        *ret_known = xml || has_profile;
        return 0;
}

int cli_request(const struct cli *cli, const struct lend_options *options, struct request *ret, struct err *e) {
        struct request q = {};
        bool known = false;
        int r;

        if (options->domain) {
                r = add_domain(cli, options->domain, &q, &known, e);
                if (r < 0)
                        return r;
        } else
                name_after_device(&q, &options->devices[0]);

        for (size_t i = 0; i < options->n_devices; i++)
                if (!request_add(&q, &options->devices[i]))
                        return err_set(e, -E2BIG, ERR_INVALID, "device", "at most %d devices can be lent at once",
                                       REQUEST_DEVICES_MAX);
        if (request_is_empty(&q) && !known)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, options->domain,
                               "there is no domain %s: neither /etc/libvirt/qemu/%s.xml nor "
                               "/etc/passthru/domains/%s.conf; see 'virsh list --all'", options->domain, options->domain,
                               options->domain);
        if (request_is_empty(&q))
                return err_set(e, -ENODATA, ERR_NOT_FOUND, options->domain,
                               "domain %s borrows nothing: its XML has neither a PCI <hostdev> nor <hugepages>; "
                               "add one, or name devices with --device",
                               options->domain);
        q.boot_vga |= options->boot_vga;
        if (options->strict)
                q.group = GROUP_STRICT;
        q.dry_run = options->dry_run;
        q.seconds = options->seconds;
        *ret = q;
        return 0;
}

static const char *text_of(struct json_object *o, const char *key) {
        struct json_object *v = NULL;

        return json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : "";
}

/* One line that is written over and over, where there is a terminal to do that on. */
#define BAR_WIDTH 30
static void print_bar(struct json_object *step) {
        struct json_object *done = NULL, *total = NULL;
        int64_t d, t;
        int filled;

        if (!isatty(STDOUT_FILENO) || !json_object_object_get_ex(step, "done", &done) ||
            !json_object_object_get_ex(step, "total", &total))
                return;
        d = json_object_get_int64(done);
        t = json_object_get_int64(total);
        filled = t > 0 && d >= 0 && d <= t ? (int) (d * BAR_WIDTH / t) : 0;
        printf("\r\033[K%s  [%.*s%.*s] %lld of %lld", text_of(step, "name"), filled,
               "##############################", BAR_WIDTH - filled, "                              ",
               (long long) d, (long long) t);
        (void) fflush(stdout);
}

static void on_progress(struct json_object *parameters, void *userdata) {
        _cleanup_free_ char *arrow = text_for_locale("→");
        struct json_object *step = NULL, *usec = NULL;
        char label[STEP_LABEL_MAX];

        (void) userdata;
        if (!json_object_object_get_ex(parameters, "step", &step) || !step)
                return;
        if (str_eq(text_of(step, "state"), "working")) {
                print_bar(step);
                return;
        }
        (void) json_object_object_get_ex(step, "microseconds", &usec);
        printf("%s%-9s %s  %s %s %s  %.1f ms\n", isatty(STDOUT_FILENO) ? "\r\033[K" : "", text_of(step, "state"),
               step_label(text_of(step, "kind"), text_of(step, "name"), label), text_of(step, "from"), arrow,
               text_of(step, "to"), (double) json_object_get_int64(usec) / 1000);
        (void) fflush(stdout);
}

static int call(const struct cli *cli, const char *method, struct json_object *parameters,
                struct json_object **ret_steps, struct err *e) {
        _cleanup_varlink_ struct varlink *v = NULL;
        _cleanup_json_ struct json_object *reply = NULL;
        struct json_object *steps = NULL;
        int r;

        if (!parameters)
                return err_set(e, -ENOMEM, ERR_FAILED, NULL, "out of memory");
        r = varlink_connect(HELPER_SOCKET, &v, e);
        if (r == -EACCES && geteuid() != 0)
                return err_set(e, r, ERR_PERMISSION, NULL, "only root may lend devices; try again with sudo");
        if (r < 0)
                return r;
        r = varlink_call(v, method, parameters, cli->json ? NULL : on_progress, NULL, &reply, e);
        if (r < 0)
                return r;
        if (ret_steps)
                *ret_steps = reply && json_object_object_get_ex(reply, "steps", &steps) ? json_object_get(steps) : NULL;
        return 0;
}

int cli_call_lend(const struct cli *cli, const struct request *q, struct json_object **ret_steps, struct err *e) {
        _cleanup_json_ struct json_object *parameters = request_to_json(q);

        return call(cli, PASSTHRU_INTERFACE ".Lend", parameters, ret_steps, e);
}

int cli_call_return(const struct cli *cli, const char *domain, struct json_object **ret_steps, struct err *e) {
        _cleanup_json_ struct json_object *parameters = json_object_new_object();

        if (parameters)
                (void) json_object_object_add(parameters, "domain", json_object_new_string(domain));
        return call(cli, PASSTHRU_INTERFACE ".Return", parameters, ret_steps, e);
}

int cli_print_steps_json(const char *domain, struct json_object *steps) {
        struct json_object *o = json_object_new_object();

        json_object_object_add(o, "version", json_object_new_int(1));
        json_object_object_add(o, "domain", json_object_new_string(domain));
        json_object_object_add(o, "steps", steps);
        return cli_print_json(o);
}
