// SPDX-License-Identifier: MIT
// ram: 1536M  time: 120
// subject: cost
//
// Instruction counts. Where the time-stamp counter counts instructions (scripts/run --icount) each line
// is exact: `name minimum median`, from the user's instruction before to the user's instruction after.
// Elsewhere the same lines are cycles. What each sample is stands beside its function.
//
// The fork of a process with 1 GiB written needs a machine of 2 GiB; on a smaller one that line is
// left out.
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>

#include "user/figures.h"

#define SAMPLES 1000
#define TABLES 2    // leaf tables that the sampled pages lie in
#define TABLES_SPAN (TABLES * 512 * PAGE)

static long samples[SAMPLES];
static long overhead; // of two readings of the counter back to back; subtracted from every sample
static const char *self;

static inline long counter(void)
{
    unsigned low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (long)high << 32 | low;
}

static inline long raw_call(long number)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

static int ascending(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, int count)
{
    qsort(samples, count, sizeof(long), ascending);
    printf("%-24s %10ld %10ld\n", name, samples[0] - overhead, samples[count / 2] - overhead);
}

static void measure_overhead(void)
{
    for (int i = 0; i < SAMPLES; i++) {
        long start = counter();
        samples[i] = counter() - start;
    }
    qsort(samples, SAMPLES, sizeof(long), ascending);
    overhead = samples[0];
}

// One getppid() by the raw system call.
static void measure_getppid(void)
{
    for (int i = 0; i < SAMPLES; i++) {
        long start = counter();
        raw_call(SYS_getppid);
        samples[i] = counter() - start;
    }
    report("getppid", SAMPLES);
}

// Page i of the sampled ones: all but the first of each leaf table (2 MiB), which prepares the table.
static inline volatile char *page_of(volatile char *memory, int i)
{
    return memory + (i / 511 * 512 + i % 511 + 1) * PAGE;
}

// One access to each sampled page of `memory`: reads, or writes of one byte.
static void touch_each(volatile char *memory, int write)
{
    for (int table = 0; table < TABLES; table++)
        memory[table * 512 * PAGE] = 1;
    for (int i = 0; i < SAMPLES; i++) {
        volatile char *at = page_of(memory, i);
        long start = counter();
        if (write)
            *at = 1;
        else
            (void)*at;
        samples[i] = counter() - start;
    }
}

// Fresh memory that is exactly TABLES leaf tables.
static char *tables_map(void)
{
    const long span = 512 * PAGE;
    char *memory = memory_map(TABLES_SPAN + span);
    memory = (char *)(((long)memory + span - 1) / span * span);
    madvise(memory, TABLES_SPAN, MADV_NOHUGEPAGE);
    return memory;
}

// The three first accesses to a page of anonymous memory.
static void measure_first_touch(void)
{
    char *memory = tables_map();
    touch_each(memory, 0);
    report("zero_page_read_fault", SAMPLES);
    touch_each(memory, 1);
    report("zero_page_upgrade_fault", SAMPLES);
    munmap(memory, TABLES_SPAN);
    memory = tables_map();
    touch_each(memory, 1);
    report("zero_fill_write_fault", SAMPLES);
    munmap(memory, TABLES_SPAN);
}

// After fork: the child's writes copy; the parent's, when the child has copied and gone, re-use. Every
// table is the writer's own by then, so that each sample is one page and no table.
static void measure_cow(void)
{
    char *memory = tables_map();
    pages_write(memory, TABLES * 512, 1, 1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        touch_each(memory, 1);
        report("cow_copy_fault", SAMPLES);
        exit(0);
    }
    waitpid(pid, NULL, 0);
    touch_each(memory, 1);
    report("cow_reuse_fault", SAMPLES);
    munmap(memory, TABLES_SPAN);
}

static sigjmp_buf after_signal;

static void jump_back(int signal)
{
    (void)signal;
    siglongjmp(after_signal, 1);
}

// A write to a PROT_NONE page: fault, handler, siglongjmp out of it.
static void measure_segv(void)
{
    volatile char *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_handler = jump_back, .sa_flags = 0};
    sigaction(SIGSEGV, &action, NULL);
    for (volatile int i = 0; i < 500; i++) {
        static long start;
        if (sigsetjmp(after_signal, 1) == 0) {
            start = counter();
            *page = 1;
        }
        samples[i] = counter() - start;
    }
    report("segv_caught", 500);
    signal(SIGSEGV, SIG_DFL);
}

// fork, the child execs this program, which exits at once, the parent waits for it.
static void measure_fork_exec_wait(void)
{
    fflush(stdout);
    for (int i = 0; i < 50; i++) {
        long start = counter();
        pid_t pid = fork();
        if (pid == 0) {
            execl(self, self, "nothing", NULL);
            _exit(1);
        }
        waitpid(pid, NULL, 0);
        samples[i] = counter() - start;
    }
    report("fork_exec_exit_wait", 50);
}

// fork, the child exits at once, the parent waits for it.
static void measure_fork_exit_wait(void)
{
    fflush(stdout);
    for (int i = 0; i < 100; i++) {
        long start = counter();
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
        samples[i] = counter() - start;
    }
    report("fork_exit_wait", 100);
}

// The fork call alone, until it returns in the parent, with `size` bytes written.
static void measure_fork_call(const char *name, size_t size)
{
    char *memory = memory_map(size);
    madvise(memory, size, MADV_NOHUGEPAGE);
    pages_write(memory, size / PAGE, 1, 1);
    fflush(stdout);
    for (int i = 0; i < 5; i++) {
        long start = counter();
        pid_t pid = raw_call(SYS_fork);
        if (pid == 0)
            _exit(0);
        samples[i] = counter() - start;
        waitpid(pid, NULL, 0);
    }
    report(name, 5);
    munmap(memory, size);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "nothing") == 0)
        return 0;
    self = argv[0];
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    memset(samples, 1, sizeof(samples)); // so that storing a sample never faults
    measure_overhead();
    measure_getppid();
    measure_fork_exit_wait();
    measure_fork_exec_wait();
    measure_first_touch();
    measure_cow();
    measure_segv();
    measure_fork_call("fork_call_1M", MIB);
    if (figures_now().free > 1100 * KIB)
        measure_fork_call("fork_call_1G", GIB);
    return 0;
}
