// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: signals
//
// What a system call leaves of its caller's registers: all but rax, rcx and r11 (syscall(2)), also where it sleeps, and
// where a signal handler runs behind it. And what a handler gives them comes, though its call's way back looks like any
// other's: rcx is the address that it goes on at, and r11 its flags.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "tap.h"

// In the order in which the assembly stores them.
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, REGISTERS };

static uint64_t before[REGISTERS], after[REGISTERS];
extern const char behind_call[];

// One call with all registers set from `before`; `after` is what it left.
static __attribute__((noinline)) void call(void)
{
    uint64_t *from = before;
    __asm__ volatile("push %%rbp\n\t"
                     "mov 8*6(%0), %%rbp\n\t"
                     "mov 8*7(%0), %%r8\n\tmov 8*8(%0), %%r9\n\tmov 8*9(%0), %%r10\n\tmov 8*11(%0), %%r12\n\t"
                     "mov 8*12(%0), %%r13\n\tmov 8*13(%0), %%r14\n\tmov 8*14(%0), %%r15\n\t"
                     "mov 8*1(%0), %%rbx\n\tmov 8*3(%0), %%rdx\n\tmov 8*4(%0), %%rsi\n\tmov 8*5(%0), %%rdi\n\t"
                     "mov 8*0(%0), %%rax\n\t"
                     "syscall\n"
                     "behind_call:\n\t"
                     "push %%rcx\n\t"
                     "lea %c1(%%rip), %%rcx\n\t"
                     "mov %%rax, 8*0(%%rcx)\n\tmov %%rbx, 8*1(%%rcx)\n\tmov %%rdx, 8*3(%%rcx)\n\t"
                     "pop 8*2(%%rcx)\n\t"
                     "mov %%rsi, 8*4(%%rcx)\n\tmov %%rdi, 8*5(%%rcx)\n\tmov %%rbp, 8*6(%%rcx)\n\tmov %%r8, 8*7(%%rcx)\n\t"
                     "mov %%r9, 8*8(%%rcx)\n\tmov %%r10, 8*9(%%rcx)\n\tmov %%r11, 8*10(%%rcx)\n\tmov %%r12, 8*11(%%rcx)\n\t"
                     "mov %%r13, 8*12(%%rcx)\n\tmov %%r14, 8*13(%%rcx)\n\tmov %%r15, 8*14(%%rcx)\n\t"
                     "pop %%rbp"
                     : "+c"(from)
                     : "i"(after)
                     : "rax", "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
                       "cc");
}

// Values that no register has by chance, and the call's own.
static void prepare(long number, long first, long second, long third)
{
    for (int i = 0; i < REGISTERS; i++)
        before[i] = 0x1111111111111111ull * (uint64_t)(i + 1) ^ 0xabcdef;
    before[RAX] = (uint64_t)number;
    before[RDI] = (uint64_t)first;
    before[RSI] = (uint64_t)second;
    before[RDX] = (uint64_t)third;
}

static int is_kept(int which) { return which != RAX && which != RCX && which != R11; }

static void registers_are_kept(const char *when)
{
    int lost = 0;
    for (int i = 0; i < REGISTERS; i++)
        lost += is_kept(i) && after[i] != before[i];
    is(lost, 0, "%s: all registers but rax, rcx and r11 are as before", when);
}

static volatile int handled;

static void count(int number)
{
    (void)number;
    handled++;
}

// A handler's frame is the call's: changes every register that a call keeps.
static void change(int number, siginfo_t *info, void *context)
{
    static const int places[REGISTERS] = { REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                                           REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number;
    (void)info;
    handled = registers[REG_RIP] == (greg_t)behind_call && registers[REG_RCX] == registers[REG_RIP] &&
              registers[REG_R11] == registers[REG_EFL];
    for (int i = 0; i < REGISTERS; i++)
        if (is_kept(i))
            registers[places[i]] = (greg_t)(before[i] = ~before[i]);
    registers[REG_RAX] = 4711;
}

static void handle(void (*plain)(int), void (*full)(int, siginfo_t *, void *))
{
    struct sigaction action = { .sa_flags = full ? SA_SIGINFO : 0 };
    if (full)
        action.sa_sigaction = full;
    else
        action.sa_handler = plain;
    sigaction(SIGUSR1, &action, NULL);
}

static void a_call_that_sleeps(void)
{
    int ends[2];
    char byte;
    int status = -1;
    if (pipe(ends))
        tap_note("no pipe");
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    prepare(SYS_read, ends[0], (long)&byte, 1);
    call();
    is((long)after[RAX], 1, "a call that sleeps has its result");
    registers_are_kept("a call that sleeps");
    ok(waitpid(child, &status, 0) == child && status == 0, "the other process is content");
}

static void signals(void)
{
    handle(count, NULL);
    prepare(SYS_kill, getpid(), SIGUSR1, 0);
    call();
    is(handled, 1, "a signal that the process sends itself is handled before the call is over");
    is((long)after[RAX], 0, "the call's result is kept over the handler");
    registers_are_kept("a call with a handler behind it");

    handle(NULL, change);
    prepare(SYS_kill, getpid(), SIGUSR1, 0);
    call();
    ok(handled, "the handler finds the call's end: rcx is rip, r11 the flags");
    is((long)after[RAX], 4711, "what the handler says is rax");
    registers_are_kept("a call whose handler changed them all");
}

int main(void)
{
    tap_begin();
    prepare(SYS_getpid, 1, 2, 3);
    call();
    is((long)after[RAX], getpid(), "a call has its result in rax");
    is((long)after[RCX], (long)behind_call, "rcx is where it goes on");
    registers_are_kept("a plain call");

    prepare(100000, 1, 2, 3);
    call();
    is((long)after[RAX], -38, "a number that is no call's: ENOSYS");
    registers_are_kept("a number that is no call's");

    a_call_that_sleeps();
    signals();
    return tap_end();
}
