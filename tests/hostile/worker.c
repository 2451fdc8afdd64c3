/* SPDX-License-Identifier: GPL-2.0-or-later */

/* hostile-worker ROOT <BYTES >REPLIES: a worker of the helper, for a client that is root, in a machine made of
 * files. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/worker.h"

/* All of one fd goes to the other; a reader that hung up is no error. */
static void pump(int from, int to) {
        char buf[65536];
        ssize_t n;

        while ((n = read(from, buf, sizeof(buf))) > 0)
                for (ssize_t done = 0, w; done < n; done += w) {
                        w = write(to, buf + done, (size_t) (n - done));
                        if (w < 0)
                                return;
                }
}

int main(int argc, char **argv) {
        _cleanup_root_ struct root *root = NULL;
        const struct peer peer = { .uid = 0 };
        int fds[2], status;
        pid_t worker, sender;

        (void) signal(SIGPIPE, SIG_IGN);
        if (argc != 2 || root_new(argv[1], &root) < 0 || root_is_live(root) ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
                fputs("Usage: hostile-worker ROOT, which is not this host's\n", stderr);
                return 2;
        }
        worker = fork();
        if (worker == 0) {
                close(fds[1]);
                _exit(worker_serve(root, fds[0], &peer));
        }
        close(fds[0]);
        sender = worker < 0 ? -1 : fork();
        if (sender == 0) {
                pump(STDIN_FILENO, fds[1]);
                (void) shutdown(fds[1], SHUT_WR);
                _exit(EXIT_SUCCESS);
        }
        if (worker < 0 || sender < 0)
                return 3;
        pump(fds[1], STDOUT_FILENO);
        close(fds[1]);
        (void) kill(sender, SIGKILL);
        if (waitpid(sender, &status, 0) < 0 || waitpid(worker, &status, 0) < 0)
                return 3;
        if (WIFSIGNALED(status)) {
                fprintf(stderr, "the worker was ended by signal %d\n", WTERMSIG(status));
                return 4;
        }
        return EXIT_SUCCESS;
}
