// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// O5: a call that fails leaves no charge behind, in any mode; exit gives all back; what a child owes is
// what its parent owed.
#define _GNU_SOURCE // mremap
#include <sys/syscall.h>

#include "sysctl.h"
#include "child.h"
#include "observe.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SIZE (8 * MIB)
#define BEYOND (1l << 45) // bytes that only mode 1 would promise
#define NOWHERE (1l << 48)

static long committed(void)
{
    return meminfo("Committed_AS:");
}

// Makes `call`, which must fail with `error`, and looks at the ledger.
#define LEAVES_NOTHING(call, error, what)                                                                    \
    do {                                                                                                     \
        long before_ = committed();                                                                          \
        long got_ = (long)(call);                                                                            \
        int error_ = got_ == -1 ? errno : 0;                                                                 \
        long moved_ = committed() - before_;                                                                 \
        if (!ok(error_ == (error) && moved_ == 0, "O5 %s: fails and leaves no charge", what))                \
            tap_note("returned %ld with errno %d, ledger moved by %ld kB", got_, error_, moved_);            \
    } while (0)

static void failed_calls(int mode)
{
    tap_note("overcommit_memory %d", mode);
    knob_need("overcommit_memory", mode);
    char *memory = mmap(NULL, SIZE, RW, PRIVATE, -1, 0), *constant;
    char *gap = mmap(NULL, 2 * SIZE, PROT_READ, PRIVATE, -1, 0);
    munmap(gap + SIZE, PAGE);
    LEAVES_NOTHING(mmap(NULL, NOWHERE, RW, PRIVATE, -1, 0), ENOMEM, "mmap beyond the address space");
    LEAVES_NOTHING(mmap((void *)(1l << 47), SIZE, RW, PRIVATE | MAP_FIXED, -1, 0), ENOMEM,
                   "mmap at an address beyond");
    LEAVES_NOTHING(mmap(memory, SIZE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0), EEXIST,
                   "mmap over something, MAP_FIXED_NOREPLACE");
    LEAVES_NOTHING(mmap(NULL, SIZE, RW, MAP_PRIVATE, 99, 0), EBADF, "mmap of no file");
    LEAVES_NOTHING(mremap(memory, SIZE, NOWHERE, MREMAP_MAYMOVE), ENOMEM, "mremap beyond the address space");
    LEAVES_NOTHING(mremap(memory + SIZE, SIZE, 2 * SIZE, 0), EFAULT, "mremap of nothing, or of something else");
    LEAVES_NOTHING(mremap(gap, 2 * SIZE, 3 * SIZE, MREMAP_MAYMOVE), EFAULT, "mremap across a hole");
    constant = mmap(NULL, BEYOND, PROT_READ, PRIVATE, -1, 0);
    if (mode != 1) {
        LEAVES_NOTHING(mmap(NULL, BEYOND, RW, PRIVATE, -1, 0), ENOMEM, "mmap beyond the limit");
        LEAVES_NOTHING(mmap(NULL, BEYOND, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), ENOMEM,
                       "shared mmap beyond the limit");
        LEAVES_NOTHING(mremap(memory, SIZE, BEYOND, MREMAP_MAYMOVE), ENOMEM, "mremap beyond the limit");
        LEAVES_NOTHING(mprotect(constant, BEYOND, RW), ENOMEM, "mprotect beyond the limit");
    }
    munmap(constant, BEYOND);
    long before = committed(), end = syscall(SYS_brk, 0);
    is(syscall(SYS_brk, end + (mode == 1 ? NOWHERE : BEYOND)), end,
       "O5 brk beyond what there is returns the old break");
    is(committed(), before, "O5 and leaves no charge");
    munmap(memory, SIZE);
    munmap(gap, 2 * SIZE);
}

// mprotect over a range with a hole: what lies before the hole is changed, and stays charged.
static void half_protected(void)
{
    long before = committed();
    char *at = mmap(NULL, 3 * SIZE, PROT_READ, PRIVATE, -1, 0);
    munmap(at + SIZE, SIZE);
    fails(mprotect(at, 3 * SIZE, RW), ENOMEM, "O5 mprotect across a hole fails");
    is(committed() - before, SIZE / 1024, "O5 the part before the hole was made writable and is charged");
    munmap(at, 3 * SIZE);
    is(committed(), before, "O5 munmap gives that back");
}

static void owes_and_waits(struct link *link, void *arg)
{
    (void)arg;
    char *own = mmap(NULL, SIZE, RW, PRIVATE, -1, 0);
    region_write(own, 10, 1);
    say(link, 0);
    hear(link);
}

static void owes_and_dies(void *arg)
{
    (void)arg;
    mmap(NULL, SIZE, RW, PRIVATE, -1, 0);
    mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    raise(SIGKILL);
}

static void children(void)
{
    long before = committed();
    char *memory = mmap(NULL, SIZE, RW, PRIVATE, -1, 0);
    struct link link = child_start(owes_and_waits, NULL);
    hear(&link);
    between(3 * SIZE / 1024, committed() - before, 3 * SIZE / 1024 + 2048,
            "O5 fork charges what the parent owes, and the child's own comes on top");
    kill(link.pid, SIGKILL);
    child_end(&link);
    is(committed() - before, SIZE / 1024, "O5 a killed child owes nothing");
    is(child_run(owes_and_dies, NULL), SIGKILL, "O5 one that kills itself");
    is(committed() - before, SIZE / 1024, "O5 owes nothing either");
    munmap(memory, SIZE);
    is(committed(), before, "O5 the ledger is where it began");
}

// The stack is charged as it grows.
static __attribute__((noinline)) int deep(int depth)
{
    volatile char frame[4096];
    frame[0] = 1;
    return (depth ? deep(depth - 1) : 0) + frame[0];
}

static void stack(void)
{
    long before = committed(), size = vsz_all() * 4;
    deep(512);
    long grown = vsz_all() * 4 - size;
    between(1024, grown, 4096, "O5 the stack grows by a megabyte and more");
    is(committed() - before, grown, "O5 and is charged by what its mapping grows");
}

int main(void)
{
    knobs_guard();
    tap_begin();
    observe_settle();
    syscall(SYS_brk, 0);
    for (int mode = 0; mode <= 2; mode++)
        failed_calls(mode);
    knob_need("overcommit_memory", 0);
    half_protected();
    children();
    stack();
    return tap_end();
}
