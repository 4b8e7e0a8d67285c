// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// F2: the stack grows on demand down to RLIMIT_STACK; beyond it comes SIGSEGV, which a handler on the
// alternate stack survives.
#include "catch.h"
#include "child.h"
#include "observe.h"

static char *deepest;
static long depth_wanted;

// Goes down 1 KiB a call, until depth_wanted bytes below `top`.
static __attribute__((noinline)) int descend(char *top)
{
    volatile char frame[1024];
    frame[0] = 1;
    deepest = (char *)frame;
    int below = top - (char *)frame < depth_wanted ? descend(top) : 0;
    return below + frame[0]; // not a tail call
}

static void descend_from(void *top)
{
    descend(top);
}

static void limit_low(void *arg)
{
    struct rlimit limit;
    char top;
    (void)arg;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 2 * MIB;
    setrlimit(RLIMIT_STACK, &limit);
    depth_wanted = 4 * MIB;
    struct caught caught = catch(descend_from, &top);
    long depth = &top - deepest;
    _exit(caught.signal == SIGSEGV && depth > MIB && depth < 2 * MIB + 128 * 1024 ? 0 : 1);
}

#define GUARD (256 * PAGE)

// How near to a page below it, which `prot` lets access, the stack can come: the pages that stay free.
static void neighbour(void *arg)
{
    char *here = (char *)((long)&arg & -PAGE), *page = here - 700 * PAGE;
    int prot = (int)(long)arg;
    if (mmap(page, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != page)
        _exit(2);
    if (catch(touch_write, page + PAGE + GUARD).signal != 0)
        _exit(3);
    struct caught caught = catch(touch_write, page + GUARD);
    _exit(caught.signal == (prot ? SIGSEGV : 0) && (!prot || caught.code == SEGV_MAPERR) ? 0 : 4);
}

static void overflow_without_handler(void *arg)
{
    char top;
    (void)arg;
    depth_wanted = GIB;
    descend(&top);
}

int main(void)
{
    char top;
    tap_begin();
    observe_settle();
    struct rlimit limit;
    is(getrlimit(RLIMIT_STACK, &limit), 0, "F2 RLIMIT_STACK can be read");
    is(limit.rlim_cur, 8 * MIB, "F2 it is 8 MiB");

    is(child_run(limit_low, NULL), 0, "F2 a lower RLIMIT_STACK ends it earlier");

    is(child_run(neighbour, (void *)PROT_READ), 0, "F2 it stays 256 pages away from what is mapped below it");
    is(child_run(neighbour, (void *)PROT_NONE), 0, "F2 but not from what nobody can access");

    long rss = rss_at(&top), size = smaps(0, &top, "\nSize:"), count = faults();
    depth_wanted = 4 * MIB;
    is(catch(descend_from, &top).signal, 0, "F2 four MiB of stack can be used");
    count = faults() - count;
    between(4 * 256 - 48, rss_at(&top) - rss, 4 * 256 + 8, "F2 RSS of the stack grows by them");
    between(4 * 1024 - 192, smaps(0, &top, "\nSize:") - size, 4 * 1024 + 256,
            "F2 the mapping grows with them");
    between(4 * 256 - 48, count, 4 * 256 + 40, "F2 one minor fault a page");
    count = faults();
    catch(descend_from, &top);
    between(0, faults() - count, 4, "F2 the same depth again takes no fault");

    depth_wanted = GIB;
    struct caught caught = catch(descend_from, &top);
    long depth = &top - deepest;
    is(caught.signal, SIGSEGV, "F2 runaway recursion ends in SIGSEGV, caught on the alternate stack");
    between(7 * MIB, depth, 8 * MIB + 64 * 1024, "F2 after the 8 MiB of RLIMIT_STACK");
    between(-16384, deepest - caught.addr, 16384, "F2 si_addr is where the stack ended");
    caught = catch(descend_from, &top);
    is(caught.signal, SIGSEGV, "F2 it can happen again");

    ok(killed_by(child_run(overflow_without_handler, NULL), SIGSEGV), "F2 without alternate stack it kills");
    return tap_end();
}
