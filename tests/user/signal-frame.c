// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: signals
//
// The frame of a signal handler lies in user memory, where a program may write anything into it before
// it returns. The kernel takes back what belongs to user mode, kills by SIGSEGV for what cannot be, and
// is never harmed.
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "child.h"
#include "observe.h"

#define FLAG_IF 0x200l
#define FLAG_IOPL 0x3000l
#define FLAG_NT 0x4000l

static void (*spoil)(ucontext_t *);

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    spoil(context);
}

// In a child: takes a signal, and spoils its frame before the handler returns.
static void returns_spoilt(void *how)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    spoil = how;
    raise(SIGUSR1);
    _exit(7); // it has survived
}

static void stack_nowhere(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_RSP] = 16;
}

static void code_noncanonical(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_RIP] = 0x4000000000000000;
}

static void code_in_kernel(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_RIP] = (long)0xffffffff80100000;
}

static void stack_in_kernel(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_RSP] = (long)0xffffffff80100000;
}

static void fpu_nowhere(ucontext_t *context)
{
    context->uc_mcontext.fpregs = (void *)16;
}

static void fpu_in_kernel(ucontext_t *context)
{
    context->uc_mcontext.fpregs = (void *)0xffffffff80100000;
}

static void fpu_rubbish(ucontext_t *context)
{
    memset(context->uc_mcontext.fpregs, 0xff, 512);
}

// The header of the XSAVE area, behind the 512 bytes of x87 and SSE state.
static void fpu_header_of_ones(ucontext_t *context)
{
    memset((char *)context->uc_mcontext.fpregs + 512, 0xff, 64);
}

static bool cpu_has_xsave(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE;
}

// REG_CSGSFS holds four selectors: cs, gs, fs, ss.
static void code_segment_of_the_kernel(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_CSGSFS] &= ~0xffffl;
    context->uc_mcontext.gregs[REG_CSGSFS] |= 0x10;
}

static void stack_segment_of_the_kernel(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_CSGSFS] &= ~(0xffffl << 48);
    context->uc_mcontext.gregs[REG_CSGSFS] |= 0x10l << 48;
}

static void everything(ucontext_t *context)
{
    memset(context, 0xff, sizeof(*context));
}

static void flags_of_the_kernel(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_EFL] &= ~FLAG_IF;
    context->uc_mcontext.gregs[REG_EFL] |= FLAG_IOPL | FLAG_NT;
}

// In a child: 0 if the flags that belong to the kernel are as they should be after such a return.
static void flags_stay(void *arg)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    long flags;
    (void)arg;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    spoil = flags_of_the_kernel;
    raise(SIGUSR1);
    __asm__ volatile("pushfq\n\tpop %0" : "=r"(flags));
    _exit((flags & FLAG_IF ? 0 : 1) + (flags & FLAG_IOPL ? 2 : 0));
}

static void no_frame_at_all(void *arg)
{
    (void)arg;
    char *stack = region_map(4);
    __asm__ volatile("mov %0, %%rsp\n\tsyscall" ::"r"(stack + 2 * PAGE), "a"((long)SYS_rt_sigreturn) : "memory");
}

// A signal that finds no stack to put its frame on.
static void handler_without_stack(void *stack_pointer)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    spoil = everything;
    long pid = getpid();
    __asm__ volatile("mov %0, %%rsp\n\tsyscall\n\tud2" ::"r"(stack_pointer), "a"((long)SYS_kill), "D"(pid),
                     "S"((long)SIGUSR1) : "memory", "rcx", "r11");
}

static void dies(void (*body)(void *), void *arg, const char *what)
{
    int status = child_run(body, arg);
    if (!ok(killed_by(status, SIGSEGV), "%s: SIGSEGV", what))
        tap_note("wait status %#x", status);
}

int main(void)
{
    tap_begin();
    char *edge = region_map(4);
    dies(returns_spoilt, stack_nowhere, "a return to a stack that is not mapped");
    dies(returns_spoilt, code_noncanonical, "a return to a non-canonical address");
    dies(returns_spoilt, code_in_kernel, "a return to the kernel's code");
    dies(returns_spoilt, stack_in_kernel, "a return to a stack in the kernel");
    dies(returns_spoilt, code_segment_of_the_kernel, "a return to the kernel's code segment");
    dies(returns_spoilt, stack_segment_of_the_kernel, "a return to the kernel's stack segment");
    dies(returns_spoilt, fpu_nowhere, "FPU state that is not mapped");
    dies(returns_spoilt, fpu_in_kernel, "FPU state in the kernel");
    dies(returns_spoilt, everything, "a frame of ones");
    int status = child_run(returns_spoilt, fpu_rubbish);
    ok(killed_by(status, SIGSEGV) || WEXITSTATUS(status) == 7, "FPU state of ones: refused or made good");
    if (cpu_has_xsave())
        dies(returns_spoilt, fpu_header_of_ones, "FPU state with a header of ones");
    else
        tap_skip("this CPU has no XSAVE");
    is(child_run(flags_stay, NULL), 0, "interrupts stay on and I/O stays forbidden, whatever the frame says");
    dies(no_frame_at_all, NULL, "rt_sigreturn without a frame");
    dies(handler_without_stack, edge - 8, "a signal on a stack of PROT_NONE");
    dies(handler_without_stack, (void *)0x4000000000000000, "a signal on a non-canonical stack");
    dies(handler_without_stack, (void *)0xffffffff80100000, "a signal on a stack in the kernel");
    is(child_run(flags_stay, NULL), 0, "after all this signals work as before");
    return tap_end();
}
