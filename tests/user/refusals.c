// SPDX-License-Identifier: MIT
// ram: 512M  time: 60
// not-with: zfod=off
//
// O2, O3, O4: what each mode of overcommit refuses. The largest request that passes, looked for to the
// page; many requests together; fork, mprotect and brk beyond the limit.
#include <sys/syscall.h>

#include "sysctl.h"
#include "child.h"
#include "observe.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define SPACE (1l << 46) // bytes: what only the address space bounds is larger than this
#define EACH (64 * MIB)
#define MANY 100         // mappings of EACH at once; Linux takes 100,000 and more

// Linux adds to the ledger in batches of up to 32 pages.
#define SLACK (on_lazybones() ? 0 : 64l)

static bool can_map(long pages, int prot, int flags)
{
    char *at = mmap(NULL, pages * PAGE, prot, flags, -1, 0);
    if (at == MAP_FAILED)
        return false;
    munmap(at, pages * PAGE);
    return true;
}

// Pages of the largest single mapping that passes.
static long largest(int prot, int flags)
{
    long low = 0, high = 1l << 35;
    while (high - low > 1) {
        long middle = (low + high) / 2;
        if (can_map(middle, prot, flags))
            low = middle;
        else
            high = middle;
    }
    return low;
}

// Pages that may still be promised in mode 2 to a single request: see __vm_enough_memory in the manual
// page proc(5), overcommit_memory: root keeps a reserve for the machine's sake.
static long strict_room(void)
{
    long limit = meminfo("CommitLimit:") / 4, committed = meminfo("Committed_AS:") / 4;
    long reserve = knob("user_reserve_kbytes") / 4, share = vsz_all() / 32;
    return limit - committed - (share < reserve ? share : reserve) - 1;
}

static void unbounded(int prot, int flags, const char *what)
{
    ok(largest(prot, flags) * PAGE > SPACE, "%s: only the address space bounds it", what);
}

static void bounded(long want, int prot, int flags, const char *what)
{
    between(want - SLACK, largest(prot, flags), want + SLACK, "%s: no more than that in one request", what);
}

// How many mappings of 64 MiB can be held at once, up to MANY.
static int many(void)
{
    static char *at[MANY];
    int count = 0;
    while (count < MANY && (at[count] = mmap(NULL, EACH, RW, PRIVATE, -1, 0)) != MAP_FAILED)
        count++;
    for (int i = 0; i < count; i++)
        munmap(at[i], EACH);
    return count;
}

// errno of making `size` bytes of read-only memory writable; 0 if it passes.
static int protect_writable(long size)
{
    char *at = mmap(NULL, size, PROT_READ, PRIVATE, -1, 0);
    int error = mprotect(at, size, RW) ? errno : 0;
    munmap(at, size);
    return error;
}

static bool brk_grows(long size)
{
    long end = syscall(SYS_brk, 0), got = syscall(SYS_brk, end + size);
    syscall(SYS_brk, end);
    return got == end + size;
}

// errno of fork with `size` bytes of untouched writable memory; 0 if it passes.
static int fork_with(long size)
{
    char *at = mmap(NULL, size, RW, PRIVATE, -1, 0);
    if (at == MAP_FAILED)
        return -1;
    pid_t pid = fork();
    int error = pid < 0 ? errno : 0;
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    munmap(at, size);
    return error;
}

static void mode_0(long committed)
{
    long total = meminfo("MemTotal:") / 4 + meminfo("SwapTotal:") / 4;
    knob_need("overcommit_memory", 0);
    is(largest(RW, PRIVATE), total, "O2 one writable request: all of RAM and swap, not a page more");
    is(largest(RW, SHARED), total, "O2 shared memory: the same");
    unbounded(PROT_READ, PRIVATE, "O2 read-only");
    unbounded(PROT_NONE, PRIVATE, "O2 PROT_NONE");
    unbounded(RW, PRIVATE | MAP_NORESERVE, "O2 MAP_NORESERVE");
    unbounded(RW, SHARED | MAP_NORESERVE, "O2 shared with MAP_NORESERVE");
    is(many(), MANY, "O2 the sum is not limited: %d mappings of 64 MiB", MANY);
    is(fork_with(total * PAGE * 3 / 4), 0, "O2 fork with three quarters of RAM promised");
    is(protect_writable((total + 1) * PAGE), ENOMEM, "O2 mprotect to writable beyond RAM");
    is(protect_writable(total * PAGE), 0, "O2 mprotect to writable of all of RAM");
    is(brk_grows((total + 1) * PAGE), 0, "O2 brk beyond RAM");
    is(meminfo("Committed_AS:"), committed, "O2 the ledger is as before");
}

static void mode_1(long committed)
{
    knob_need("overcommit_memory", 1);
    unbounded(RW, PRIVATE, "O3 writable");
    unbounded(RW, SHARED, "O3 shared");
    unbounded(PROT_READ, PRIVATE, "O3 read-only");
    unbounded(RW, PRIVATE | MAP_NORESERVE, "O3 MAP_NORESERVE");
    is(many(), MANY, "O3 %d mappings of 64 MiB", MANY);
    is(fork_with(600 * MIB), 0, "O3 fork with more than all RAM promised");
    is(protect_writable(600 * MIB), 0, "O3 mprotect to writable beyond RAM");
    is(brk_grows(600 * MIB), 1, "O3 brk beyond RAM");
    is(meminfo("Committed_AS:"), committed, "O3 the ledger is as before");
}

static void mode_2(const char *limit)
{
    long room = strict_room(), committed = meminfo("Committed_AS:");
    tap_note("mode 2, CommitLimit %ld kB (%s), Committed_AS %ld kB", meminfo("CommitLimit:"), limit, committed);
    bounded(room, RW, PRIVATE, "O4 writable");
    bounded(room, RW, SHARED, "O4 shared");
    bounded(room, RW, PRIVATE | MAP_NORESERVE, "O4 MAP_NORESERVE is ignored");
    unbounded(PROT_READ, PRIVATE, "O4 read-only");
    unbounded(PROT_NONE, PRIVATE, "O4 PROT_NONE");
    between((room - 512) * PAGE / EACH, many(), (room + SLACK) * PAGE / EACH, "O4 the sum is limited");
    is(fork_with(room * PAGE * 5 / 8), ENOMEM, "O4 fork charges the child in full: ENOMEM");
    is(fork_with(room * PAGE * 3 / 8), 0, "O4 fork passes where both have room");
    is(protect_writable((room + 100) * PAGE), ENOMEM, "O4 mprotect to writable beyond the limit");
    is(brk_grows((room + 100) * PAGE), 0, "O4 brk beyond the limit");
    char *block = malloc((room + 1000) * PAGE);
    ok(!block, "O4 malloc beyond the limit is NULL");
    free(block);
    is(meminfo("Committed_AS:"), committed, "O4 the ledger is as before");
}

// A process that stands at the limit still runs, forks small children, and nobody is killed.
static void at_the_limit(void)
{
    long room = strict_room(), kills = observe_number(observe_file("/proc/vmstat"), "\noom_kill ");
    long pages = room - 2048;
    char *at = mmap(NULL, pages * PAGE, PROT_READ, PRIVATE, -1, 0), *rest;
    is(mprotect(at, pages * PAGE, RW), 0, "O4 a process fills the ledger up to 8 MiB");
    region_write(at, 1000, 1);
    rest = mmap(NULL, 16 * MIB, RW, PRIVATE, -1, 0);
    ok(rest == MAP_FAILED && errno == ENOMEM, "O4 it gets no more");
    pid_t pid = fork();
    is(pid < 0 ? errno : 0, ENOMEM, "O4 it cannot fork");
    if (pid == 0)
        _exit(0);
    is(region_read(at, 1000), 1000, "O4 it goes on");
    munmap(at, pages * PAGE);
    is(observe_number(observe_file("/proc/vmstat"), "\noom_kill "), kills, "O4 nothing was killed");
}

int main(void)
{
    knobs_guard();
    tap_begin();
    observe_settle();
    knob("overcommit_memory");
    free(malloc(100));
    long committed = meminfo("Committed_AS:");
    mode_0(committed);
    mode_1(committed);
    knob_need("overcommit_memory", 2);
    mode_2("half of RAM");
    knob_need("overcommit_ratio", 80);
    mode_2("80 per cent");
    knob_need("overcommit_kbytes", 100000);
    mode_2("100000 kB");
    at_the_limit();
    return tap_end();
}
