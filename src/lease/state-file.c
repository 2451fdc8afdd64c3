/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/state.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "wire/varlink.h"

#define STATE_FILE_MAX (4U << 20)

/* Writing */

static struct json_object *text_or_null(const char *s) {
        return *s ? json_object_new_string(s) : NULL;
}

/* Takes the value over; a value that could not be made (out of memory) is indistinguishable from JSON's null, so
 * only the containers are checked: a state without a needed text is refused when it is read back. */
static void put(struct json_object *o, const char *key, struct json_object *value) {
        (void) json_object_object_add_ex(o, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

static void put_text(struct json_object *o, const char *key, const char *s) {
        put(o, key, json_object_new_string(s));
}

static struct json_object *claim_to_json(const struct claim *c) {
        struct json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        put_text(o, "kind", c->kind->name);
        put_text(o, "name", c->name);
        put_text(o, "value", c->value);
        return o;
}

static struct json_object *lease_to_json(const struct lease *l) {
        struct json_object *o = json_object_new_object(), *claims;

        if (!o)
                return NULL;
        put_text(o, "domain", l->domain);
        put(o, "uuid", text_or_null(l->uuid));
        put_text(o, "state", l->state == LEASE_LENT ? "lent" : "lending");
        put(o, "since", json_object_new_int64((int64_t) l->since_usec));
        put(o, "until", l->until_usec ? json_object_new_int64((int64_t) l->until_usec) : NULL);
        put(o, "claims", claims = json_object_new_array_ext((int) l->n_claims));
        for (size_t i = 0; claims && i < l->n_claims; i++)
                (void) json_object_array_add(claims, claim_to_json(&l->claims[i]));
        return o;
}

static struct json_object *knob_to_json(const struct knob *k) {
        struct json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        put_text(o, "kind", k->kind->name);
        put_text(o, "name", k->name);
        put_text(o, "baseline", k->baseline);
        put_text(o, "applied", k->applied);
        put_text(o, "state", k->pending ? "pending" : k->declined ? "declined" : "settled");
        put(o, "identity", text_or_null(k->identity));
        put(o, "domain", text_or_null(k->domain));
        put(o, "error", text_or_null(k->error));
        put(o, "message", text_or_null(k->message));
        return o;
}

struct json_object *state_to_json(const struct state *s) {
        struct json_object *o = json_object_new_object(), *leases, *knobs;

        if (!o)
                return NULL;
        put(o, "leases", leases = json_object_new_array_ext((int) s->n_leases));
        for (size_t i = 0; leases && i < s->n_leases; i++)
                (void) json_object_array_add(leases, lease_to_json(&s->leases[i]));
        put(o, "knobs", knobs = json_object_new_array_ext((int) s->n_knobs));
        for (size_t i = 0; knobs && i < s->n_knobs; i++)
                (void) json_object_array_add(knobs, knob_to_json(&s->knobs[i]));
        return o;
}

int state_save(const struct root *root, const struct state *s, struct err *e) {
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_state_ struct state again = {};
        const char *text;
        size_t size;
        int r;

        o = state_to_json(s);
        if (!o)
                return err_set(e, -ENOMEM, ERR_FAILED, STATE_NAME, "out of memory");
        put(o, "version", json_object_new_int(STATE_VERSION));
        text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &size);
        if (!text)
                return err_set(e, -ENOMEM, ERR_FAILED, STATE_NAME, "out of memory");

        /* A state that could not be read back would lose every baseline: it is not written. */
        r = state_parse(text, size, &again, e);
        if (r < 0)
                return r;
        r = dir_ensure_private(root, STATE_DIRECTORY, 0700);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, STATE_DIRECTORY,
                               "%s must be a directory of root that nobody else can write: %s", STATE_DIRECTORY,
                               strerror(-r));
        r = file_replace(root, STATE_DIRECTORY, STATE_NAME, text, size, 0600);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, STATE_NAME, "%s/%s cannot be written: %s; nothing was changed",
                               STATE_DIRECTORY, STATE_NAME, strerror(-r));
        return 0;
}

/* Reading */

static int damaged(struct err *e, const char *where, const char *wanted) {
        return err_set(e, -EBADMSG, ERR_FAILED, where,
                       "%s/%s is damaged: '%s' must be %s; compare the drivers with 'passthru groups', then remove "
                       "the file",
                       STATE_DIRECTORY, STATE_NAME, where, wanted);
}

static int get_text(struct json_object *o, const char *key, char *ret, size_t size, bool may_be_empty,
                    struct err *e) {
        struct json_object *v = NULL;

        if ((!json_object_object_get_ex(o, key, &v) || !v) && !may_be_empty)
                return damaged(e, key, "there");
        if (!v) {
                *ret = '\0';
                return 0;
        }
        if (!json_object_is_type(v, json_type_string) ||
            strlen(json_object_get_string(v)) != (size_t) json_object_get_string_len(v))
                return damaged(e, key, "a text");
        if ((!may_be_empty && json_object_get_string_len(v) == 0) || str_copy(ret, size, json_object_get_string(v)) < 0)
                return damaged(e, key, "a text of the right length");
        return 0;
}

static int get_usec(struct json_object *o, const char *key, uint64_t *ret, struct err *e) {
        struct json_object *v = NULL;

        if (!json_object_object_get_ex(o, key, &v))
                return damaged(e, key, "there");
        if (v && (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0))
                return damaged(e, key, "a time in microseconds");
        *ret = v ? (uint64_t) json_object_get_int64(v) : 0;
        return 0;
}

static int get_array(struct json_object *o, const char *key, struct json_object **ret, struct err *e) {
        if (!json_object_object_get_ex(o, key, ret) || !json_object_is_type(*ret, json_type_array))
                return damaged(e, key, "a list");
        return 0;
}

/* "kind" and "name", which claims and knobs share. */
static int get_identity(struct json_object *o, const struct knob_kind **ret_kind, char ret_name[KNOB_NAME_MAX],
                        struct err *e) {
        char kind[KNOB_KIND_MAX];
        int r;

        if (!json_object_is_type(o, json_type_object))
                return damaged(e, "claims, knobs", "a list of objects");
        r = get_text(o, "kind", kind, sizeof(kind), false, e);
        if (r < 0)
                return r;
        *ret_kind = knob_kind_find(kind);
        if (!*ret_kind)
                return damaged(e, "kind", "a kind of knob that this version knows");
        r = get_text(o, "name", ret_name, KNOB_NAME_MAX, false, e);
        if (r < 0)
                return r;
        return (*ret_kind)->name_is_valid(ret_name) ? 0 : damaged(e, "name", "a valid name for its kind");
}

static int knob_from_json(struct json_object *o, struct state *s, struct err *e) {
        struct knob k = {};
        char state[16];
        int r;

        r = get_identity(o, &k.kind, k.name, e);
        if (r < 0)
                return r;
        if (state_find_knob(s, k.kind, k.name))
                return damaged(e, "knobs", "without duplicates");
        if ((r = get_text(o, "baseline", k.baseline, sizeof(k.baseline), true, e)) < 0 ||
            (r = get_text(o, "applied", k.applied, sizeof(k.applied), true, e)) < 0 ||
            (r = get_text(o, "identity", k.identity, sizeof(k.identity), true, e)) < 0 ||
            (r = get_text(o, "domain", k.domain, sizeof(k.domain), true, e)) < 0 ||
            (r = get_text(o, "error", k.error, sizeof(k.error), true, e)) < 0 ||
            (r = get_text(o, "message", k.message, sizeof(k.message), true, e)) < 0 ||
            (r = get_text(o, "state", state, sizeof(state), false, e)) < 0)
                return r;
        if (!k.kind->value_is_valid(k.baseline) || !k.kind->value_is_valid(k.applied))
                return damaged(e, "baseline, applied", "values of their kind");
        k.pending = str_eq(state, "pending");
        k.declined = k.kind->optional && str_eq(state, "declined");
        if (!k.pending && !k.declined && !str_eq(state, "settled"))
                return damaged(e, "state", "'pending', 'settled' or, where its kind allows that, 'declined'");
        return state_add_knob(s, &k) < 0 ? damaged(e, "knobs", "a shorter list") : 0;
}

static int claims_from_json(struct json_object *list, const struct state *s, struct lease *lease, struct err *e) {
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                struct claim c = {};
                int r;

                r = get_identity(o, &c.kind, c.name, e);
                if (r < 0)
                        return r;
                r = get_text(o, "value", c.value, sizeof(c.value), false, e);
                if (r < 0)
                        return r;
                if (!c.kind->value_is_valid(c.value))
                        return damaged(e, "value", "a value of its kind");
                if (!state_find_knob(s, c.kind, c.name))
                        return damaged(e, "claims", "on knobs that are listed");
                if (lease_find_claim(lease, c.kind, c.name) ||
                    (c.kind->exclusive && state_claimant(s, c.kind, c.name)))
                        return damaged(e, "claims", "without duplicates");
                if (lease_add_claim(lease, &c) < 0)
                        return damaged(e, "claims", "a shorter list");
        }
        return 0;
}

static int lease_from_json(struct json_object *o, struct state *s, struct err *e) {
        _cleanup_lease_ struct lease l = {};
        struct json_object *claims;
        char state[16];
        int r;

        if (!json_object_is_type(o, json_type_object))
                return damaged(e, "leases", "a list of objects");
        if ((r = get_text(o, "domain", l.domain, sizeof(l.domain), false, e)) < 0 ||
            (r = get_text(o, "uuid", l.uuid, sizeof(l.uuid), true, e)) < 0 ||
            (r = get_text(o, "state", state, sizeof(state), false, e)) < 0 ||
            (r = get_usec(o, "since", &l.since_usec, e)) < 0 || (r = get_usec(o, "until", &l.until_usec, e)) < 0 ||
            (r = get_array(o, "claims", &claims, e)) < 0)
                return r;
        if (!name_is_valid(l.domain) || (*l.uuid && !uuid_is_valid(l.uuid)))
                return damaged(e, "domain, uuid", "a domain's");
        if (state_find_lease(s, l.domain) || (*l.uuid && state_find_lease(s, l.uuid)))
                return damaged(e, "leases", "without duplicates");
        if (!str_eq(state, "lent") && !str_eq(state, "lending"))
                return damaged(e, "state", "'lending' or 'lent'");
        l.state = str_eq(state, "lent") ? LEASE_LENT : LEASE_LENDING;
        r = claims_from_json(claims, s, &l, e);
        if (r < 0)
                return r;
        return state_add_lease(s, &l) < 0 ? damaged(e, "leases", "a shorter list") : 0;
}

static int state_from_json(struct json_object *o, struct state *s, struct err *e) {
        struct json_object *version, *list;
        int r;

        if (!json_object_is_type(o, json_type_object))
                return damaged(e, STATE_NAME, "one JSON object");
        if (!json_object_object_get_ex(o, "version", &version) || !json_object_is_type(version, json_type_int) ||
            json_object_get_int64(version) != STATE_VERSION)
                return damaged(e, "version", "1");

        r = get_array(o, "knobs", &list, e);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++)
                r = knob_from_json(json_object_array_get_idx(list, i), s, e);
        if (r < 0)
                return r;
        r = get_array(o, "leases", &list, e);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++)
                r = lease_from_json(json_object_array_get_idx(list, i), s, e);
        return r < 0 ? r : 0;
}

int state_parse(const char *text, size_t size, struct state *ret, struct err *e) {
        _cleanup_state_ struct state s = {};
        _cleanup_json_ struct json_object *o = NULL;
        struct json_tokener *t;
        bool whole;
        int r;

        if (size > STATE_FILE_MAX)
                return damaged(e, STATE_NAME, "smaller");
        t = json_tokener_new_ex(8);
        if (!t)
                return err_set(e, -ENOMEM, ERR_FAILED, STATE_NAME, "out of memory");
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(t, text, (int) size);
        whole = json_tokener_get_error(t) == json_tokener_success && json_tokener_get_parse_end(t) == size;
        json_tokener_free(t);
        if (!whole)
                return damaged(e, STATE_NAME, "one JSON object");

        r = state_from_json(o, &s, e);
        if (r < 0)
                return r;
        *ret = TAKE(s, (struct state) {});
        return 0;
}

int state_load(const struct root *root, struct state *ret, struct err *e) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = root_read(root, STATE_DIRECTORY "/" STATE_NAME, STATE_FILE_MAX, &text, &size);
        if (r == -ENOENT) {
                *ret = (struct state) {};
                return 0;
        }
        if (r < 0)
                return err_set(e, r, r == -EACCES ? ERR_PERMISSION : ERR_FAILED, STATE_NAME, "%s/%s cannot be read: %s",
                               STATE_DIRECTORY, STATE_NAME,
                               r == -EACCES ? "only root may; try again with sudo" : strerror(-r));
        return state_parse(text, size, ret, e);
}
