/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* Disposable children for work that can hang in the kernel (a driver's unbind). All start at once; each sends
 * records to the caller; whoever is not done at the deadline is not waited for any longer, and not killed: in state D
 * that would only hide it. When the caller ends, its children are killed (PR_SET_PDEATHSIG), those in state D as soon as
 * they leave it. */

/* Runs in the child, with /dev/null for standard input, output and error. Sends with child_send(fd, …), returns the exit
 * status (0…255). */
typedef int (*child_main)(int fd, size_t index, void *userdata);

/* Called in the parent for each record that arrives; size is what the child gave to child_send. */
typedef void (*child_record)(const void *record, size_t size, void *userdata);

enum child_end { CHILD_RUNNING, CHILD_EXITED, CHILD_DIED, CHILD_STUCK };

struct child {
        pid_t pid;
        int pidfd;
        int status;         /* exit status (CHILD_EXITED; 255 for one that was not started) or signal (CHILD_DIED) */
        enum child_end end; /* never CHILD_RUNNING after children_run */
};

/* Sends one record of at most PIPE_BUF bytes (4096) as a whole: records of several children do not mix. */
int child_send(int fd, const void *record, size_t size);

/* Runs n children with indexes 0…n-1 and waits until all have ended or deadline_usec have passed. children
 * has n elements and is filled. size is the size of every record. Returns 0 when all were started, whatever
 * their end was; -errno when one could not be started (those that run are waited for all the same). */
int children_run(struct child *children, size_t n, uint64_t deadline_usec, size_t size, child_main run,
                 child_record record, void *userdata);

/* CLOCK_BOOTTIME in microseconds: goes on during suspend, never jumps. */
uint64_t now_usec(void);
