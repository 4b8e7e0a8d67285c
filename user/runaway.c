// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// Runaway recursion: the stack grows page by page until its limit, and the program lives to tell.
#include <setjmp.h>
#include <signal.h>

#include "user/figures.h"

static sigjmp_buf safe_place;
static char *deepest, *fault_address;
static volatile int endless = 1; // volatile: the compiler must not see through it

static void caught(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    fault_address = info->si_addr;
    siglongjmp(safe_place, 1);
}

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[1000];
    frame[0] = depth;
    deepest = (char *)frame;
    return (endless ? recurse(depth + 1) : 0) + frame[0];
}

int main(void)
{
    static char signal_stack[16384];
    char top;
    figures_begin("Runaway recursion");
    sigaltstack(&(stack_t){.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)}, NULL);
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    printf("The stack may grow to %ld KiB.\n\n", (long)limit.rlim_cur / KIB);
    struct figures start = figures_table();
    if (sigsetjmp(safe_place, 1) == 0)
        recurse(0);
    figures_row("after recursing without end", start);
    printf("\nThe last frame lay %ld KiB below main's. The next access, at %p,\n"
           "was a SIGSEGV. The handler ran on a stack of its own, as there was no room left\n"
           "on this one.\n",
           (long)(&top - deepest) / KIB, (void *)fault_address);
    return 0;
}
