/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

int child_send(int fd, const void *record, size_t size) {
        ssize_t n;

        if (size > PIPE_BUF)
                return -EMSGSIZE;
        do
                n = write(fd, record, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

/* Whoever reads what the parent prints must not wait for a child that is stuck. */
static void let_go_of_output(void) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
                (void) dup2(null, fd);
        if (null > STDERR_FILENO)
                close(null);
}

static int start(struct child *c, size_t index, int fd, child_main run, void *userdata) {
        pid_t parent = getpid();

        c->pid = fork();
        if (c->pid < 0)
                return -errno;
        if (c->pid == 0) {
                /* The parent may be gone before the signal was asked for. */
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(255);
                let_go_of_output();
                _exit(run(fd, index, userdata));
        }
        c->end = CHILD_RUNNING;
        c->pidfd = (int) syscall(SYS_pidfd_open, c->pid, 0);
        return c->pidfd < 0 ? -errno : 0;
}

static void reap(struct child *c) {
        int status;

        if (c->end != CHILD_RUNNING || waitpid(c->pid, &status, WNOHANG) != c->pid)
                return;
        c->end = WIFEXITED(status) ? CHILD_EXITED : CHILD_DIED;
        c->status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

static void drain(int fd, size_t size, child_record record, void *userdata) {
        char buf[PIPE_BUF];

        /* Writes of up to PIPE_BUF are whole in the pipe, so a read of one record's size gets one record. */
        while (read(fd, buf, size) == (ssize_t) size)
                record(buf, size, userdata);
}

static size_t running(struct child *children, size_t n, struct pollfd *fds) {
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
                if (children[i].end == CHILD_RUNNING)
                        fds[k++] = (struct pollfd) { .fd = children[i].pidfd, .events = POLLIN };
        return k;
}

int children_run(struct child *children, size_t n, uint64_t deadline_usec, size_t size, child_main run,
                 child_record record, void *userdata) {
        _cleanup_close_ int reader = -1, writer = -1;
        _cleanup_free_ struct pollfd *fds = NULL;
        uint64_t end = now_usec() + deadline_usec;
        int r = 0, ends[2];

        if (size == 0 || size > PIPE_BUF)
                return -EMSGSIZE;
        fds = calloc(n + 1, sizeof(*fds));
        if (!fds)
                return -ENOMEM;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        reader = ends[0];
        writer = ends[1];
        if (fcntl(reader, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        for (size_t i = 0; i < n; i++)
                children[i] = (struct child) { .pid = -1, .pidfd = -1, .end = CHILD_EXITED, .status = 255 };
        for (size_t i = 0; i < n && r >= 0; i++)
                r = start(&children[i], i, writer, run, userdata);

        for (;;) {
                size_t k = running(children, n, fds);
                uint64_t now = now_usec();

                if (k == 0 || now >= end)
                        break;
                fds[k] = (struct pollfd) { .fd = reader, .events = POLLIN };
                if (poll(fds, k + 1, (int) ((end - now) / 1000 + 1)) < 0 && errno != EINTR)
                        break;
                drain(reader, size, record, userdata);
                for (size_t i = 0; i < n; i++)
                        reap(&children[i]);
        }
        drain(reader, size, record, userdata);

        for (size_t i = 0; i < n; i++) {
                if (children[i].end == CHILD_RUNNING)
                        children[i].end = CHILD_STUCK;
                closep(&children[i].pidfd);
                children[i].pidfd = -1;
        }
        return r;
}
