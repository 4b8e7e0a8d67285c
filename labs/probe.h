// SPDX-License-Identifier: MIT
//
// One access to memory, and the signal that it brings.
#ifndef LAB_PROBE_H
#define LAB_PROBE_H

#include <setjmp.h>
#include <signal.h>

#include "lab/record.h"

static sigjmp_buf probe_back;
static volatile uint64_t probe_signal;

static void probe_handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    probe_signal = (uint64_t)signal << 8 | (unsigned char)info->si_code;
    siglongjmp(probe_back, 1);
}

static inline void probe_init(void)
{
    struct sigaction action = { .sa_sigaction = probe_handler, .sa_flags = SA_SIGINFO };

    if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL))
        lab_lost(80);
}

// 0, or the signal's number << 8 | its si_code.
static inline uint64_t probe_read(const volatile unsigned char *at)
{
    if (sigsetjmp(probe_back, 1))
        return probe_signal;
    (void)*at;
    return 0;
}

static inline uint64_t probe_write(volatile unsigned char *at, unsigned char byte)
{
    if (sigsetjmp(probe_back, 1))
        return probe_signal;
    *at = byte;
    return 0;
}

#endif
