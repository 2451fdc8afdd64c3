/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/combine.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "model/cpu-set.h"

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

static size_t rank_of(const char *value, const char *const *order) {
        size_t n = 0;

        while (order[n] && !str_eq(order[n], value))
                n++;
        return n;
}

int combine_first(const struct knob_view *view, const char *const *order, char ret[static KNOB_VALUE_MAX]) {
        const char *best = view->baseline;

        for (size_t i = 0; i < view->n_claims; i++)
                if (i == 0 || rank_of(view->claims[i], order) < rank_of(best, order))
                        best = view->claims[i];
        return str_copy(ret, KNOB_VALUE_MAX, best);
}

int combine_intersection(const struct knob_view *view, const char *all, char ret[static KNOB_VALUE_MAX]) {
        struct cpu_set claimed = {}, cpus;
        int r;

        if (view->n_claims == 0)
                return str_copy(ret, KNOB_VALUE_MAX, view->baseline);
        for (size_t i = 0; i < view->n_claims; i++) {
                r = cpu_set_parse(view->claims[i], &cpus);
                if (r < 0)
                        return r;
                if (i == 0)
                        claimed = cpus;
                cpu_set_intersect(&claimed, &cpus);
        }
        if (all && str_eq(view->baseline, all))
                cpus = claimed;
        else {
                r = cpu_set_parse(view->baseline, &cpus);
                if (r < 0)
                        return r;
                cpu_set_intersect(&cpus, &claimed);
                if (cpu_set_is_empty(&cpus))
                        cpus = claimed;
        }
        return cpu_set_is_empty(&cpus) ? -EINVAL : cpu_set_format(&cpus, ret, KNOB_VALUE_MAX);
}
