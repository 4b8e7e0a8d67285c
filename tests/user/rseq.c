// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
//
// rseq: registering, what is refused, and a critical section that a signal or another process
// interrupts: it goes on at the abort address, if the signature stands before it.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "child.h"

#define SIGNATURE 0x53053053u
#define LENGTH 32
#define UNREGISTER 1

// linux/rseq.h's, as the calls of 6.1 know them.
static struct area {
    uint32_t cpu_id_start, cpu_id;
    uint64_t section;
    uint32_t flags;
} area __attribute__((aligned(32)));

static struct section {
    uint32_t version, flags;
    uint64_t start_ip, post_commit_offset, abort_ip;
} section __attribute__((aligned(32)));

static long rseq(void *address, unsigned length, int flags, unsigned signature)
{
    return syscall(SYS_rseq, address, length, flags, signature);
}

enum abort_address { SIGNED, NOT_SIGNED };

/* A critical section that only an interruption ends: 1 at its abort address, 2 at the unsigned one. */
static __attribute__((noinline)) int wait_for_abort(enum abort_address which)
{
    int result;
    __asm__ volatile("leaq 1f(%%rip), %%rax\n"
                     "movq %%rax, 8+%1\n"
                     "leaq 2f(%%rip), %%rcx\n"
                     "subq %%rax, %%rcx\n"
                     "movq %%rcx, 16+%1\n"
                     "leaq 4f(%%rip), %%rax\n"
                     "testl %3, %3\n"
                     "jz 0f\n"
                     "leaq 5f(%%rip), %%rax\n"
                     "0: movq %%rax, 24+%1\n"
                     "leaq %1, %%rax\n"
                     "movq %%rax, 8+%2\n"
                     "1: pause\n"
                     "jmp 1b\n"
                     "2: xorl %0, %0\n"
                     "jmp 3f\n"
                     ".long 0x53053053\n"
                     "4: movl $1, %0\n"
                     "jmp 3f\n"
                     ".long 0x12345678\n"
                     "5: movl $2, %0\n"
                     "3:\n"
                     : "=&r"(result), "+m"(section), "+m"(area)
                     : "r"((int)which)
                     : "rax", "rcx", "memory", "cc");
    return result;
}

static void nothing(int signal) { (void)signal; }

static void alarm_soon(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 20000}}, NULL);
}

static void refusals(void)
{
    fails(rseq(&area, LENGTH, 4, SIGNATURE), EINVAL, "unknown flags");
    fails(rseq(&area, LENGTH - 1, 0, SIGNATURE), EINVAL, "another length");
    fails(rseq(&area.section, LENGTH, 0, SIGNATURE), EINVAL, "not aligned");
    fails(rseq((void *)0x10000, LENGTH, 0, SIGNATURE), EFAULT, "nowhere");
    fails(rseq((void *)0xffff800000000000ul, LENGTH, 0, SIGNATURE), EFAULT, "in the kernel");
    fails(rseq(&area, LENGTH, UNREGISTER, SIGNATURE), EINVAL, "unregister what is not");
}

static void registration(void)
{
    area = (struct area){.cpu_id = 77, .section = 8};
    is(rseq(&area, LENGTH, 0, SIGNATURE), 0, "register");
    ok(area.cpu_id < 8 && area.cpu_id_start == area.cpu_id, "the number of the CPU is told");
    is(area.section, 0, "a stale section is forgotten");
    fails(rseq(&area, LENGTH, 0, SIGNATURE), EBUSY, "register again");
    fails(rseq(&area, LENGTH, 0, 1), EPERM, "with another signature");
    fails(rseq(&area + 1, LENGTH, 0, SIGNATURE), EINVAL, "at another place");
    fails(rseq(&area, LENGTH, UNREGISTER, 1), EPERM, "unregister with another signature");
    fails(rseq(&area, LENGTH, UNREGISTER | 2, SIGNATURE), EINVAL, "unregister with unknown flags");
}

static void by_signal(void *unused)
{
    (void)unused;
    alarm_soon();
    _exit(wait_for_abort(SIGNED));
}

static void without_signature(void *unused)
{
    (void)unused;
    alarm_soon();
    _exit(wait_for_abort(NOT_SIGNED));
}

static void with_flags(void *unused)
{
    (void)unused;
    area.flags = 1;
    alarm_soon();
    _exit(wait_for_abort(SIGNED));
}

static void section_nowhere(void *unused)
{
    (void)unused;
    area.section = 8;
    alarm_soon();
    for (;;)
        ;
}

static void by_another_process(void *unused)
{
    (void)unused;
    pid_t rival = fork();
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);
    if (rival == 0)
        for (;;)
            ;
    sched_setaffinity(rival, sizeof first, &first);
    int result = wait_for_abort(SIGNED);
    kill(rival, SIGKILL);
    _exit(result);
}

static void shares_memory(void *unused)
{
    (void)unused;
    pid_t child = vfork();
    if (child == 0)
        _exit(rseq(&area, LENGTH, UNREGISTER, SIGNATURE) == -1 && errno == EINVAL ? 3 : 4);
    int status;
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}

int main(void)
{
    tap_begin();
    signal(SIGALRM, nothing);
    refusals();
    registration();
    alarm_soon();
    is(wait_for_abort(SIGNED), 1, "a handler interrupts the section: it is aborted");
    is(area.section, 0, "and left");
    is(child_run(by_signal, NULL), 1 << 8, "a child inherits the registration");
    is(child_run(by_another_process, NULL), 1 << 8, "another process interrupts the section");
    is(child_run(shares_memory, NULL), 3 << 8, "a child in the same memory does not inherit it");
    ok(killed_by(child_run(without_signature, NULL), SIGSEGV), "no signature before the abort address: SIGSEGV");
    ok(killed_by(child_run(with_flags, NULL), SIGSEGV), "flags: SIGSEGV");
    ok(killed_by(child_run(section_nowhere, NULL), SIGSEGV), "a section that is nowhere: SIGSEGV");
    is(rseq(&area, LENGTH, UNREGISTER, SIGNATURE), 0, "unregister");
    is(area.cpu_id, UINT32_MAX, "the number of the CPU is taken back");
    return tap_end();
}
