/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lease/plan-cpufreq.h"

#include <errno.h>
#include <string.h>

#define POLICIES "/sys/devices/system/cpu/cpufreq"

/* affected_cpus is "0 1 2". */
static int policy_cpus(const struct root *root, const char *policy, struct cpu_set *ret) {
        char text[4096];
        int r;

        r = root_read_attr(root, text, sizeof(text), POLICIES "/%s/affected_cpus", policy);
        if (r < 0)
                return r;
        for (char *s = text; *s; s++)
                if (*s == ' ')
                        *s = s[1] ? ',' : '\0';
        return cpu_set_parse(text, ret);
}

/* In a list of words. */
static bool has_word(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *s = list; (s = strstr(s, word)); s += n)
                if ((s == list || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
                        return true;
        return false;
}

static bool is_number(const char *s) {
        return *s && s[strspn(s, "0123456789")] == '\0';
}

static int check_available(const struct root *root, const char *policy, const char *attribute, const char *setting,
                           const char *wanted, struct err *e) {
        char list[512];
        int r;

        r = root_read_attr(root, list, sizeof(list), POLICIES "/%s/%s", policy, attribute);
        if (r < 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, setting,
                               "%s=%s: %s of this host has no such setting (%s/%s/%s: %s)", setting, wanted,
                               policy, POLICIES, policy, attribute, strerror(-r));
        if (!has_word(list, wanted) && !is_number(wanted))
                return err_set(e, -EINVAL, ERR_REFUSED, setting, "%s=%s: %s of this host has: %s", setting, wanted,
                               policy, list);
        return 0;
}

static int claim(const struct knob_kind *kind, const char *policy, const char *value, struct lease *lease,
                 struct err *e) {
        struct claim c = { .kind = kind };
        int r;

        r = str_copy(c.name, sizeof(c.name), policy);
        if (r >= 0)
                r = str_copy(c.value, sizeof(c.value), value);
        if (r >= 0)
                r = lease_add_claim(lease, &c);
        return r < 0 ? err_set(e, r, ERR_FAILED, policy, "%s: %s", policy, strerror(-r)) : 0;
}

int plan_cpufreq(const struct root *root, const struct request *q, struct lease *lease, struct err *e) {
        _cleanup_strv_ char **policies = NULL;
        bool any = false;
        int r = 0;

        if (!*q->governor && !*q->epp)
                return 0;
        if (root_list(root, &policies, POLICIES) < 0)
                policies = NULL;
        for (char **p = policies; p && *p && r >= 0; p++) {
                struct cpu_set cpus;

                /* One without CPUs is asleep until they are plugged in. */
                if (!knob_governor.name_is_valid(*p) || policy_cpus(root, *p, &cpus) < 0 ||
                    cpu_set_is_empty(&cpus))
                        continue;
                if (!q->cpufreq_all && !cpu_set_is_empty(&q->cpus)) {
                        cpu_set_intersect(&cpus, &q->cpus);
                        if (cpu_set_is_empty(&cpus))
                                continue;
                }
                any = true;
                if (*q->epp) {
                        r = check_available(root, *p, "energy_performance_available_preferences", "epp", q->epp,
                                            e);
                        if (r >= 0)
                                r = claim(&knob_epp, *p, q->epp, lease, e);
                }
                if (r >= 0 && *q->governor) {
                        r = check_available(root, *p, "scaling_available_governors", "governor", q->governor, e);
                        if (r >= 0)
                                r = claim(&knob_governor, *p, q->governor, lease, e);
                }
        }
        if (r >= 0 && !any)
                return err_set(
                        e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "governor",
                        "the kernel does not control the clock of %s CPU (%s): take governor= and epp= out of "
                        "/etc/passthru/domains/%s.conf",
                        cpu_set_is_empty(&q->cpus) || q->cpufreq_all ? "any" : "the domain's", POLICIES,
                        q->domain);
        return r;
}
