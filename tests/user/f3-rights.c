// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// F3: text and read-only data cannot be written, data and stack cannot be run, NULL cannot be touched.
#include "catch.h"
#include "observe.h"

static const char constant[64] = "read-only data";
static char data[64] = "\xc3"; // a `ret`
static char zeroed[64];

static int twice(int x)
{
    return 2 * x;
}

int main(void)
{
    tap_begin();
    char stack[16] = "\xc3";
    char *mapped = region_map(1);
    char *heap = malloc(100);
    mapped[0] = heap[0] = zeroed[0] = '\xc3';

    catches(touch_write, (void *)twice, SIGSEGV, SEGV_ACCERR, "F3 text cannot be written");
    catches(touch_write, constant, SIGSEGV, SEGV_ACCERR, "F3 read-only data cannot be written");
    catches(touch_run, data, SIGSEGV, SEGV_ACCERR, "F3 data cannot be run");
    catches(touch_run, zeroed, SIGSEGV, SEGV_ACCERR, "F3 bss cannot be run");
    catches(touch_run, heap, SIGSEGV, SEGV_ACCERR, "F3 the heap cannot be run");
    catches(touch_run, stack, SIGSEGV, SEGV_ACCERR, "F3 the stack cannot be run");
    catches(touch_run, mapped, SIGSEGV, SEGV_ACCERR, "F3 a mapping without PROT_EXEC cannot be run");
    catches(touch_read, NULL, SIGSEGV, SEGV_MAPERR, "F3 NULL cannot be read");
    catches(touch_write, NULL, SIGSEGV, SEGV_MAPERR, "F3 NULL cannot be written");
    catches(touch_run, NULL, SIGSEGV, SEGV_MAPERR, "F3 NULL cannot be called");
    catches(touch_read, (void *)4000, SIGSEGV, SEGV_MAPERR, "F3 nor a member of a structure at NULL");

    mprotect(mapped, PAGE, PROT_READ | PROT_EXEC);
    is(catch(touch_run, mapped).signal, 0, "F3 with PROT_EXEC the same bytes run");
    is(twice(4) + constant[0], 8 + 'r', "F3 text and constants are as they were");
    return tap_end();
}
