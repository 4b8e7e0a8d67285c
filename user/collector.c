// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// Two garbage collectors after fork: one marks objects in place, the other in a bitmap.
#include "user/figures.h"

#define PAGES 4096L // a heap of 16 MiB, one live object a page

static char *heap;
static unsigned char *bitmap;

static void mark_in_place(void)
{
    for (long i = 0; i < PAGES; i++)
        heap[i * PAGE] |= 1;
}

static void mark_in_bitmap(void)
{
    for (long i = 0; i < PAGES; i++)
        bitmap[i / 8] |= 1 << i % 8;
}

// KiB that this process holds alone.
static long held_alone(void)
{
    long sum = 0;
    for (char *at = file_text("/proc/self/smaps"); (at = strstr(at, "\nPrivate_Dirty:")); at++)
        sum += strtol(at + 15, NULL, 10);
    return sum;
}

// Forks a worker that collects once, as a pre-forking server's worker does.
static void worker(const char *how, void (*mark)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        held_alone(); // the pages that measuring needs are copied here
        struct figures before = figures_now();
        long alone = held_alone();
        mark();
        printf("%-28s %8ld faults %8ld KiB copied\n", how, figures_now().faults - before.faults,
               held_alone() - alone);
        exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(void)
{
    figures_begin("Two garbage collectors after fork, heap 16 MiB");
    heap = memory_map(PAGES * PAGE);
    bitmap = (unsigned char *)memory_map(PAGE);
    pages_write(heap, PAGES, 1, 2);
    bitmap[0] = 0;
    worker("marks in the objects", mark_in_place);
    worker("marks in a bitmap", mark_in_bitmap);
    printf("\nOne bit written into every object copies the whole heap, though no object has\n"
           "changed. The same bits side by side lie in one page.\n");
    return 0;
}
