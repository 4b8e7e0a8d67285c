// SPDX-License-Identifier: MIT
/*
 * exec.h: turning the current process into another program.
 */
#ifndef KERNEL_EXEC_H
#define KERNEL_EXEC_H

#include "kernel/credentials.h"
#include "kernel/elf.h"
#include "kernel/exec_strings.h"

struct inode;

/*
 * A reference to a file that runs as a program (a process's `exe`), which nobody may write to meanwhile: 0 or
 * -ETXTBSY. The second: one more to a file that runs already. The third gives either back.
 */
int executable_get(struct inode *inode) __must_check;
struct inode *executable_get_again(struct inode *inode);
void executable_put(struct inode *inode);

/* Where a program is to be found. */
struct exec_target {
    struct inode *start;     /* what a relative path starts from, or (with an empty one) the file itself; NULL: as path_lookup() */
    const char *path;
    bool no_follow;          /* a symbolic link at its end is refused */
    bool closes;             /* `start` is open on a descriptor that exec closes, so a script's interpreter will not find it */
    const char *name;        /* AT_EXECFN, and what a script's interpreter is told */
};

/*
 * Run the program at `target` with these strings (which are changed: a script's interpreter goes in front).
 * On success the process has the new address space, and its user registers stand at the program's start.
 * Any error (-ENOENT, -EACCES, -ENOEXEC, -ELOOP, -E2BIG, -ENOMEM …) leaves it whole. May sleep.
 */
int exec_program(const struct exec_target *target, struct exec_strings *strings) __must_check;

/* Whom a program acts for. */
struct exec_identity {
    struct credentials credentials;
    bool is_secure; /* AT_SECURE (getauxval(3)): it was to act for somebody else than who starts it */
};

/*
 * Make the stack of a new program in its fresh address space, and put the strings, the auxiliary vector and
 * argc on it. `path` is AT_EXECFN, `identity` whom it will act for. The stack pointer goes to *rsp. 0,
 * -E2BIG, -ENOMEM.
 */
int exec_stack_build(struct aspace *aspace, const struct elf_image *image,
                     const struct exec_identity *identity, const struct exec_strings *strings,
                     const char *path, vaddr_t *rsp) __must_check;

#endif
