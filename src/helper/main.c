/* SPDX-License-Identifier: GPL-2.0-or-later */

/* passthru-helper: started by passthru.socket with the first request. The process that lives here only accepts, forks
 * and keeps time; it never touches a device and never waits, so a driver that hangs costs one worker. What it knows is
 * read from the state file each time: it can be killed at any moment. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/child.h"
#include "config/settings.h"
#include "helper/journal.h"
#include "helper/worker.h"
#include "lease/state.h"

#define WORKERS_MAX 32
#define GUESTS_MAX 4 /* of them, for everyone but root: they cannot keep root waiting */

struct helper {
        struct root *root;
        struct settings settings;
        sd_event *event;
        sd_event_source *accepting;
        sd_event_source *timer;  /* the next retry, end of a lease, or idle exit */
        int listener;
        unsigned n_workers;
        pid_t guests[GUESTS_MAX]; /* the workers of peers that are not root; 0: free */
        pid_t reconciling;       /* the worker that retries, 0: none */
        uint64_t not_before;     /* CLOCK_BOOTTIME of the next retry, after one that failed */
        bool ending;             /* SIGTERM: nothing new, exit with the last worker */
};

static int plan_next(struct helper *h);

static int on_worker_exit(sd_event_source *source, const siginfo_t *si, void *userdata) {
        struct helper *h = userdata;

        if (si->si_code != CLD_EXITED)
                journal_note(LOG_ERR, "worker %d ended by signal %d; the next one finishes or undoes its work",
                             (int) si->si_pid, si->si_status);
        if (si->si_pid == h->reconciling) {
                h->reconciling = 0;
                h->not_before = si->si_status == 0 ? 0 : now_usec() + h->settings.retry_usec;
        }
        for (size_t i = 0; i < GUESTS_MAX; i++)
                if (h->guests[i] == si->si_pid)
                        h->guests[i] = 0;
        sd_event_source_unref(source);
        h->n_workers--;
        if (h->ending && h->n_workers == 0)
                return sd_event_exit(h->event, 0);
        if (h->accepting)
                (void) sd_event_source_set_enabled(h->accepting, SD_EVENT_ON);
        return plan_next(h);
}

/* Forks a worker; in it, serves the connection fd, or reconciles when fd is -1. Takes fd over. Returns the
 * worker's pid. */
static pid_t start_worker(struct helper *h, int fd, const struct peer *peer) {
        pid_t pid = fork();
        sd_event_source *source;
        int r;

        if (pid == 0) {
                sigset_t none;

                /* Lanes are waited for by their worker, and signals are the helper's affair. */
                sigemptyset(&none);
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                /* systemd's socket stays with the helper, or its end would not be seen. */
                (void) close(h->listener);
                _exit(fd < 0 ? worker_reconcile(h->root) : worker_serve(h->root, fd, peer));
        }
        r = pid < 0 ? -errno : 0;
        if (fd >= 0)
                close(fd);
        if (r >= 0)
                r = sd_event_add_child(h->event, &source, pid, WEXITED, on_worker_exit, h);
        if (r < 0)
                return r;
        h->n_workers++;
        if (fd < 0)
                h->reconciling = pid;
        if (h->n_workers >= WORKERS_MAX && h->accepting)
                (void) sd_event_source_set_enabled(h->accepting, SD_EVENT_OFF);
        return pid;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct helper *h = userdata;
        _cleanup_peer_ struct peer peer = {};
        pid_t *guest = h->guests;
        int c;
        pid_t pid;

        (void) source;
        (void) events;
        c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (c < 0)
                return 0; /* the client gave up; everything else shows at the next connection */
        if (peer_read(c, &peer) < 0) {
                close(c);
                return 0;
        }
        while (peer.uid != 0 && guest < h->guests + GUESTS_MAX && *guest)
                guest++;
        if (guest == h->guests + GUESTS_MAX) {
                close(c);
                return 0;
        }
        pid = start_worker(h, c, &peer);
        if (pid < 0)
                journal_note(LOG_ERR, "a worker could not be started: %s", strerror(-pid));
        else if (peer.uid != 0)
                *guest = pid;
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct helper *h = userdata;
        _cleanup_state_ struct state s = {};
        int r;

        (void) source;
        (void) usec;
        r = state_load(h->root, &s, NULL);
        if (r >= 0 && s.n_leases == 0 && s.n_knobs == 0 && h->n_workers == 0)
                return sd_event_exit(h->event, 0);
        if (h->reconciling)
                return 0; /* its end plans anew */
        r = start_worker(h, -1, NULL);
        if (r < 0)
                journal_note(LOG_ERR, "a worker could not be started: %s", strerror(-r));
        return plan_next(h);
}

/* When to wake up next, from the state file alone. */
static int plan_next(struct helper *h) {
        _cleanup_state_ struct state s = {};
        uint64_t now = now_usec(), at = UINT64_MAX;
        bool pending = false;
        struct err e = {};

        if (state_load(h->root, &s, &e) < 0) {
                journal_note(LOG_ERR, "%s", e.message);
                at = now + h->settings.retry_usec;
        }
        for (size_t i = 0; i < s.n_knobs; i++)
                pending |= s.knobs[i].pending;
        for (size_t i = 0; i < s.n_leases; i++) {
                if (s.leases[i].until_usec && s.leases[i].until_usec < at)
                        at = s.leases[i].until_usec;
                pending |= s.leases[i].state == LEASE_LENDING;
        }
        if (pending && now + h->settings.retry_usec < at)
                at = now + h->settings.retry_usec;
        if (at < h->not_before)
                at = h->not_before;
        if (h->reconciling)
                at = UINT64_MAX;
        if (s.n_leases == 0 && s.n_knobs == 0 && h->n_workers == 0 && !e.code)
                at = now + h->settings.idle_usec;

        (void) sd_notifyf(false, "STATUS=%zu leases, %zu knobs%s", s.n_leases, s.n_knobs,
                          pending ? ", some pending" : "");
        if (at == UINT64_MAX)
                return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
        (void) sd_event_source_set_time(h->timer, at);
        return sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT);
}

static int on_sigterm(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        struct helper *h = userdata;

        (void) source;
        (void) si;
        if (h->n_workers == 0)
                return sd_event_exit(h->event, 0);
        h->ending = true;
        h->accepting = sd_event_source_unref(h->accepting);
        return 0;
}

static int set_up(struct helper *h) {
        struct err e = {};
        sigset_t mask;
        int r;

        r = root_new(NULL, &h->root);
        if (r < 0)
                return r;
        settings_default(&h->settings);
        if (settings_load(h->root, &h->settings, &e) < 0)
                journal_note(LOG_ERR, "%s", e.message);

        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        (void) signal(SIGPIPE, SIG_IGN);

        if ((r = sd_event_new(&h->event)) < 0 ||
            (r = sd_event_add_signal(h->event, NULL, SIGTERM, on_sigterm, h)) < 0 ||
            (r = sd_event_add_signal(h->event, NULL, SIGINT, on_sigterm, h)) < 0 ||
            (r = sd_event_add_time(h->event, &h->timer, CLOCK_BOOTTIME, UINT64_MAX, 100000, on_timer, h)) < 0)
                return r;
        r = fcntl(h->listener, F_SETFL, O_NONBLOCK);
        if (r < 0)
                return -errno;
        return sd_event_add_io(h->event, &h->accepting, h->listener, EPOLLIN, on_connection, h);
}

static int run(struct helper *h) {
        _cleanup_state_ struct state s = {};
        int r;

        r = set_up(h);
        if (r < 0)
                return r;
        /* What a helper before us left half done does not wait for the next request. */
        if (state_load(h->root, &s, NULL) < 0 || s.n_leases > 0 || s.n_knobs > 0)
                r = start_worker(h, -1, NULL);
        if (r >= 0)
                r = plan_next(h);
        if (r < 0)
                return r;
        (void) sd_notify(false, "READY=1");
        return sd_event_loop(h->event);
}

int main(int argc, char **argv) {
        struct helper h = { .listener = SD_LISTEN_FDS_START };
        int r;

        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                puts("passthru-helper " VERSION);
                return EXIT_SUCCESS;
        }
        if (argc != 1) {
                fputs("Usage: passthru-helper [--version]\nStarted by passthru.socket; see passthru-helper(8).\n", stderr);
                return 2;
        }
        if (sd_listen_fds(true) != 1 || sd_is_socket_unix(h.listener, SOCK_STREAM, 1, NULL, 0) <= 0) {
                fputs("passthru-helper: wanted one listening unix socket from passthru.socket, found none; start it with "
                      "'systemctl start passthru.socket'\n", stderr);
                return EXIT_FAILURE;
        }
        r = run(&h);
        if (r < 0)
                journal_note(LOG_ERR, "passthru-helper: %s", strerror(-r));
        sd_event_source_unref(h.accepting);
        sd_event_source_unref(h.timer);
        sd_event_unref(h.event);
        if (h.root)
                root_free(h.root);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
