/* SPDX-License-Identifier: GPL-2.0-or-later */

/* measure ROUNDS [-h PID] [+LABEL STDIN PROGRAM ARGUMENT...]...: runs every command once per round, in this order,
 * so that what disturbs one disturbs all. Commands with the same label are one thing. Prints a line per label and
 * round: label, processor time (user and system) and wall time in microseconds, processes started. -h: the helper of
 * the benchmark (service.c, BENCH_USAGE), whose time counts too. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "bench/usage.h"

#define COMMANDS_MAX 32

struct command {
        const char *label, *input;
        char **argv; /* NULL-terminated */
};

struct sample {
        uint64_t cpu, wall, processes;
};

static void die(const char *what) {
        fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

/* Since boot, of the whole machine: what else starts processes now and then does not move the median. */
static uint64_t processes_started(void) {
        FILE *f = fopen("/proc/stat", "re");
        unsigned long long n = 0;
        char line[65536];

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "processes %llu", &n) == 1)
                        break;
        if (f)
                fclose(f);
        return n;
}

static uint64_t helper_cpu(pid_t helper, const volatile struct usage *usage) {
        if (!helper)
                return 0;
        for (unsigned tries = 0; tries < 10000; tries++) {
                uint64_t before = usage->answers;

                if (kill(helper, SIGUSR1) < 0)
                        die("the helper");
                while (usage->answers == before)
                        (void) nanosleep(&(struct timespec) { .tv_nsec = 20000 }, NULL);
                if (usage->idle)
                        return usage->cpu_usec;
                (void) nanosleep(&(struct timespec) { .tv_nsec = 200000 }, NULL);
        }
        die("the helper is never idle");
        return 0;
}

static void run(const struct command *c, struct sample *sum) {
        uint64_t start = now_usec();
        struct rusage u;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                int in = open(c->input, O_RDONLY), out = open("/dev/null", O_WRONLY);

                if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
                        _exit(127);
                close(in);
                close(out);
                execv(c->argv[0], c->argv);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &u) != pid)
                die(c->argv[0]);
        if (status != 0) {
                fprintf(stderr, "measure: %s: status %#x\n", c->argv[0], (unsigned) status);
                exit(EXIT_FAILURE);
        }
        sum->wall += now_usec() - start;
        sum->cpu += (uint64_t) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
                    (uint64_t) (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static size_t parse(char **argv, struct command *commands) {
        size_t n = 0;

        for (; *argv; argv++) {
                if (**argv != '+')
                        continue;
                if (n == COMMANDS_MAX || !argv[1] || !argv[2])
                        die("arguments");
                commands[n++] = (struct command) { *argv + 1, argv[1], argv + 2 };
                *argv = NULL;
                argv += 2;
        }
        return n;
}

int main(int argc, char **argv) {
        struct command commands[COMMANDS_MAX];
        const struct usage *usage = NULL;
        pid_t helper = 0;
        unsigned rounds;
        size_t n;

        if (argc < 2)
                return 2;
        rounds = (unsigned) atoi(argv[1]);
        argv += 2;
        if (*argv && str_eq(*argv, "-h")) {
                int fd = open(getenv("BENCH_USAGE") ?: "", O_RDONLY | O_CLOEXEC);

                helper = (pid_t) atoi(argv[1]);
                usage = mmap(NULL, sizeof(*usage), PROT_READ, MAP_SHARED, fd, 0);
                if (helper <= 0 || usage == MAP_FAILED)
                        die("BENCH_USAGE");
                argv += 2;
        }
        n = parse(argv, commands);

        for (unsigned round = 0; round < rounds; round++)
                for (size_t i = 0; i < n;) {
                        uint64_t cpu = helper_cpu(helper, usage), processes = processes_started();
                        const char *label = commands[i].label;
                        struct sample sum = {};

                        for (; i < n && str_eq(commands[i].label, label); i++)
                                run(&commands[i], &sum);
                        sum.cpu += helper_cpu(helper, usage) - cpu;
                        sum.processes = processes_started() - processes;
                        printf("%s %llu %llu %llu\n", label, (unsigned long long) sum.cpu,
                               (unsigned long long) sum.wall, (unsigned long long) sum.processes);
                }
        return EXIT_SUCCESS;
}
