/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (64U << 10)

/* In the child: never returns. An error is sent through the pipe that exec would have closed. */
static _Noreturn void become(const char *root, char *const *argv, int output, int failure) {
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8";
        char *const environment[] = { path, locale, NULL };
        int null, error;

        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
            dup2(output, STDERR_FILENO) >= 0 && (!root || (chroot(root) >= 0 && chdir("/") >= 0)))
                (void) execvpe(argv[0], argv, environment);
        error = errno;
        (void) !write(failure, &error, sizeof(error));
        _exit(127);
}

/* Keeps the last OUTPUT_MAX bytes. */
static char *read_output(int fd) {
        char *text = calloc(1, OUTPUT_MAX + 1), buf[4096];
        size_t size = 0;
        ssize_t n;

        while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)) {
                if (!text || n < 0)
                        continue;
                if (size + (size_t) n > OUTPUT_MAX) {
                        size_t drop = size + (size_t) n - OUTPUT_MAX;

                        memmove(text, text + drop, size - drop);
                        size -= drop;
                }
                memcpy(text + size, buf, (size_t) n);
                size += (size_t) n;
                text[size] = '\0';
        }
        return text;
}

int command_run(const char *root, char *const *argv, char **ret_output) {
        _cleanup_close_ int output = -1, output_writer = -1, failure = -1, failure_writer = -1;
        _cleanup_free_ char *text = NULL;
        int ends[2], status, error = 0;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        output = ends[0];
        output_writer = ends[1];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        failure = ends[0];
        failure_writer = ends[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become(root, argv, output_writer, failure_writer);
        closep(&output_writer);
        output_writer = -1;
        closep(&failure_writer);
        failure_writer = -1;

        text = read_output(output);
        if (read(failure, &error, sizeof(error)) != sizeof(error))
                error = 0;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (error)
                return -error;
        if (ret_output)
                *ret_output = TAKE_PTR(text);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}
