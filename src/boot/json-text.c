/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/json-text.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "wire/varlink.h"

#define DEPTH_MAX 16

static const char *string_end(const char *s) {
        for (s++; *s && *s != '"'; s++)
                if (*s == '\\' && s[1])
                        s++;
        return *s ? s + 1 : s;
}

/* json-c takes keys in single quotes even when it is strict. */
static bool has_single_quotes(const char *s) {
        while (*s && *s != '\'')
                s = *s == '"' ? string_end(s) : s + 1;
        return *s;
}

int json_text_check(const char *path, const char *text, struct err *e) {
        struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
        _cleanup_json_ struct json_object *o = NULL;
        const char *why;
        size_t end, line = 1;
        bool whole;

        if (!t)
                return err_set(e, -ENOMEM, ERR_FAILED, path, "out of memory");
        json_tokener_set_flags(t, JSON_TOKENER_STRICT);
        /* With its NUL: a number at the end is not known to be whole without. */
        o = json_tokener_parse_ex(t, text, (int) strlen(text) + 1);
        end = json_tokener_get_parse_end(t);
        whole = json_tokener_get_error(t) == json_tokener_success && json_object_is_type(o, json_type_object) &&
                text[end + strspn(text + end, " \t\r\n")] == '\0';
        why = json_tokener_get_error(t) == json_tokener_success ? "it must be one object" :
                                                                  json_tokener_error_desc(json_tokener_get_error(t));
        for (size_t i = 0; i < end && text[i]; i++)
                line += text[i] == '\n';
        json_tokener_free(t);
        if (whole && has_single_quotes(text)) {
                whole = false;
                why = "single quotes";
        }
        if (!whole)
                return err_set(e, -EBADMSG, ERR_REFUSED, path,
                               "%s, line %zu: this is not valid JSON (%s), often for a comma behind the last "
                               "entry; correct it first", path, line, why);
        return 0;
}

static const char *skip_space(const char *s) {
        return s + strspn(s, " \t\r\n");
}

const char *json_text_end(const char *value) {
        size_t depth = 0;
        const char *s = value;

        do {
                if (*s == '"') {
                        s = string_end(s);
                        continue;
                }
                if (depth == 0 && !strchr("{[", *s))
                        return s + strcspn(s, ",]} \t\r\n");
                if (strchr("{[", *s))
                        depth++;
                else if (strchr("]}", *s))
                        depth--;
                s++;
        } while (depth > 0 && *s);
        return s;
}

const char *json_text_member(const char *object, const char *name) {
        const char *found = NULL, *s = skip_space(object + 1);

        while (*s == '"') {
                const char *key = s + 1;
                size_t n;

                s = string_end(s);
                n = (size_t) (s - key) - 1;
                s = skip_space(skip_space(s) + 1); /* the colon */
                if (n == strlen(name) && memcmp(key, name, n) == 0)
                        found = s;
                s = skip_space(json_text_end(s));
                if (*s == ',')
                        s = skip_space(s + 1);
        }
        return found;
}

size_t json_text_elements(const char *list, const char **ret, size_t max) {
        const char *s = skip_space(list + 1);
        size_t n = 0;

        while (*s && *s != ']') {
                if (n < max)
                        ret[n] = s;
                n++;
                s = skip_space(json_text_end(s));
                if (*s == ',')
                        s = skip_space(s + 1);
        }
        return n;
}

int json_text_quote(const char *s, char *buf, size_t size) {
        _cleanup_json_ struct json_object *o = json_object_new_string(s);
        const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
        const char *quoted = o ? json_object_to_json_string_ext(o, flags) : NULL;

        if (!quoted)
                return -ENOMEM;
        return str_format(buf, size, "%.*s", (int) strlen(quoted) - 2, quoted + 1);
}

char *json_text_string(const char *value) {
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *text = strndup(value, (size_t) (string_end(value) - value));

        o = text ? json_tokener_parse(text) : NULL;
        return o ? strdup(json_object_get_string(o)) : NULL;
}
