/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

#define OUTPUT_MAX (64U << 10)

/* In the child: never returns. An error is sent through the pipe that exec would have closed. */
static _Noreturn void become(const char *root, const char *language, char *const *argv, int output,
                             int failure) {
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", locale[64] = "LC_ALL=C.UTF-8";
        char *const environment[] = { path, locale, NULL };
        int null, error;

        if (language)
                (void) str_format(locale, sizeof(locale), "LANG=%s", language);
        environ = (char **) environment; /* execvp looks for the program in our PATH, not in the one it is given */
        /* What the caller ignores is not for every program: pipelines of shell scripts end by SIGPIPE. */
        (void) signal(SIGPIPE, SIG_DFL);
        (void) signal(SIGINT, SIG_DFL);
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
            dup2(output, STDERR_FILENO) >= 0 && (!root || (chroot(root) >= 0 && chdir("/") >= 0)))
                (void) execvp(argv[0], argv);
        error = errno;
        (void) !write(failure, &error, sizeof(error));
        _exit(127);
}

/* The last OUTPUT_MAX bytes of what was printed. */
struct output {
        char *text;
        size_t size;
};

static void keep(struct output *o, const char *data, size_t size) {
        if (!o->text && !(o->text = calloc(1, OUTPUT_MAX + 1)))
                return;
        if (o->size + size > OUTPUT_MAX) {
                size_t drop = o->size + size - OUTPUT_MAX;

                memmove(o->text, o->text + drop, o->size - drop);
                o->size -= drop;
        }
        memcpy(o->text + o->size, data, size);
        o->size += size;
        o->text[o->size] = '\0';
}

/* True while there may be more. */
static bool read_output(int fd, struct output *o) {
        char buf[4096];
        ssize_t n;

        do {
                n = read(fd, buf, sizeof(buf));
                if (n > 0)
                        keep(o, buf, (size_t) n);
        } while (n > 0 || (n < 0 && errno == EINTR));
        return n < 0 && errno == EAGAIN;
}

/* Until the program has ended: a daemon that it left behind may keep the pipe open for ever. */
static void collect(int fd, int pidfd, struct output *o) {
        struct pollfd wait[] = { { .fd = pidfd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

        while (read_output(fd, o) && !(wait[0].revents & POLLIN))
                if (poll(wait, 2, -1) < 0 && errno != EINTR)
                        return;
}

int command_run(const char *root, const char *language, char *const *argv, char **ret_output) {
        _cleanup_close_ int output = -1, output_writer = -1, failure = -1, failure_writer = -1, pidfd = -1;
        struct output o = {};
        int ends[2], status, error = 0;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        output = ends[0];
        output_writer = ends[1];
        if (fcntl(output, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        failure = ends[0];
        failure_writer = ends[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become(root, language, argv, output_writer, failure_writer);
        closep(&output_writer);
        output_writer = -1;
        closep(&failure_writer);
        failure_writer = -1;

        pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        collect(output, pidfd, &o);
        if (read(failure, &error, sizeof(error)) != sizeof(error))
                error = 0;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR) {
                        free(o.text);
                        return -errno;
                }
        if (error || !ret_output || !WIFEXITED(status))
                free(o.text);
        else
                *ret_output = o.text;
        if (error)
                return -error;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}
