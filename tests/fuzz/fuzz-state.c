/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The state file: whatever was accepted is written and read back as the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lease/state.h"
#include "wire/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_state_ struct state s = {}, again = {};
        _cleanup_json_ struct json_object *first = NULL, *second = NULL;
        _cleanup_free_ char *text = NULL;
        struct err e = {};

        if (state_parse((const char *) data, size, &s, &e) < 0) {
                if (!*e.message || s.n_leases || s.n_knobs)
                        abort();
                return 0;
        }
        first = state_to_json(&s);
        json_object_object_add(first, "version", json_object_new_int(1));
        text = strdup(json_object_to_json_string_ext(first, JSON_C_TO_STRING_PLAIN));
        if (state_parse(text, strlen(text), &again, &e) < 0)
                abort();
        second = state_to_json(&again);
        json_object_object_add(second, "version", json_object_new_int(1));
        if (strcmp(text, json_object_to_json_string_ext(second, JSON_C_TO_STRING_PLAIN)) != 0)
                abort();
        return 0;
}
