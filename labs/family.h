// SPDX-License-Identifier: MIT
//
// A child that waits until it may go on, and a parent that waits until it has come that far.
#ifndef LAB_FAMILY_H
#define LAB_FAMILY_H

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/record.h"

struct family {
    pid_t child;
    int down[2], up[2];
};

static inline void family_init(struct family *family)
{
    if (pipe(family->down) || pipe(family->up))
        lab_lost(90);
}

// fork; the child reports as stream 1. True in the child.
static inline bool family_fork(struct family *family)
{
    family->child = fork();
    if (family->child < 0)
        lab_lost(93);
    if (family->child == 0)
        lab_stream(1);
    return family->child == 0;
}

static inline void tell(int fd)
{
    if (write(fd, "!", 1) != 1)
        lab_lost(91);
}

static inline void wait_for(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        lab_lost(92);
}

static inline void child_lets_parent_go_on(struct family *family) { tell(family->up[1]); }
static inline void child_waits(struct family *family) { wait_for(family->down[0]); }
static inline void parent_lets_child_go_on(struct family *family) { tell(family->down[1]); }
static inline void parent_waits(struct family *family) { wait_for(family->up[0]); }

// The child's wait status.
static inline int child_gone(struct family *family)
{
    int status = -1;
    waitpid(family->child, &status, 0);
    return status;
}

#endif
