// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// The commit ledger, seen through Committed_AS: what is charged, when, and that all is given back.
#include "child.h"
#include "observe.h"

#define SIZE (16 * MIB)
#define KB (SIZE / 1024)
#define RW (PROT_READ | PROT_WRITE)

static char *map(int prot, int flags)
{
    char *got = mmap(NULL, SIZE, prot, flags | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED)
        tap_bail("mmap");
    return got;
}

// Checks how far Committed_AS has moved since *committed (kB), and starts anew from here.
static void moved(long *committed, long want, const char *what)
{
    long now = meminfo("Committed_AS:");
    is(now - *committed, want, "%s: %+ld kB", what, want);
    *committed = now;
}

static void child_waits(struct link *link, void *arg)
{
    (void)arg;
    say(link, 1);
    hear(link);
}

int main(void)
{
    tap_begin();
    observe_settle();
    long committed = meminfo("Committed_AS:"), start = committed;

    char *private = map(RW, MAP_PRIVATE);
    moved(&committed, KB, "a private writable mapping is charged");
    char *shared = map(RW, MAP_SHARED);
    moved(&committed, KB, "shared anonymous memory is charged");
    char *constant = map(PROT_READ, MAP_PRIVATE);
    moved(&committed, 0, "a read-only mapping is not");
    char *reserved = map(RW, MAP_PRIVATE | MAP_NORESERVE);
    moved(&committed, 0, "MAP_NORESERVE is not");
    mprotect(constant, SIZE / 4, RW);
    moved(&committed, KB / 4, "a part made writable is");
    mprotect(constant, SIZE / 4, PROT_READ);
    moved(&committed, 0, "made read-only again it stays so");
    munmap(constant, SIZE / 8);
    moved(&committed, -KB / 8, "munmap of half of that part gives half back");
    munmap(private + SIZE / 4, SIZE / 2);
    moved(&committed, -KB / 2, "a hole gives its size back");
    madvise(private, SIZE / 4, MADV_DONTNEED);
    moved(&committed, 0, "MADV_DONTNEED gives nothing back");

    struct link link = child_start(child_waits, NULL);
    hear(&link);
    long forked = meminfo("Committed_AS:") - committed;
    between(KB / 2 + KB / 8, forked, KB / 2 + KB / 8 + 2048, "fork charges the private mappings once more");
    say(&link, 1);
    child_end(&link);
    moved(&committed, 0, "the child's exit gives them back");

    fails((long)mmap(NULL, 1l << 50, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM,
          "a request beyond all space fails");
    moved(&committed, 0, "it leaves no charge behind");
    munmap(private, SIZE);
    munmap(shared, SIZE);
    munmap(constant, SIZE);
    munmap(reserved, SIZE);
    is(meminfo("Committed_AS:"), start, "all unmapped, the ledger is where it began");
    return tap_end();
}
