/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/combine.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* The digits at the beginning. */
static int leading_number(const char *s, uint64_t *ret) {
        char number[24];
        size_t n = strspn(s, "0123456789");

        if (n >= sizeof(number))
                return -EINVAL;
        memcpy(number, s, n);
        number[n] = '\0';
        return str_to_u64(number, 10, UINT32_MAX, ret);
}

int combine_sum(const struct knob_view *view, char ret[static KNOB_VALUE_MAX]) {
        uint64_t sum, n;

        if (leading_number(view->baseline, &sum) < 0)
                return -EINVAL;
        for (size_t i = 0; i < view->n_claims; i++) {
                if (leading_number(view->claims[i], &n) < 0)
                        return -EINVAL;
                sum += n;
        }
        return str_format(ret, KNOB_VALUE_MAX, "%llu", (unsigned long long) sum);
}
