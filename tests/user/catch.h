// SPDX-License-Identifier: MIT
//
// Catching a fault: runs a function that is expected to end in a signal, on the alternate stack, and
// tells which signal it was, its code and its address.
#ifndef TESTS_USER_CATCH_H
#define TESTS_USER_CATCH_H

#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "tap.h"

struct caught {
    int signal; // 0: none came
    int code;
    char *addr;
};

static struct caught caught_last;
static sigjmp_buf caught_return;
static char caught_stack[64 * 1024] __attribute__((aligned(4096)));

static inline void caught_handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught_last = (struct caught){signal, info->si_code, info->si_addr};
    siglongjmp(caught_return, 1);
}

// Runs body(arg); returns what it was stopped by. The mask and the handlers are as before after it.
static inline struct caught catch(void (*body)(void *), void *arg)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction action = {.sa_sigaction = caught_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old[5];
    stack_t stack = {.ss_sp = caught_stack, .ss_size = sizeof(caught_stack)};
    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &action, &old[i]);
    caught_last = (struct caught){0, 0, NULL};
    if (sigsetjmp(caught_return, 1) == 0)
        body(arg);
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &old[i], NULL);
    return caught_last;
}

static inline void touch_read(void *addr)
{
    (void)*(volatile char *)addr;
}

static inline void touch_write(void *addr)
{
    *(volatile char *)addr = 1;
}

static inline void touch_run(void *addr)
{
    ((void (*)(void))addr)();
}

// Checks that body(addr) raises this signal with this code, and si_addr == addr.
static inline void catches(void (*body)(void *), const void *addr, int signal, int code, const char *what)
{
    struct caught caught = catch(body, (void *)addr);
    bool good = caught.signal == signal && caught.code == code && caught.addr == addr;
    ok(good, "%s", what);
    if (!good)
        tap_note("got signal %d code %d address %p, want signal %d code %d address %p", caught.signal,
                 caught.code, (void *)caught.addr, signal, code, addr);
}

#endif
