/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/ledger.h"

#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <json-c/json_tokener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/str.h"
#include "wire/varlink.h"

#define LEDGER_VERSION 1
#define LEDGER_SIZE_MAX (1U << 20)

void ledger_done(struct ledger *ledger) {
        free(ledger->files);
        free(ledger->trial);
        *ledger = (struct ledger) {};
}

struct ledger_file *ledger_find(const struct ledger *ledger, const char *path) {
        for (size_t i = 0; i < ledger->n_files; i++)
                if (str_eq(ledger->files[i].path, path))
                        return &ledger->files[i];
        return NULL;
}

bool ledger_owns(const struct ledger *ledger, const char *path, const char *parameter) {
        const struct ledger_file *f = ledger_find(ledger, path);

        for (size_t i = 0; f && i < f->n_parameters; i++)
                if (str_eq(f->parameters[i], parameter))
                        return true;
        return false;
}

static int add_file(struct ledger *ledger, const char *path, struct ledger_file **ret) {
        struct ledger_file *f = ledger_find(ledger, path), *bigger;
        int r;

        if (f) {
                *ret = f;
                return 0;
        }
        if (ledger->n_files == LEDGER_FILES_MAX)
                return -ENOSPC;
        bigger = reallocarray(ledger->files, ledger->n_files + 1, sizeof(*bigger));
        if (!bigger)
                return -ENOMEM;
        ledger->files = bigger;
        f = &bigger[ledger->n_files];
        *f = (struct ledger_file) {};
        r = str_copy(f->path, sizeof(f->path), path);
        if (r < 0)
                return r;
        ledger->n_files++;
        *ret = f;
        return 0;
}

int ledger_know(struct ledger *ledger, const char *path) {
        struct ledger_file *f;

        return add_file(ledger, path, &f);
}

int ledger_own_file(struct ledger *ledger, const char *path) {
        struct ledger_file *f;
        int r = add_file(ledger, path, &f);

        if (r >= 0)
                f->created = true;
        return r;
}

int ledger_own(struct ledger *ledger, const char *path, const char *parameter) {
        struct ledger_file *f;
        int r;

        if (ledger_owns(ledger, path, parameter))
                return 0;
        r = add_file(ledger, path, &f);
        if (r < 0)
                return r;
        if (f->n_parameters == LEDGER_PARAMETERS_MAX)
                return -ENOSPC;
        r = str_copy(f->parameters[f->n_parameters], PARAMETER_TEXT_MAX, parameter);
        if (r < 0)
                return r;
        f->n_parameters++;
        return 0;
}

int ledger_merge(struct ledger *into, const struct ledger *other) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < other->n_files; i++) {
                const struct ledger_file *f = &other->files[i];

                r = f->created ? ledger_own_file(into, f->path) : ledger_know(into, f->path);
                for (size_t k = 0; r >= 0 && k < f->n_parameters; k++)
                        r = ledger_own(into, f->path, f->parameters[k]);
        }
        return r;
}

int ledger_parameters(const struct ledger *ledger, const char *ret[LEDGER_PARAMETERS_MAX], size_t *ret_n) {
        size_t n = 0;

        for (size_t i = 0; i < ledger->n_files; i++)
                for (size_t k = 0; k < ledger->files[i].n_parameters; k++) {
                        const char *p = ledger->files[i].parameters[k];
                        bool known = false;

                        for (size_t m = 0; m < n; m++)
                                known |= str_eq(ret[m], p);
                        if (known)
                                continue;
                        if (n == LEDGER_PARAMETERS_MAX)
                                return -ENOSPC;
                        ret[n++] = p;
                }
        *ret_n = n;
        return 0;
}

void ledger_copy_kernel(struct ledger *into, const struct ledger *from) {
        memcpy(into->kernel, from->kernel, sizeof(into->kernel));
        memcpy(into->default_id, from->default_id, sizeof(into->default_id));
        memcpy(into->default_before, from->default_before, sizeof(into->default_before));
}

int ledger_set_trial(struct ledger *ledger, const struct trial *trial) {
        struct trial *copy = NULL;

        if (trial) {
                copy = malloc(sizeof(*copy));
                if (!copy)
                        return -ENOMEM;
                *copy = *trial;
        }
        free(ledger->trial);
        ledger->trial = copy;
        return 0;
}

/* The file */

static struct json_object *parameters_to_json(const char list[][PARAMETER_TEXT_MAX], size_t n) {
        struct json_object *a = json_object_new_array();

        for (size_t i = 0; i < n; i++)
                json_object_array_add(a, json_object_new_string(list[i]));
        return a;
}

static struct json_object *file_to_json(const struct ledger_file *f) {
        struct json_object *o = json_object_new_object();

        json_object_object_add(o, "path", json_object_new_string(f->path));
        json_object_object_add(o, "created", json_object_new_boolean(f->created));
        json_object_object_add(o, "parameters", parameters_to_json(f->parameters, f->n_parameters));
        return o;
}

static struct json_object *trial_to_json(const struct trial *t) {
        struct json_object *o = json_object_new_object();

        json_object_object_add(o, "id", json_object_new_string(t->id));
        json_object_object_add(o, "parameters", parameters_to_json(t->parameters, t->n_parameters));
        json_object_object_add(o, "kernel", json_object_new_string(t->kernel));
        json_object_object_add(o, "findings", json_object_new_string(t->findings));
        json_object_object_add(o, "failed", json_object_new_string(t->failed));
        return o;
}

char *ledger_format(const struct ledger *ledger) {
        _cleanup_json_ struct json_object *o = json_object_new_object();
        struct json_object *files = json_object_new_array();

        json_object_object_add(o, "version", json_object_new_int(LEDGER_VERSION));
        json_object_object_add(o, "loader", json_object_new_string(ledger->loader));
        json_object_object_add(o, "unfinished", json_object_new_boolean(ledger->unfinished));
        if (*ledger->kernel) {
                json_object_object_add(o, "kernel", json_object_new_string(ledger->kernel));
                json_object_object_add(o, "default_id", json_object_new_string(ledger->default_id));
                json_object_object_add(o, "default_before", json_object_new_string(ledger->default_before));
        }
        json_object_object_add(o, "files", files);
        for (size_t i = 0; i < ledger->n_files; i++)
                json_object_array_add(files, file_to_json(&ledger->files[i]));
        if (ledger->trial)
                json_object_object_add(o, "trial", trial_to_json(ledger->trial));
        return strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
}

int ledger_save(const struct root *root, const struct ledger *ledger, struct err *e) {
        _cleanup_free_ char *text = ledger_format(ledger);
        int r = text ? dir_ensure_private(root, LEDGER_DIRECTORY, 0755) : -ENOMEM;

        if (r >= 0)
                r = file_replace(root, LEDGER_DIRECTORY, LEDGER_NAME, text, strlen(text), 0644);
        return r < 0 ? err_set(e, r, ERR_FAILED, LEDGER_NAME, "%s/%s cannot be written: %s", LEDGER_DIRECTORY,
                               LEDGER_NAME, strerror(-r)) :
                       0;
}

static int damaged(struct err *e, const char *what) {
        return err_set(e, -EBADMSG, ERR_FAILED, LEDGER_NAME,
                       "%s/%s is damaged: %s. It says which kernel parameters are ours; without it, remove them "
                       "by hand "
                       "('passthru boot status' shows every line) and then the file", LEDGER_DIRECTORY, LEDGER_NAME,
                       what);
}

/* NULL when it is no string, or has a NUL in it. */
static const char *text(struct json_object *v) {
        if (!json_object_is_type(v, json_type_string) ||
            strlen(json_object_get_string(v)) != (size_t) json_object_get_string_len(v))
                return NULL;
        return json_object_get_string(v);
}

static const char *text_of(struct json_object *o, const char *key) {
        struct json_object *v;

        return json_object_object_get_ex(o, key, &v) ? text(v) : NULL;
}

static int text_into(struct json_object *o, const char *key, char *buf, size_t size) {
        const char *s = text_of(o, key);

        return s ? str_copy(buf, size, s) : -EBADMSG;
}

static int trial_from_json(struct json_object *o, struct ledger *ledger, struct err *e) {
        struct trial *t = calloc(1, sizeof(*t));
        struct json_object *list;

        if (!t)
                return err_set(e, -ENOMEM, ERR_FAILED, LEDGER_NAME, "out of memory");
        ledger->trial = t;
        if (text_into(o, "id", t->id, sizeof(t->id)) < 0 || !*t->id || t->id[strspn(t->id, "0123456789abcdef")] ||
            text_into(o, "kernel", t->kernel, sizeof(t->kernel)) < 0 ||
            text_into(o, "findings", t->findings, sizeof(t->findings)) < 0 ||
            text_into(o, "failed", t->failed, sizeof(t->failed)) < 0)
                return damaged(e, "'trial' must have the texts 'id', 'kernel', 'findings' and 'failed'");
        if (!json_object_object_get_ex(o, "parameters", &list) || !json_object_is_type(list, json_type_array) ||
            json_object_array_length(list) > LEDGER_PARAMETERS_MAX)
                return damaged(e, "'parameters' of 'trial' must be a list");
        for (; t->n_parameters < json_object_array_length(list); t->n_parameters++) {
                const char *p = text(json_object_array_get_idx(list, t->n_parameters));

                if (!p || !parameter_is_valid(p) || str_copy(t->parameters[t->n_parameters], PARAMETER_TEXT_MAX, p) < 0)
                        return damaged(e, "'parameters' of 'trial' must be kernel parameters");
        }
        return 0;
}

static bool path_is_plain(const char *path) {
        size_t n = strlen(path);
        char copy[PATH_MAX];

        if (*path != '/' || strstr(path, "/../") || (n >= 3 && str_eq(path + n - 3, "/..")) ||
            str_copy(copy, sizeof(copy), path) < 0)
                return false;
        str_printable(copy);
        return str_eq(copy, path);
}

static int file_from_json(struct json_object *o, struct ledger *ledger, struct err *e) {
        struct json_object *created, *parameters;
        const char *path = text_of(o, "path");
        int r;

        if (!path || !path_is_plain(path))
                return damaged(e, "'path' must be an absolute path without '..' and control characters");
        if (ledger_find(ledger, path))
                return damaged(e, "a file is listed twice");
        if (!json_object_object_get_ex(o, "created", &created) || !json_object_is_type(created, json_type_boolean))
                return damaged(e, "'created' must be true or false");
        if (!json_object_object_get_ex(o, "parameters", &parameters) ||
            !json_object_is_type(parameters, json_type_array))
                return damaged(e, "'parameters' must be a list");

        r = json_object_get_boolean(created) ? ledger_own_file(ledger, path) : ledger_know(ledger, path);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(parameters); i++) {
                const char *p = text(json_object_array_get_idx(parameters, i));

                if (!p || !parameter_is_valid(p))
                        return damaged(e, "'parameters' must be kernel parameters");
                r = ledger_own(ledger, path, p);
        }
        return r < 0 ? damaged(e, "it is too long") : 0;
}

static int ledger_from_json(struct json_object *o, struct ledger *ledger, struct err *e) {
        const char *loader = text_of(o, "loader");
        struct json_object *version, *unfinished, *files, *trial;

        if (!json_object_object_get_ex(o, "version", &version) || !json_object_is_type(version, json_type_int) ||
            json_object_get_int64(version) != LEDGER_VERSION)
                return damaged(e, "'version' must be 1");
        if (!json_object_object_get_ex(o, "unfinished", &unfinished) ||
            !json_object_is_type(unfinished, json_type_boolean))
                return damaged(e, "'unfinished' must be true or false");
        ledger->unfinished = json_object_get_boolean(unfinished);
        if (!loader || str_copy(ledger->loader, sizeof(ledger->loader), loader) < 0)
                return damaged(e, "'loader' must be a name");
        if (!json_object_object_get_ex(o, "files", &files) || !json_object_is_type(files, json_type_array))
                return damaged(e, "'files' must be a list");
        for (size_t i = 0; i < json_object_array_length(files); i++) {
                struct json_object *f = json_object_array_get_idx(files, i);
                int r;

                if (!json_object_is_type(f, json_type_object))
                        return damaged(e, "'files' must be a list of objects");
                r = file_from_json(f, ledger, e);
                if (r < 0)
                        return r;
        }
        if (json_object_object_get_ex(o, "kernel", NULL) &&
            (text_into(o, "kernel", ledger->kernel, sizeof(ledger->kernel)) < 0 ||
             text_into(o, "default_id", ledger->default_id, sizeof(ledger->default_id)) < 0 ||
             text_into(o, "default_before", ledger->default_before, sizeof(ledger->default_before)) < 0))
                return damaged(e, "'kernel', 'default_id' and 'default_before' must be texts");
        if (!json_object_object_get_ex(o, "trial", &trial))
                return 0;
        return json_object_is_type(trial, json_type_object) ? trial_from_json(trial, ledger, e) :
                                                              damaged(e, "'trial' must be an object");
}

int ledger_parse(const char *text, size_t size, struct ledger *ret, struct err *e) {
        _cleanup_ledger_ struct ledger ledger = {};
        _cleanup_json_ struct json_object *o = NULL;
        struct json_tokener *t;
        bool whole;
        int r;

        t = json_tokener_new_ex(8);
        if (!t)
                return err_set(e, -ENOMEM, ERR_FAILED, LEDGER_NAME, "out of memory");
        json_tokener_set_flags(t, JSON_TOKENER_STRICT);
        o = json_tokener_parse_ex(t, text, (int) size);
        whole = json_tokener_get_error(t) == json_tokener_success && json_tokener_get_parse_end(t) == size;
        json_tokener_free(t);
        if (!whole || !json_object_is_type(o, json_type_object))
                return damaged(e, "it must be one JSON object");
        r = ledger_from_json(o, &ledger, e);
        if (r < 0)
                return r;
        *ret = TAKE(ledger, (struct ledger) {});
        return 0;
}

int ledger_lock(const struct root *root, int *ret, struct err *e) {
        _cleanup_close_ int fd = -1;
        int r;

        r = dir_ensure_private(root, LEDGER_DIRECTORY, 0755);
        if (r >= 0)
                r = fd = root_open(root, LEDGER_DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
        if (r >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
                r = -errno;
        if (r == -EWOULDBLOCK)
                return err_set(e, -EBUSY, ERR_IN_USE, LEDGER_DIRECTORY,
                               "another 'passthru boot' is at work; try again when it is done");
        if (r < 0)
                return err_set(e, r, ERR_FAILED, LEDGER_DIRECTORY, "%s cannot be locked: %s", LEDGER_DIRECTORY,
                               strerror(-r));
        *ret = TAKE_FD(fd);
        return 0;
}

int ledger_load(const struct root *root, struct ledger *ret, struct err *e) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = root_read(root, LEDGER_DIRECTORY "/" LEDGER_NAME, LEDGER_SIZE_MAX, &text, &size);
        if (r == -ENOENT) {
                *ret = (struct ledger) {};
                return 0;
        }
        if (r < 0)
                return err_set(e, r, ERR_FAILED, LEDGER_NAME, "%s/%s cannot be read: %s", LEDGER_DIRECTORY, LEDGER_NAME,
                               strerror(-r));
        return ledger_parse(text, size, ret, e);
}
