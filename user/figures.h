// SPDX-License-Identifier: MIT
//
// Live figures for the programs in user/: how much a process has been promised (VSZ), how much it
// holds (RSS), how often it had to be helped (minor faults), and what the machine has left.
//
// RSS is summed from /proc/self/smaps, which is exact on Linux too (statm lags there). Nothing here
// allocates, so looking does not change what is seen; look once before the first figure that counts.
#ifndef USER_FIGURES_H
#define USER_FIGURES_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define KIB 1024L
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

struct figures {
    long vsz, rss;  // KiB of this process
    long faults;    // minor faults of this process
    long free;      // KiB of the machine
};

// A file as a string in a static buffer; ends the program if it cannot be read.
static inline char *file_text(const char *path)
{
    static char text[64 * 1024];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    size_t size = 0;
    ssize_t n;
    while (size < sizeof(text) - 1 && (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
        size += n;
    close(fd);
    text[size] = 0;
    return text;
}

// The number after `key` in a file, in the file's unit (kB); 0 if there is none.
static inline long file_number(const char *path, const char *key)
{
    char *at = strstr(file_text(path), key);
    return at ? strtol(at + strlen(key), NULL, 10) : 0;
}

// Writes a number to a file; ends the program if it cannot.
static inline void number_write(const char *path, long value)
{
    FILE *file = fopen(path, "w");
    if (!file || fprintf(file, "%ld\n", value) < 0 || fclose(file)) {
        perror(path);
        exit(1);
    }
}

// The mode of overcommit, for the programs that change it and put it back.
#define OVERCOMMIT_MODE "/proc/sys/vm/overcommit_memory"

static inline struct figures figures_now(void)
{
    struct figures now = {0};
    struct rusage usage;
    for (char *at = file_text("/proc/self/smaps"); (at = strstr(at, "\nRss:")); at += 5)
        now.rss += strtol(at + 5, NULL, 10);
    now.vsz = strtol(file_text("/proc/self/statm"), NULL, 10) * 4;
    now.free = file_number("/proc/meminfo", "MemFree:");
    getrusage(RUSAGE_SELF, &usage);
    now.faults = usage.ru_minflt;
    return now;
}

// Opens a program: lines go out at once, huge pages are off (Linux), the figures' own pages are in.
static inline void figures_begin(const char *title)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    printf("\n%s\n\n", title);
    figures_now();
    figures_now();
}

// A row: what has grown since `start`.
static inline void figures_row(const char *what, struct figures start)
{
    struct figures now = figures_now();
    printf("%-34s %7ld KiB %7ld KiB %9ld\n", what, now.vsz - start.vsz, now.rss - start.rss,
           now.faults - start.faults);
}

// Opens a table with a first row of noughts; returns the figures that the later rows start from.
static inline struct figures figures_table(void)
{
    printf("%-34s %11s %11s %9s\n", "", "promised", "held (RSS)", "faults");
    figures_row("at the start", figures_now());
    return figures_now();
}

// Fresh anonymous memory; ends the program if it is refused. Reserves nothing, so a small machine
// promises it as well.
static inline char *memory_map(size_t size)
{
    char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

// Writes one byte into each of `pages` pages, `step` pages apart.
static inline void pages_write(volatile char *memory, long pages, long step, char value)
{
    for (long i = 0; i < pages; i++)
        memory[i * step * PAGE] = value;
}

// Reads one byte of each page; returns the sum.
static inline long pages_read(const volatile char *memory, long pages, long step)
{
    long sum = 0;
    for (long i = 0; i < pages; i++)
        sum += memory[i * step * PAGE];
    return sum;
}

#endif
