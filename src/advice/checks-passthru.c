/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice/checks.h"

#include <errno.h>

#include "config/settings.h"
#include "lease/state.h"
#include "wire/client.h"

int check_socket(const struct root *root, struct finding *f) {
        if (!root_is_live(root))
                return finding_set(f, SEVERITY_OK, "", "not a running host");
        /* /run/passthru is root's alone. */
        switch (root_exists(root, HELPER_SOCKET)) {
        case 1:
                return finding_set(f, SEVERITY_OK, "", HELPER_SOCKET);
        case -EACCES:
                return finding_set(f, SEVERITY_NOTE, "sudo passthru check", "only root can see " HELPER_SOCKET);
        default:
                return finding_set(f, SEVERITY_ERROR, "systemctl enable --now passthru.socket",
                                   HELPER_SOCKET " does not exist: passthru.socket is not started");
        }
}

int check_configuration(const struct root *root, struct finding *f) {
        struct settings settings = {};
        struct err e = {};

        if (settings_load(root, &settings, &e) < 0)
                return finding_set(f, SEVERITY_ERROR, "correct the file", "%s", e.message);
        return finding_set(f, SEVERITY_OK, "", "passthru.conf and its drop-ins are well-formed");
}

int check_state(const struct root *root, struct finding *f) {
        _cleanup_state_ struct state s = {};
        struct err e = {};
        int r;

        r = state_load(root, &s, &e);
        if (r == -EACCES)
                return finding_set(f, SEVERITY_NOTE, "sudo passthru check", "only root can see what is lent");
        if (r < 0)
                return finding_set(f, SEVERITY_ERROR, "", "%s", e.message);
        for (size_t i = 0; i < s.n_knobs; i++)
                if (s.knobs[i].pending)
                        return finding_set(f, SEVERITY_WARNING, "passthru log", "%s: %s", s.knobs[i].name,
                                           *s.knobs[i].message ? s.knobs[i].message : "a change is not confirmed yet");
        return finding_set(f, SEVERITY_OK, "", "%zu leases, nothing pending", s.n_leases);
}
