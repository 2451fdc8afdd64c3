/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ostree systems (Fedora Atomic, CoreOS, bootc): each deployment has its own line, which only ostree's tools write,
 * into a new deployment. The ones before stay as they are: they are the way back. bootc records whose an argument is,
 * so where it can, it is asked. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "boot/bls.h"
#include "boot/ostree-staged.h"
#include "model/cmdline.h"

#define ENTRIES "/boot/loader/entries"
#define STAGED "/run/ostree/staged-deployment"
#define PLACE "/ostree" /* what the ledger calls the arguments of the default deployment */
#define BOOTC_PAGE "/usr/share/man/man8/bootc-loader-entries-set-options-for-source.8"

static enum evidence detect(const struct root *root, char *text, size_t size) {
        if (root_exists(root, "/run/ostree-booted") <= 0)
                return EVIDENCE_NONE;
        (void) str_copy(text, size, "/run/ostree-booted");
        return EVIDENCE_OWNER;
}

static bool is_ostree(const char *name) {
        return str_starts(name, "ostree-");
}

static int read_staged(const struct root *root, struct boot_entries *entries, struct err *e) {
        _cleanup_free_ char *data = NULL, *line = NULL;
        size_t size;
        int r = root_read(root, STAGED, 1U << 20, &data, &size);

        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = ostree_staged_line(data, size, &line);
        if (r >= 0)
                r = boot_entries_add(entries, "the staged deployment", STAGED, line, false);
        return r < 0 ? err_set(e, r, ERR_FAILED, STAGED,
                               "the kernel arguments in %s cannot be read: %s; reboot into the staged deployment first",
                               STAGED, strerror(-r)) :
                       0;
}

/* Only the last one is booted by default: the staged deployment, or the entry with the highest number. */
static int read_entries(const struct root *root, struct boot_entries *ret, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        int r = bls_read(root, &(struct bls) { .folder = ENTRIES, .wanted = is_ostree }, &entries, e);

        if (r >= 0)
                r = read_staged(root, &entries, e);
        if (r < 0)
                return r;
        if (entries.n == 0)
                return err_set(e, -ENOENT, ERR_NOT_FOUND, ENTRIES, "no entry of ostree in %s: is /boot mounted?",
                               ENTRIES);
        for (size_t i = 0; i + 1 < entries.n; i++)
                entries.list[i].untouched = true;
        *ret = TAKE(entries, (struct boot_entries) {});
        return 0;
}

/* rpm-ostree */

#define WORDS_MAX (PLAN_ARGV_MAX + 1)
#define WORD_MAX (PARAMETER_TEXT_MAX + 32)

/* A command line that is put together. */
struct words {
        char text[WORDS_MAX][WORD_MAX];
        const char *list[WORDS_MAX + 1];
        size_t n;
};

static int add_word(struct words *w, const char *option, const char *value, size_t length) {
        int r;

        if (w->n == PLAN_ARGV_MAX)
                return -E2BIG;
        r = str_format(w->text[w->n], WORD_MAX, "%s%.*s", option, (int) length, value);
        if (r < 0)
                return r;
        w->list[w->n] = w->text[w->n];
        w->n++;
        return 0;
}

/* One option for each token. */
static int add_parameter(struct words *w, const char *option, const char *parameter) {
        struct token t;
        int r = 0;

        while (r >= 0 && cmdline_next(&parameter, &t))
                r = add_word(w, option, t.start, t.length);
        return r;
}

/* --append-if-missing looks whether an argument is there at all, not where, and comes after all --append: where the
 * place of one counts, all are appended. */
static const char *append_option(const struct boot_edit *edit, const char *line) {
        struct token t;

        for (size_t i = 0; i < edit->n_want; i++)
                if (!cmdline_has(line, edit->want[i]) &&
                    (strchr(edit->want[i], ' ') || cmdline_overridden_by(line, edit->want[i], &t)))
                        return "--append=";
        return "--append-if-missing=";
}

static bool contains(const char *line, const char *parameter) {
        _cleanup_free_ char *without = NULL;

        return cmdline_remove(line, parameter, &without) >= 0 && !str_eq(without, line);
}

/* rpm-ostree does --delete first, then --append, then --append-if-missing and --delete-if-present. */
static int plan_rpm_ostree(struct boot_edit *edit, const char *line, struct plan *plan) {
        const struct ledger_file *ours = ledger_find(edit->before, PLACE);
        struct words *go = calloc(1, sizeof(*go)), *back = calloc(1, sizeof(*back));
        int r = go && back ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < 2; i++)
                if ((r = add_word(i == 0 ? go : back, "rpm-ostree", "", 0)) >= 0)
                        r = add_word(i == 0 ? go : back, "kargs", "", 0);
        for (size_t i = 0; r >= 0 && ours && i < ours->n_parameters; i++) {
                const char *p = ours->parameters[i];

                if (!boot_edit_wants(edit, p)) {
                        r = add_parameter(go, "--delete-if-present=", p);
                        if (r >= 0)
                                r = add_parameter(back, "--append-if-missing=", p); /* it may never have gone */
                } else if (!cmdline_has(line, p) && contains(line, p))
                        r = add_parameter(go, "--delete=", p); /* it is to stand behind the one that overrides it */
        }
        for (size_t i = 0; r >= 0 && i < edit->n_want; i++) {
                if (cmdline_has(line, edit->want[i]))
                        continue;
                r = add_parameter(go, append_option(edit, line), edit->want[i]);
                if (r >= 0)
                        r = add_parameter(back, "--delete-if-present=", edit->want[i]);
        }
        if (r >= 0)
                r = plan_add_change_command(plan, "makes a new deployment", go->list, back->list);
        free(go);
        free(back);
        return r;
}

/* bootc */

static bool has_bootc_sources(const struct root *root) {
        return root_exists(root, BOOTC_PAGE) > 0 || root_exists(root, BOOTC_PAGE ".gz") > 0;
}

/* All that is ours, as one word. */
static int join_ours(const struct ledger *ledger, char **ret) {
        const struct ledger_file *ours = ledger_find(ledger, PLACE);
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; ours && i < ours->n_parameters; i++)
                fprintf(f, "%s%s", i > 0 ? " " : "", ours->parameters[i]);
        if (fclose(f) != 0) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        return 0;
}

static int plan_bootc(const struct boot_edit *edit, struct plan *plan) {
        _cleanup_free_ char *now = NULL, *before = NULL;
        int r = join_ours(&edit->after, &now);

        if (r >= 0)
                r = join_ours(edit->before, &before);
        if (r < 0)
                return r;
        return plan_add_change_command(
                plan, "makes a new deployment",
                (const char *[]) { "bootc", "loader-entries", "set-options-for-source", "--source", "passthru",
                                   *now ? "--options" : NULL, now, NULL },
                (const char *[]) { "bootc", "loader-entries", "set-options-for-source", "--source", "passthru",
                                   *before ? "--options" : NULL, before, NULL });
}

static int plan(const struct root *root, struct boot_edit *edit, struct plan *plan, struct err *e) {
        _cleanup_boot_entries_ struct boot_entries entries = {};
        _cleanup_free_ char *edited = NULL;
        const char *line;
        int r = read_entries(root, &entries, e);

        if (r < 0)
                return r;
        line = entries.list[entries.n - 1].line;
        r = boot_edit_line(edit, PLACE, line, &edited);
        if (r < 0)
                return err_line(entries.list[entries.n - 1].file, r, e);
        if (str_eq(edited, line))
                return 0;
        if (!has_bootc_sources(root) && root_exists(root, "/usr/bin/rpm-ostree") <= 0)
                return err_set(e, -EOPNOTSUPP, ERR_NOT_SUPPORTED, "bootc",
                               "neither rpm-ostree nor a bootc with 'loader-entries' (1.15.2) is there; put the "
                               "parameters into the image, in /usr/lib/bootc/kargs.d");
        r = has_bootc_sources(root) ? plan_bootc(edit, plan) : plan_rpm_ostree(edit, line, plan);
        return r < 0 ? err_line(PLACE, r, e) : 0;
}

const struct loader loader_ostree = {
        .name = "ostree",
        .title = "ostree",
        .detect = detect,
        .read = read_entries,
        .plan = plan,
};
