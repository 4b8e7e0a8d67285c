// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
//
// Z6: what one process wrote and freed is never seen by another, nor by itself in new memory. One
// child fills most free frames with a mark and goes; whoever gets those frames must find zeroes.
#include <sys/syscall.h>

#include "child.h"
#include "observe.h"

#define MARK 0xdeadbeefcafef00dul

// Fills a fresh mapping of *pages pages with the mark and leaves it to exit to free them.
static void marks_leave(void *pages)
{
    long words = *(long *)pages * PAGE / 8;
    unsigned long *memory = mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    for (long i = 0; i < words; i++)
        memory[i] = MARK;
    _exit(memory[words - 1] == MARK ? 0 : 2);
}

// Counts the words that are not zero in `pages` fresh pages, writing to each page first if asked.
static long words_dirty(long pages, bool write_first)
{
    unsigned long *memory =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long dirty = 0;
    if (memory == MAP_FAILED)
        return -1;
    for (long i = 0; i < pages * PAGE / 8; i++) {
        if (write_first && i % 512 == 0)
            ((volatile unsigned long *)memory)[i] = 0;
        dirty += memory[i] != 0;
    }
    munmap(memory, pages * PAGE);
    return dirty;
}

// Exits with 0 if the frames that the heap and the stack grow into are clean.
static void heap_and_stack_look(void *pages)
{
    long size = *(long *)pages / 4 * PAGE;
    unsigned long *heap = (unsigned long *)syscall(SYS_brk, 0);
    if (syscall(SYS_brk, (char *)heap + size) != (long)heap + size)
        _exit(1);
    for (long i = 0; i < size / 8; i++) {
        if (i % 512 == 0)
            ((volatile unsigned long *)heap)[i + 1] = 0;
        if (heap[i] == MARK)
            _exit(2);
    }
    volatile unsigned long deep[64 * 1024]; // 512 KiB of stack, never written by this process
    for (int i = 0; i < 64 * 1024; i++) {
        if (i % 512 == 0)
            deep[i + 1] = 0;
        if (deep[i] == MARK)
            _exit(3);
    }
}

int main(void)
{
    tap_begin();
    observe_settle();
    long pages = frames_free() * 6 / 10;
    tap_note("%ld pages are marked", pages);

    is(child_run(marks_leave, &pages), 0, "Z6 a child fills 60 %% of the free frames with a mark");
    is(words_dirty(pages, true), 0, "Z6 memory written first holds nothing of it");
    is(words_dirty(1024, false), 0, "Z6 memory read first holds nothing of it");
    is(child_run(marks_leave, &pages), 0, "Z6 another child leaves its mark");
    is(child_run(heap_and_stack_look, &pages), 0, "Z6 heap and stack of a third hold nothing of it");

    unsigned long *mine = (unsigned long *)region_map(64);
    for (int i = 0; i < 64 * 512; i++)
        mine[i] = MARK;
    madvise(mine, 64 * PAGE, MADV_DONTNEED);
    ok(all_bytes((char *)mine, 64 * PAGE, 0), "Z6 memory dropped with MADV_DONTNEED comes back as zeroes");
    return tap_end();
}
