// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
// subject: processes
//
// FPU, SSE and AVX state belongs to the process: it survives task switches and signal handlers, a
// child inherits it, and a new program sees none of it.
#include <immintrin.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "child.h"
#include "observe.h"

static const char *self;
static bool have_avx;

// Loads all vector registers with values made from `seed`.
static inline __attribute__((always_inline)) void vectors_load(long seed)
{
    double block[4] __attribute__((aligned(32))) = {seed, seed + 1, seed + 2, seed + 3};
    if (have_avx)
        __asm__ volatile(
            "vmovapd %0, %%ymm0\n\tvmovapd %%ymm0, %%ymm7\n\tvmovapd %%ymm0, %%ymm15" ::"m"(block)
            : "xmm0", "xmm7", "xmm15");
    else
        __asm__ volatile("movapd %0, %%xmm0\n\tmovapd %%xmm0, %%xmm7\n\tmovapd %%xmm0, %%xmm15" ::"m"(block)
                         : "xmm0", "xmm7", "xmm15");
}

// True if they still hold what vectors_load(seed) put there.
static inline __attribute__((always_inline)) bool vectors_hold(long seed)
{
    double out[3][4] __attribute__((aligned(32))) = {{0}};
    if (have_avx)
        __asm__ volatile("vmovapd %%ymm0, %0\n\tvmovapd %%ymm7, %1\n\tvmovapd %%ymm15, %2"
                         : "=m"(out[0]), "=m"(out[1]), "=m"(out[2]));
    else
        __asm__ volatile("movapd %%xmm0, %0\n\tmovapd %%xmm7, %1\n\tmovapd %%xmm15, %2"
                         : "=m"(out[0]), "=m"(out[1]), "=m"(out[2]));
    bool good = true;
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < (have_avx ? 4 : 2); i++)
            good &= out[r][i] == seed + i;
    return good;
}

// Keeps vectors, MXCSR and the x87 unit loaded through many switches, voluntary and forced.
static __attribute__((noinline)) long state_keeps(long seed)
{
    unsigned mxcsr = 0x1f80 | (unsigned)(seed & 3) << 13, mxcsr_now; // the rounding mode
    unsigned short control = 0x037f, control_now;
    double in = seed * 1.5, out;
    long wrong = 0;
    for (int round = 0; round < 200; round++) {
        __asm__ volatile("ldmxcsr %0\n\tfldcw %1\n\tfldl %2" ::"m"(mxcsr), "m"(control), "m"(in));
        vectors_load(seed + round);
        if (round % 2) {
            long result;
            __asm__ volatile("syscall" : "=a"(result) : "a"(24l /* sched_yield */) : "rcx", "r11", "memory");
        } else {
            for (volatile long i = 0; i < 30000; i++) // long enough to be preempted now and then
                ;
        }
        wrong += !vectors_hold(seed + round);
        __asm__ volatile("fstpl %0\n\tstmxcsr %1\n\tfnstcw %2"
                         : "=m"(out), "=m"(mxcsr_now), "=m"(control_now));
        wrong += out != in || mxcsr_now != mxcsr || control_now != control;
    }
    __asm__ volatile("ldmxcsr %0" ::"m"((unsigned){0x1f80}));
    return wrong;
}

static void child_keeps(struct link *link, void *seed)
{
    hear(link);
    say(link, state_keeps((long)seed));
}

static void handler_spoils(int signal)
{
    vectors_load(-signal);
}

static void signal_check(void)
{
    signal(SIGUSR1, handler_spoils);
    pid_t me = getpid();
    long result;
    vectors_load(99);
    __asm__ volatile("syscall" : "=a"(result) : "a"(62l /* kill */), "D"((long)me), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory");
    bool good = vectors_hold(99);
    ok(good, "vector registers survive a signal handler that uses them");
}

static void inherit_check(void)
{
    long pid;
    vectors_load(7);
    __asm__ volatile("syscall" : "=a"(pid) : "a"(57l /* fork */) : "rcx", "r11", "memory");
    bool good = vectors_hold(7);
    if (pid == 0)
        _exit(good ? 0 : 1);
    int status;
    waitpid(pid, &status, 0);
    ok(good, "vector registers survive fork in the parent");
    is(status, 0, "the child inherits them");
}

// The parts of the legacy area that no register lies in (SDM vol. 1, 10.5.1), but for those that are software's.
static const struct {
    int start, size;
} unused[] = {{5, 1}, {42, 6}, {58, 6}, {74, 6}, {90, 6}, {106, 6}, {122, 6}, {138, 6}, {154, 6}, {416, 48}};

static volatile long strange;

static void handler_counts(int signal, siginfo_t *info, void *context)
{
    const char *area = (const char *)((ucontext_t *)context)->uc_mcontext.fpregs;
    (void)signal, (void)info;
    for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
        for (int at = 0; at < unused[i].size; at++)
            strange += area[unused[i].start + at] != 0;
}

static void child_shows(struct link *link, void *arg)
{
    (void)arg;
    raise(SIGUSR2);
    say(link, strange);
    hear(link);
}

// Memory that held something becomes the areas of many children: what no register fills must not show it.
static void leak_check(void)
{
    enum { CHILDREN = 40 };
    size_t size = 100l << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct link links[CHILDREN];
    long sum = 0;
    memset(memory, 0xa5, size);
    munmap(memory, size);
    sigaction(SIGUSR2, &(struct sigaction){.sa_sigaction = handler_counts, .sa_flags = SA_SIGINFO}, NULL);
    for (int i = 0; i < CHILDREN; i++)
        links[i] = child_start(child_shows, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        sum += hear(&links[i]);
        say(&links[i], 0);
        child_end(&links[i]);
    }
    is(sum, 0, "what a signal's frame has between the registers tells nothing of before");
}

// In the new program: exits with the number of marks found in registers that nothing here has set.
static int fresh_main(const double *seen)
{
    int marks = 0;
    for (int i = 0; i < 8; i++)
        marks += seen[i] == 12345.0;
    return marks;
}

static void becomes_fresh(void *arg)
{
    double mark[4] __attribute__((aligned(32))) = {12345, 12345, 12345, 12345};
    (void)arg;
    __asm__ volatile("movapd %0, %%xmm12\n\tmovapd %%xmm12, %%xmm13\n\tmovapd %%xmm12, %%xmm14\n\t"
                     "movapd %%xmm12, %%xmm15" ::"m"(mark) : "xmm12", "xmm13", "xmm14", "xmm15");
    execl(self, self, "fresh", NULL);
}

int main(int argc, char **argv)
{
    double seen[8];
    __asm__ volatile("movupd %%xmm12, %0\n\tmovupd %%xmm13, %1\n\tmovupd %%xmm14, %2\n\tmovupd %%xmm15, %3"
                     : "=m"(*(__m128d *)&seen[0]), "=m"(*(__m128d *)&seen[2]), "=m"(*(__m128d *)&seen[4]),
                       "=m"(*(__m128d *)&seen[6]));
    if (argc > 1)
        return fresh_main(seen);
    self = argv[0];
    tap_begin();
    have_avx = __builtin_cpu_supports("avx");
    tap_note(have_avx ? "AVX is on" : "no AVX here: SSE only");

    struct link links[3];
    for (long i = 0; i < 3; i++)
        links[i] = child_start(child_keeps, (void *)(1000 * (i + 1)));
    for (int i = 0; i < 3; i++)
        say(&links[i], 1);
    is(state_keeps(50000), 0, "a process keeps its vectors, MXCSR and x87 state among three others");
    for (int i = 0; i < 3; i++) {
        is(hear(&links[i]), 0, "child %d keeps its own", i + 1);
        is(child_end(&links[i]), 0, "and ends well");
    }
    signal_check();
    inherit_check();
    leak_check();
    is(child_run(becomes_fresh, NULL), 0, "a new program finds none of the old one's values");
    return tap_end();
}
