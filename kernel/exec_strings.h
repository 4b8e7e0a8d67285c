// SPDX-License-Identifier: MIT
/*
 * exec_strings.h: the argument and environment strings of a program to be started, gathered in one piece.
 *
 * They lie one after the other, each with its NUL: first the arguments, then the environment, as the new
 * stack will have them. The piece grows by doubling; most programs need one page.
 */
#ifndef KERNEL_EXEC_STRINGS_H
#define KERNEL_EXEC_STRINGS_H

#include "arch/x86_64/page.h"

#define EXEC_STRING_MAX (32 * PAGE_SIZE) /* one string with its NUL (execve(2), MAX_ARG_STRLEN) */
#define EXEC_STRINGS_MAX (2ul << 20)     /* all, with a pointer for each; the stack's limit may allow less */

struct exec_strings {
    char *text;
    size_t size, used; /* bytes of the buffer; of it with strings */
    unsigned argc, envc;
};

/* An empty one is all zeroes; free what it has become. */
void exec_strings_free(struct exec_strings *strings);

/* Add a string of the kernel's at the end, uncounted. 0, -E2BIG, -ENOMEM. */
int exec_strings_add(struct exec_strings *strings, const char *text) __must_check;

/*
 * Add argv and envp of the calling process (arrays of pointers that end with NULL; 0 is an empty one). Also
 * -EFAULT.
 */
int exec_strings_add_user(struct exec_strings *strings, vaddr_t argv, vaddr_t envp) __must_check;

/* Put `count` words in the place of the first argument, if there is one. 0, -E2BIG, -ENOMEM. */
int exec_strings_replace_first(struct exec_strings *strings, const char *const words[],
                               unsigned count) __must_check;

#endif
