/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Linked into the helper: does what systemd does for it (a listening socket as fd 3), and tells at SIGUSR1 how
 * much processor time it and its workers took so far. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "bench/usage.h"

static struct usage *usage;

static uint64_t cpu_usec(int who) {
        struct rusage u;

        (void) getrusage(who, &u);
        return (uint64_t) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
               (uint64_t) (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void on_usr1(int signal) {
        siginfo_t si;

        (void) signal;
        usage->cpu_usec = cpu_usec(RUSAGE_SELF) + cpu_usec(RUSAGE_CHILDREN);
        /* A worker counts only once it was waited for. */
        usage->idle = waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0;
        __atomic_add_fetch(&usage->answers, 1, __ATOMIC_SEQ_CST);
}

static void check(bool condition, const char *what) {
        if (condition)
                return;
        perror(what);
        abort();
}

static void start(void) __attribute__((constructor));
static void start(void) {
        const char *path = getenv("BENCH_SOCKET"), *counters = getenv("BENCH_USAGE");
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char pid[16];
        int fd;

        check(path && counters && str_copy(address.sun_path, sizeof(address.sun_path), path) == 0, "BENCH_SOCKET");
        fd = open(counters, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        check(fd >= 0 && ftruncate(fd, sizeof(*usage)) == 0, counters);
        usage = mmap(NULL, sizeof(*usage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        check(usage != MAP_FAILED, counters);
        close(fd);

        /* Before the socket is there, for which the other side waits. */
        (void) signal(SIGUSR1, on_usr1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        check(fd >= 0 && (fd == 3 || dup2(fd, 3) == 3), "socket");
        if (fd != 3)
                close(fd);
        check(bind(3, (const struct sockaddr *) &address, sizeof(address)) == 0 && listen(3, 16) == 0, path);
        (void) str_format(pid, sizeof(pid), "%d", (int) getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "1", 1);
}
