// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// F1: an access where nothing is mapped is SIGSEGV with SEGV_MAPERR, one without the right is SIGSEGV
// with SEGV_ACCERR; si_addr is the address to the byte. The program goes on after it.
#include "catch.h"
#include "child.h"
#include "observe.h"

static void dies(void *addr)
{
    touch_write(addr);
}

static void dies_ignoring(void *addr)
{
    signal(SIGSEGV, SIG_IGN);
    touch_write(addr);
}

static void dies_blocking(void *addr)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    touch_write(addr);
}

static void rights_check(void)
{
    char *page = region_map(3);
    mprotect(page, PAGE, PROT_NONE);
    mprotect(page + PAGE, PAGE, PROT_READ);
    catches(touch_read, page + 9, SIGSEGV, SEGV_ACCERR, "F1 read of PROT_NONE: ACCERR");
    catches(touch_write, page + 10, SIGSEGV, SEGV_ACCERR, "F1 write to PROT_NONE: ACCERR");
    catches(touch_write, page + PAGE + 4095, SIGSEGV, SEGV_ACCERR,
            "F1 write to read-only, never touched: ACCERR");
    is(catch(touch_read, page + PAGE).signal, 0, "F1 a read of read-only memory is none");
}

int main(void)
{
    tap_begin();
    char *page = region_map(4);
    region_write(page, 4, 'x');
    munmap(page + PAGE, PAGE);
    catches(touch_read, page + PAGE + 123, SIGSEGV, SEGV_MAPERR, "F1 read of an unmapped page: MAPERR");
    catches(touch_write, page + PAGE + 4095, SIGSEGV, SEGV_MAPERR, "F1 write to an unmapped page: MAPERR");
    catches(touch_run, page + PAGE + 16, SIGSEGV, SEGV_MAPERR, "F1 a jump to an unmapped page: MAPERR");
    is(page[0] + page[2 * PAGE], 2 * 'x', "F1 the neighbours are unharmed");

    rights_check();
    mprotect(page + 2 * PAGE, PAGE, PROT_READ);
    catches(touch_write, page + 2 * PAGE + 5, SIGSEGV, SEGV_ACCERR,
            "F1 write to a written page made read-only: ACCERR");
    is(page[2 * PAGE], 'x', "F1 it still holds its contents");

    catches(touch_read, (void *)0xffff800000000000, SIGSEGV, SEGV_MAPERR, "F1 the kernel's half: MAPERR");
    catches(touch_write, (void *)0xffffffff80000000, SIGSEGV, SEGV_MAPERR, "F1 the kernel's image: MAPERR");
    struct caught caught = catch(touch_read, (void *)0x4000000000000000);
    ok(caught.signal == SIGSEGV && caught.code == SI_KERNEL && caught.addr == NULL,
       "F1 a non-canonical address: SIGSEGV from the kernel, without address");

    ok(killed_by(child_run(dies, page + PAGE), SIGSEGV), "F1 without a handler it kills");
    ok(killed_by(child_run(dies_ignoring, page + PAGE), SIGSEGV), "F1 it cannot be ignored");
    ok(killed_by(child_run(dies_blocking, page + PAGE), SIGSEGV), "F1 it cannot be blocked");
    return tap_end();
}
