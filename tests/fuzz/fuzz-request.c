/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <json-c/json_tokener.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request-equal.h"
#include "wire/interface.h"

/* JSON → request. One that is accepted must come back the same from what request_to_json makes of it; one that
 * is refused must say why and leave the output alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct json_object *o) {
        struct request q = { .seconds = 4711 }, again = {};
        char domain[NAME_LENGTH_MAX + 1];
        _cleanup_json_ struct json_object *back = NULL;
        struct err e = {};

        if (return_from_json(o, domain, sizeof(domain), &e) >= 0 && !name_is_valid(domain))
                abort();
        (void) nothing_from_json(o, NULL);
        if (request_from_json(o, &q, &e) < 0) {
                if (e.code >= 0 || !str_eq(e.id, ERR_INVALID) || !*e.message || q.seconds != 4711)
                        abort();
                return;
        }
        back = request_to_json(&q);
        if (!back || request_from_json(back, &again, NULL) < 0 || !request_equal(&q, &again))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ struct json_object *o = NULL;
        struct json_tokener *tokener;

        if (size > VARLINK_FRAME_MAX)
                return 0;
        text = malloc(size + 1);
        tokener = json_tokener_new();
        if (!text || !tokener)
                abort();
        memcpy(text, data, size);
        text[size] = '\0';
        o = json_tokener_parse_ex(tokener, text, (int) size + 1);
        json_tokener_free(tokener);
        if (json_object_is_type(o, json_type_object))
                check(o);
        return 0;
}
