/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/cmdline.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static int boot_id(const struct root *root, char id[static TRIAL_ID_SIZE], struct err *e) {
        char text[64];
        int r = root_read_attr(root, text, sizeof(text), BOOT_ID);

        if (r >= 0 && strspn(text, "0123456789abcdef") < TRIAL_ID_SIZE - 1)
                r = -EBADMSG;
        if (r < 0)
                return err_set(e, r, ERR_FAILED, BOOT_ID, "%s cannot be read: %s", BOOT_ID, strerror(-r));
        return str_format(id, TRIAL_ID_SIZE, "%.*s", TRIAL_ID_SIZE - 1, text);
}

int trial_new(const struct root *root, const char *const *want, size_t n_want, const char *kernel, struct trial **ret,
              struct err *e) {
        _cleanup_free_ struct trial *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return err_set(e, -ENOMEM, ERR_FAILED, "trial", "out of memory");
        r = boot_id(root, t->id, e);
        if (r < 0)
                return r;
        (void) str_copy(t->kernel, sizeof(t->kernel), kernel);
        for (; t->n_parameters < n_want; t->n_parameters++)
                if (t->n_parameters == LEDGER_PARAMETERS_MAX ||
                    str_copy(t->parameters[t->n_parameters], PARAMETER_TEXT_MAX, want[t->n_parameters]) < 0)
                        return err_set(e, -ENOSPC, ERR_INVALID, "trial",
                                       "at most %d parameters of %d bytes each can be tried", LEDGER_PARAMETERS_MAX,
                                       PARAMETER_TEXT_MAX - 1);
        *ret = TAKE_PTR(t);
        return 0;
}

int trial_mark(const struct boot_edit *edit, char **line) {
        char mark[sizeof(TRIAL_MARK) + TRIAL_ID_SIZE];
        bool panic = false;
        int r = 0;

        (void) str_format(mark, sizeof(mark), TRIAL_MARK "%s", edit->after.trial->id);
        for (size_t i = 0; i < edit->n_want; i++)
                panic |= str_starts(edit->want[i], "panic=");
        if (!panic)
                r = cmdline_edit(line, cmdline_add, TRIAL_PANIC);
        return r < 0 ? r : cmdline_edit(line, cmdline_add, mark);
}

int running_line(const struct root *root, char **ret) {
        int r = root_read(root, "/proc/cmdline", 2 * CMDLINE_MAX, ret, NULL);

        if (r >= 0)
                (*ret)[strcspn(*ret, "\n")] = '\0';
        return r;
}

int trial_find(const struct root *root, const struct ledger *ledger, enum trial_state *ret, struct err *e) {
        const struct trial *t = ledger->trial;
        char id[TRIAL_ID_SIZE], mark[sizeof(TRIAL_MARK) + TRIAL_ID_SIZE];
        _cleanup_free_ char *line = NULL;
        int r;

        if (!t || *t->failed) {
                *ret = t ? TRIAL_GIVEN_UP : TRIAL_NONE;
                return 0;
        }
        r = boot_id(root, id, e);
        if (r < 0)
                return r;
        if (str_eq(id, t->id)) {
                *ret = TRIAL_WAITS;
                return 0;
        }
        r = running_line(root, &line);
        if (r < 0)
                return err_set(e, r, ERR_FAILED, "/proc/cmdline", "/proc/cmdline cannot be read: %s", strerror(-r));
        (void) str_format(mark, sizeof(mark), TRIAL_MARK "%s", t->id);
        *ret = cmdline_has(line, mark) ? TRIAL_RUNS : TRIAL_MISSED;
        return 0;
}

static bool has_word(const char *list, const char *word, size_t n) {
        for (const char *s = list; *s; s += strcspn(s, " "), s += strspn(s, " "))
                if (strcspn(s, " ") == n && strncmp(s, word, n) == 0)
                        return true;
        return false;
}

/* Turns the IOMMU on, or says how it is to work. */
static bool wants_iommu(const struct trial *t) {
        static const char *const names[] = { "intel_iommu=", "amd_iommu=", "iommu=" };

        for (size_t i = 0; i < t->n_parameters; i++)
                for (size_t k = 0; k < ARRAY_SIZE(names); k++)
                        if (str_starts(t->parameters[i], names[k]) && !strstr(t->parameters[i], "=off"))
                                return true;
        return false;
}

static bool has_iommu_groups(const struct root *root) {
        _cleanup_strv_ char **groups = NULL;

        return root_list(root, &groups, "/sys/kernel/iommu_groups") >= 0 && *groups;
}

bool trial_judge(const struct root *root, const struct trial *t, enum trial_state state, const char *failing, char *why,
                 size_t size) {
        _cleanup_free_ char *line = NULL;
        char release[128];
        int r;

        if (state != TRIAL_RUNS) {
                (void) str_copy(why, size, "the last trial did not come up: a panic, a hang, a power cut, or another entry was "
                                           "chosen");
                return false;
        }
        r = running_line(root, &line);
        if (r < 0) {
                (void) str_format(why, size, "/proc/cmdline cannot be read: %s", strerror(-r));
                return false;
        }
        for (size_t i = 0; i < t->n_parameters; i++)
                if (!cmdline_has(line, t->parameters[i])) {
                        (void) str_format(why, size, "the tried line came without %.*s", 128, t->parameters[i]);
                        return false;
                }
        if (*t->kernel && (root_read_attr(root, release, sizeof(release), "/proc/sys/kernel/osrelease") < 0 ||
                           !str_eq(release, t->kernel))) {
                (void) str_format(why, size, "another kernel than %s was booted", t->kernel);
                return false;
        }
        if (wants_iommu(t) && !has_iommu_groups(root)) {
                (void) str_copy(why, size, "the tried line has no effect: there are no IOMMU groups (is VT-d or AMD-Vi on in "
                                           "the firmware's settings?)");
                return false;
        }
        for (const char *s = failing; *s; s += strcspn(s, " "), s += strspn(s, " ")) {
                size_t n = strcspn(s, " ");

                if (has_word(t->findings, s, n))
                        continue;
                (void) str_format(why, size, "the check %.*s fails with the tried line ('passthru check')", (int) n, s);
                return false;
        }
        return true;
}
