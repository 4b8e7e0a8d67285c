// SPDX-License-Identifier: MIT
// subject: cost
//
// bench: what memory costs. Each line is `name minimum median`, from the user's instruction before an
// operation to the user's instruction after it. Where the time-stamp counter counts instructions (QEMU's
// -icount shift=0) the figures are instructions and exact; elsewhere they are cycles, or with --ns
// nanoseconds.
//
//     bench [--ns] [--once] [NAME ...]   all measures, or those named
//     bench --list                       their names
//
// --once makes measures of more than 64 MiB once only, but for forks. A measure that cannot be made says `name failed:
// why`, and the status is 1.
//
// It runs unmodified on Linux. What one sample is stands above each function. Between bench_begin() and
// bench_end() there is nothing but the operation: `make profile` sets its breakpoints there. Measures over a
// block of memory share one (block_written()), so that a gigabyte is written a few times and not for each
// line. The table's order keeps the block's sizes together, and has small processes measured before there is
// a block: it holds whatever the order of names.
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "user/figures.h"

#define SAMPLES_MAX 1024
#define TABLE_PAGES 512L            // pages under one leaf table
#define TABLE_SPAN (TABLE_PAGES * PAGE)
#define TABLES 2                    // leaf tables that the sampled single pages lie in
#define TABLES_SAMPLES (TABLES * (TABLE_PAGES - 1))
#define HOG (256 * MIB)
#define NO_HOG LONG_MAX

#define NAMED __attribute__((noinline, used))

static long *samples;               // shared with children, some of which measure themselves
static const char *self;            // this program's path
static const char *reason;          // why the measure at hand failed

NAMED long counter_read(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (long)((uint64_t)high << 32 | low);
}

// Two names for one thing, so that a debugger can tell them apart.
NAMED long bench_begin(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence # begin" : "=a"(low), "=d"(high)::"memory");
    return (long)((uint64_t)high << 32 | low);
}

NAMED long bench_end(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence # end" : "=a"(low), "=d"(high)::"memory");
    return (long)((uint64_t)high << 32 | low);
}

// A debugger waits here for a measure to start.
NAMED void bench_ready(void) { __asm__ volatile("" ::: "memory"); }

#define SAMPLE(i, operation)                                                    \
    do {                                                                        \
        long begin_ = bench_begin();                                            \
        operation;                                                              \
        samples[i] = bench_end() - begin_;                                      \
    } while (0)

// ---------------------------------------------------------------- what measures are made of

static int failed(const char *why)
{
    reason = why;
    return -1;
}

static inline long raw_call(long number)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

// Did this child end with status 0?
static int child_succeeds(pid_t pid)
{
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

// Fresh memory of `tables` leaf tables, exactly, in small pages on every kernel. NULL: refused.
static char *tables_map(long tables)
{
    char *memory = memory_map((tables + 1) * TABLE_SPAN);
    char *aligned = (char *)(((long)memory + TABLE_SPAN - 1) / TABLE_SPAN * TABLE_SPAN);
    long before = aligned - memory;
    if (before)
        munmap(memory, before);
    munmap(aligned + tables * TABLE_SPAN, TABLE_SPAN - before);
    madvise(aligned, tables * TABLE_SPAN, MADV_NOHUGEPAGE);
    return aligned;
}

// Page i of the sampled ones: all but the first of each leaf table, which prepares the table.
static inline volatile char *page_of(volatile char *memory, long i)
{
    return memory + (i / (TABLE_PAGES - 1) * TABLE_PAGES + i % (TABLE_PAGES - 1) + 1) * PAGE;
}

// Writes a byte to the first page of each table, so that no sample pays for a table.
static void tables_prepare(volatile char *memory)
{
    pages_write(memory, TABLES, TABLE_PAGES, 1);
}

static void pages_sample_write(volatile char *memory)
{
    tables_prepare(memory);
    for (long i = 0; i < TABLES_SAMPLES; i++) {
        volatile char *at = page_of(memory, i);
        SAMPLE(i, *at = 1);
    }
}

static void pages_sample_read(volatile char *memory)
{
    tables_prepare(memory);
    for (long i = 0; i < TABLES_SAMPLES; i++) {
        volatile char *at = page_of(memory, i);
        SAMPLE(i, (void)*at);
    }
}

// ---------------------------------------------------------------- calls

// One getppid() by the raw system call.
static int measure_null_call(long unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        SAMPLE(i, raw_call(SYS_getppid));
    return 1000;
}

// mmap of so many bytes of private anonymous memory, and munmap, untouched.
static int measure_map_unmap(long size)
{
    for (int i = 0; i < 500; i++)
        SAMPLE(i, munmap(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), size));
    return 500;
}

// mprotect of so many written pages to read-only, and back: a mapping of their own in one leaf table.
static int measure_protect_pair(long pages)
{
    char *memory = tables_map(1);
    munmap(memory + pages * PAGE, TABLE_SPAN - pages * PAGE);
    pages_write(memory, pages, 1, 1);
    for (int i = 0; i < 500; i++)
        SAMPLE(i, mprotect(memory, pages * PAGE, PROT_READ);
               mprotect(memory, pages * PAGE, PROT_READ | PROT_WRITE));
    munmap(memory, pages * PAGE);
    return 500;
}

// A byte to another process through a pipe, and one back through another: two switches.
static int measure_ping_pong(long unused)
{
    int there[2], back[2];
    char byte = 0;
    (void)unused;
    if (pipe(there) || pipe(back))
        return failed("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    int good = pid > 0;
    for (int i = 0; good && i < 500; i++)
        SAMPLE(i, good = write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1);
    close(there[1]);
    good &= child_succeeds(pid);
    close(there[0]);
    close(back[0]);
    close(back[1]);
    return good ? 500 : failed("the other process");
}

// ---------------------------------------------------------------- one page

// The first read of a page: the zero page.
static int measure_zero_read(long unused)
{
    char *memory = tables_map(TABLES);
    (void)unused;
    pages_sample_read(memory);
    munmap(memory, TABLES * TABLE_SPAN);
    return TABLES_SAMPLES;
}

// The first write to a page: a new page of zeroes.
static int measure_zero_fill(long unused)
{
    char *memory = tables_map(TABLES);
    (void)unused;
    pages_sample_write(memory);
    munmap(memory, TABLES * TABLE_SPAN);
    return TABLES_SAMPLES;
}

// The first write to a page that was only read before: a new page for the zero page.
static int measure_zero_upgrade(long unused)
{
    char *memory = tables_map(TABLES);
    (void)unused;
    pages_read(memory, TABLES * TABLE_PAGES, 1);
    pages_sample_write(memory);
    munmap(memory, TABLES * TABLE_SPAN);
    return TABLES_SAMPLES;
}

// A child of fork writes a page that it shares with its parent, in a table that is its own already: a copy.
static int measure_cow_copy(long unused)
{
    char *memory = tables_map(TABLES);
    (void)unused;
    pages_write(memory, TABLES * TABLE_PAGES, 1, 1);
    pid_t pid = fork();
    if (pid == 0) {
        pages_sample_write(memory);
        _exit(0);
    }
    int good = child_succeeds(pid);
    munmap(memory, TABLES * TABLE_SPAN);
    return good ? TABLES_SAMPLES : failed("the child");
}

// The parent writes such a page after the child has written its copies and gone: no copy.
static int measure_cow_reuse(long unused)
{
    char *memory = tables_map(TABLES);
    (void)unused;
    pages_write(memory, TABLES * TABLE_PAGES, 1, 1);
    pid_t pid = fork();
    if (pid == 0) {
        pages_write(memory, TABLES * TABLE_PAGES, 1, 2);
        _exit(0);
    }
    int good = child_succeeds(pid);
    pages_sample_write(memory);
    munmap(memory, TABLES * TABLE_SPAN);
    return good ? TABLES_SAMPLES : failed("the child");
}

static sigjmp_buf after_signal;

static void jump_back(int signal)
{
    (void)signal;
    siglongjmp(after_signal, 1);
}

// A write to a PROT_NONE page: fault, handler, siglongjmp out of it.
static int measure_segv(long unused)
{
    static volatile int i;
    static long begin;
    volatile char *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_handler = jump_back};
    (void)unused;
    sigaction(SIGSEGV, &action, NULL);
    for (i = 0; i < 500; i++) {
        if (sigsetjmp(after_signal, 1) == 0) {
            begin = bench_begin();
            *page = 1;
        }
        samples[i] = bench_end() - begin;
    }
    signal(SIGSEGV, SIG_DFL);
    munmap((void *)page, PAGE);
    return 500;
}

// ---------------------------------------------------------------- processes

// vfork, the child exits at once, the parent waits for it.
static int measure_vfork_exit(long unused)
{
    (void)unused;
    for (volatile int i = 0; i < 100; i++) {
        long begin = bench_begin();
        pid_t pid = vfork();
        if (pid == 0)
            _exit(0);
        int good = child_succeeds(pid);
        samples[i] = bench_end() - begin;
        if (!good)
            return failed("vfork");
    }
    return 100;
}

// vfork, the child execs this program, which ends at once; the parent waits for it.
static int measure_vfork_exec(long unused)
{
    char *const argv[] = {(char *)self, "nothing", NULL};
    (void)unused;
    for (volatile int i = 0; i < 50; i++) {
        long begin = bench_begin();
        pid_t pid = vfork();
        if (pid == 0) {
            execv(self, argv);
            _exit(1);
        }
        int good = child_succeeds(pid);
        samples[i] = bench_end() - begin;
        if (!good)
            return failed("vfork and exec");
    }
    return 50;
}

// ---------------------------------------------------------------- a block of memory

static char *block;
static long block_size;

static void block_drop(void)
{
    if (block_size)
        munmap(block, block_size);
    block_size = 0;
}

// A new block; if the kernel takes huge pages by default, it may. -1: this machine has not so much.
static int block_map(long size)
{
    block_drop();
    if (file_number("/proc/meminfo", "MemFree:") < size / KIB + size / KIB / 64)
        return failed("too little memory");
    block = memory_map(size);
    block_size = size;
    return 0;
}

// A byte is written to each page of the block, and its size is `size`. -1 as above.
static int block_written(long size)
{
    if (block_size == size)
        return 0;
    if (block_map(size))
        return -1;
    pages_write(block, size / PAGE, 1, 1);
    return 0;
}

static int large_repeats = 3;

// How often a measure on so much memory is repeated.
static int repeats(long size) { return size > 64 * MIB ? large_repeats : size > MIB ? 5 : 25; }

// A fork is cheap once the block is written, and the first one after that is not like the others.
static int fork_repeats(long size) { return size > MIB ? 5 : 25; }

// The first write to each page of the block, in total.
static int measure_touch(long size)
{
    for (int i = 0; i < repeats(size); i++) {
        if (block_map(size))
            return -1;
        SAMPLE(i, pages_write(block, size / PAGE, 1, 1));
    }
    return repeats(size);
}

// munmap of the written block.
static int measure_unmap(long size)
{
    for (int i = 0; i < repeats(size); i++) {
        if (block_written(size))
            return -1;
        SAMPLE(i, munmap(block, size));
        block_size = 0;
    }
    return repeats(size);
}

// The fork call alone, until it returns in the parent.
static int measure_fork(long size)
{
    if (block_written(size))
        return -1;
    for (int i = 0; i < fork_repeats(size); i++) {
        long begin = bench_begin();
        pid_t pid = raw_call(SYS_fork);
        if (pid == 0)
            _exit(0);
        samples[i] = bench_end() - begin;
        if (!child_succeeds(pid))
            return failed("fork");
    }
    return fork_repeats(size);
}

// fork, the child exits at once, the parent waits for it. Size 0: with nothing written but what a program
// has.
static int measure_fork_exit(long size)
{
    int count = size ? fork_repeats(size) : 100;
    if (size && block_written(size))
        return -1;
    for (int i = 0; i < count; i++) {
        int good;
        SAMPLE(i, pid_t pid = fork(); if (pid == 0) _exit(0); good = child_succeeds(pid));
        if (!good)
            return failed("fork");
    }
    return count;
}

// fork, the child execs this program, which ends at once; the parent waits for it. Size 0 as above.
static int measure_fork_exec(long size)
{
    char *const argv[] = {(char *)self, "nothing", NULL};
    int count = size ? fork_repeats(size) : 50;
    if (size && block_written(size))
        return -1;
    for (int i = 0; i < count; i++) {
        int good;
        SAMPLE(i, pid_t pid = fork(); if (pid == 0) {
            execv(self, argv);
            _exit(1);
        } good = child_succeeds(pid));
        if (!good)
            return failed("fork and exec");
    }
    return count;
}

// The worst case of shared tables: after fork the child writes one page of each 2 MiB of the block.
static int measure_cow_copy_shared(long size)
{
    int count = size / TABLE_SPAN - 1;
    if (block_written(size))
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        volatile char *first = (char *)(((long)block + TABLE_SPAN - 1) / TABLE_SPAN * TABLE_SPAN);
        for (int i = 0; i < count; i++)
            SAMPLE(i, first[i * TABLE_SPAN] = 2);
        _exit(0);
    }
    return child_succeeds(pid) ? count : failed("the child");
}

// ---------------------------------------------------------------- out of memory

// Shared with the hog: how many pages it has written, and when it wrote the last.
static volatile long *hog_pages, *hog_last;

// Writes page after page until it is killed. Only when the hog before it, which had written `near` pages,
// was about to die does it begin to measure.
static _Noreturn void hog(long near)
{
    number_write("/proc/self/oom_score_adj", 1000);
    volatile char *memory = memory_map(4 * HOG);
    for (long i = 0; i < 4 * HOG / PAGE; i++) {
        *hog_last = i > near - TABLE_PAGES ? bench_begin() : 0;
        memory[i * PAGE] = 1;
        *hog_pages = i;
    }
    _exit(0);
}

// Has a hog be killed; one before it has written `near` pages. What that took, or -1.
static long hog_kill(long near)
{
    int status;
    long free_before = file_number("/proc/meminfo", "MemFree:");
    pid_t pid = fork();
    if (pid == 0)
        hog(near);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return failed("fork");
    long took = bench_end() - *hog_last;
    if (near != NO_HOG && !*hog_last)
        return failed("a hog died long before the one before it");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        return failed("the hog was not killed");
    if (file_number("/proc/meminfo", "MemFree:") < free_before - HOG / KIB / 16)
        return failed("the hog's memory is not back");
    return took;
}

// A hog of 256 MiB is killed for want of memory: from its last page until the parent has its status and its
// memory is free. A filler takes what the machine has beyond that; a first hog, which is not measured, shows
// how much that is.
static int measure_oom_kill(long filler_size)
{
    int count = 0, immune;
    char *filler = memory_map(filler_size);
    block_drop();
    madvise(filler, filler_size, MADV_NOHUGEPAGE);
    immune = open("/proc/self/oom_score_adj", O_WRONLY);
    if (immune < 0 || write(immune, "-1000", 5) != 5)
        return failed("oom_score_adj");
    long pages = file_number("/proc/meminfo", "MemFree:") * KIB / PAGE - 2 * HOG / PAGE;
    if (pages > 0)
        pages_write(filler, pages, 1, 1);
    if (pages > 0 && hog_kill(NO_HOG) > 0 && *hog_pages * PAGE > HOG) {
        pages_write(filler + pages * PAGE, *hog_pages - HOG / PAGE, 1, 1);
        while (count < large_repeats && (samples[count] = hog_kill(count ? *hog_pages : HOG / PAGE)) > 0)
            count++;
    }
    long off = *hog_pages - HOG / PAGE;
    munmap(filler, filler_size);
    if (write(immune, "0", 1) != 1)
        return failed("oom_score_adj");
    close(immune);
    if (pages <= 0 || off > HOG / PAGE / 20 || -off > HOG / PAGE / 20)
        return failed("the memory of this machine does not let a hog have 256 MiB");
    return count == large_repeats ? count : -1;
}

// ---------------------------------------------------------------- the table

struct measure {
    const char *name;
    int (*run)(long argument);  // fills samples[]; how many, or -1 with `reason` set
    long argument;
};

#define FORKS(label, size) \
    {"fork_" label, measure_fork, size}, {"fork_exit_" label, measure_fork_exit, size}

static const struct measure measures[] = {
    {"null_call", measure_null_call, 0},
    {"zero_read", measure_zero_read, 0},
    {"zero_fill", measure_zero_fill, 0},
    {"zero_upgrade", measure_zero_upgrade, 0},
    {"cow_copy", measure_cow_copy, 0},
    {"cow_reuse", measure_cow_reuse, 0},
    {"map_unmap_1M", measure_map_unmap, MIB},
    {"protect_pair_256p", measure_protect_pair, 256},
    {"segv_caught", measure_segv, 0},
    {"ping_pong", measure_ping_pong, 0},
    {"fork_exit", measure_fork_exit, 0},
    {"fork_exec", measure_fork_exec, 0},
    {"vfork_exit", measure_vfork_exit, 0},
    {"vfork_exec", measure_vfork_exec, 0},
    {"touch_1M", measure_touch, MIB},
    FORKS("1M", MIB),
    {"unmap_1M", measure_unmap, MIB},
    FORKS("16M", 16 * MIB),
    {"touch_64M", measure_touch, 64 * MIB},
    FORKS("64M", 64 * MIB),
    {"unmap_64M", measure_unmap, 64 * MIB},
    FORKS("256M", 256 * MIB),
    {"touch_1024M", measure_touch, GIB},
    FORKS("1024M", GIB),
    {"fork_exec_1024M", measure_fork_exec, GIB},
    {"cow_copy_shared", measure_cow_copy_shared, GIB},
    {"unmap_1024M", measure_unmap, GIB},
    {"oom_kill_256M", measure_oom_kill, 8 * GIB},
};
#define MEASURES ((int)(sizeof(measures) / sizeof(*measures)))

static int ascending(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

// What an empty operation takes: subtracted from every sample.
static long overhead_measure(void)
{
    for (int i = 0; i < 1000; i++)
        SAMPLE(i, (void)0);
    qsort(samples, 1000, sizeof(long), ascending);
    return samples[0];
}

static double nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

// Nanoseconds of one tick of the counter, from a tenth of a second.
static double tick_measure(void)
{
    double time = nanoseconds_now();
    long ticks = counter_read();
    while (nanoseconds_now() < time + 1e8)
        ;
    time = nanoseconds_now() - time;
    return time / (counter_read() - ticks);
}

// Runs one and prints its line. False: it failed.
static int measure_run(const struct measure *measure, long overhead, double tick)
{
    reason = "";
    bench_ready();
    int count = measure->run(measure->argument);
    if (count <= 0) {
        printf("%-20s failed: %s\n", measure->name, reason);
        return 0;
    }
    qsort(samples, count, sizeof(long), ascending);
    printf("%-20s %12.0f %12.0f\n", measure->name, (samples[0] - overhead) * tick,
           (samples[count / 2] - overhead) * tick);
    return 1;
}

// Ends the program if a name is none of the table's.
static void names_check(char **names)
{
    for (; *names; names++) {
        int i = 0;
        while (i < MEASURES && strcmp(measures[i].name, *names))
            i++;
        if (i == MEASURES) {
            fprintf(stderr, "bench: no measure is called %s (bench --list)\n", *names);
            exit(2);
        }
    }
}

// Is it among the names, or is none given?
static int is_wanted(const struct measure *measure, char **names)
{
    int wanted = !*names;
    for (; *names; names++)
        wanted |= strcmp(measure->name, *names) == 0;
    return wanted;
}

static int names_list(void)
{
    for (int i = 0; i < MEASURES; i++)
        puts(measures[i].name);
    return 0;
}

int main(int argc, char **argv)
{
    int first, good = 1, nanoseconds = 0;
    if (argc > 1 && strcmp(argv[1], "nothing") == 0)
        return 0;
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return names_list();
    for (first = 1; first < argc && argv[first][0] == '-'; first++) {
        nanoseconds |= strcmp(argv[first], "--ns") == 0;
        if (strcmp(argv[first], "--once") == 0)
            large_repeats = 1;
    }
    names_check(argv + first);
    self = argv[0];
    setvbuf(stdout, NULL, _IOLBF, 0);
    samples = mmap(NULL, (SAMPLES_MAX + 2) * sizeof(long), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (samples == MAP_FAILED)
        return 1;
    memset(samples, 1, (SAMPLES_MAX + 2) * sizeof(long));
    hog_pages = samples + SAMPLES_MAX;
    hog_last = hog_pages + 1;
    long overhead = overhead_measure();
    double tick = nanoseconds ? tick_measure() : 1;
    for (int i = 0; i < MEASURES; i++)
        if (is_wanted(&measures[i], argv + first))
            good &= measure_run(&measures[i], overhead, tick);
    return good ? 0 : 1;
}
