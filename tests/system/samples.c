// SPDX-License-Identifier: MIT
/*
 * samples.c: for trace.t: does things to memory, and after each says what /proc says at that moment.
 *
 * A sample is taken twice, and the second one counts: by then all pages that taking it touches are there, so between
 * the mark in the trace and the sample nothing happens.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define FILES 5

static const char *const names[FILES] = {
    "/proc/self/statm", "/proc/lazy/faults", "/proc/lazy/tables", "/proc/lazy/frames", "/proc/meminfo"
};
static char text[FILES][4 * PAGE];
static char output[FILES * sizeof(text[0])];
static int files[FILES], trace;

static void take(int number)
{
    char mark[32];
    size_t length = (size_t)snprintf(mark, sizeof(mark), "mark %d", number);

    if (write(trace, mark, length) != (ssize_t)length)
        exit(9);
    for (int i = 0; i < FILES; i++) {
        ssize_t n = pread(files[i], text[i], sizeof(text[i]) - 1, 0);
        if (n < 0)
            exit(8);
        text[i][n] = '\0';
    }
}

/* Lines of all files, blanks and all, after a line that says which sample it is. */
static void sample(const char *what)
{
    static int number;

    take(-1);
    take(++number);
    int length = snprintf(output, sizeof(output), "@sample %d %d %s\n", getpid(), number, what);
    for (int i = 0; i < FILES; i++)
        length += snprintf(output + length, sizeof(output) - (size_t)length, "%s", text[i]);
    length += snprintf(output + length, sizeof(output) - (size_t)length, "@end\n");
    if (write(1, output, (size_t)length) != length)
        exit(7);
}

static char *map(size_t pages, int flags)
{
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

    if (memory == MAP_FAILED)
        exit(6);
    return memory;
}

/* Write (or read) every `step`th page. */
static void touch(volatile char *memory, size_t pages, size_t step, int is_write)
{
    for (size_t i = 0; i < pages; i += step) {
        if (is_write)
            memory[i * PAGE] = 1;
        else
            (void)memory[i * PAGE];
    }
}

/* Runs when the parent has let it: two at once would disturb each other's samples. */
static void child_run(int turn, char *memory, char *shared)
{
    char byte;

    if (read(turn, &byte, 1) != 1)
        exit(5);
    files[0] = open(names[0], O_RDONLY); /* "self" was the parent */
    sample("child is born");
    touch(memory, 600, 7, 1);
    touch(shared, 40, 3, 1);
    sample("child has written");
    munmap(memory + 100 * PAGE, 200 * PAGE);
    madvise(memory, 50 * PAGE, MADV_DONTNEED);
    sample("child has given back");
    _exit(0);
}

int main(void)
{
    for (int i = 0; i < FILES; i++)
        files[i] = open(names[i], O_RDONLY);
    trace = open("/proc/lazy/trace", O_WRONLY);
    sample("start");

    char *memory = map(1200, MAP_PRIVATE), *shared = map(64, MAP_SHARED);
    sample("promises");
    touch(memory, 1200, 3, 0);
    sample("reads");
    touch(memory, 1200, 2, 1);
    sample("writes");
    touch(shared, 64, 2, 1);
    sample("shared memory");
    mprotect(memory + 300 * PAGE, 10 * PAGE, PROT_READ);
    mprotect(memory + 300 * PAGE, 10 * PAGE, PROT_READ | PROT_WRITE);
    sample("protected and back");
    touch(map(300, MAP_PRIVATE), 300, 1, 1);
    sample("one page after the other");

    int turn[2];
    if (pipe(turn))
        return 4;
    pid_t child = fork();
    if (!child)
        child_run(turn[0], memory, shared);
    touch(memory, 600, 5, 1);
    sample("parent has written");
    if (write(turn[1], "", 1) != 1)
        return 4;
    waitpid(child, NULL, 0);
    sample("child is gone");
    touch(memory, 1200, 4, 1);
    sample("reuse");

    char *moved = mremap(memory + 512 * PAGE, 256 * PAGE, 400 * PAGE, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return 5;
    sample("moved");
    touch(moved, 400, 1, 1);
    sample("moved and written");
    madvise(moved, 400 * PAGE, MADV_FREE);
    touch(moved, 100, 1, 1);
    sample("given up");
    char *heap = malloc(64 * PAGE), *populated = mmap(NULL, 30 * PAGE, PROT_READ | PROT_WRITE,
                                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (!heap || populated == MAP_FAILED)
        return 4;
    memset(heap, 1, 64 * PAGE);
    sample("heap");
    free(heap);
    munmap(memory, 1200 * PAGE);
    munmap(shared, 64 * PAGE);
    sample("unmapped");
    return 0;
}
