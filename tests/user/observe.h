// SPDX-License-Identifier: MIT
//
// What memory looks like from outside: frames, page tables, RSS and fault counts, read from /proc
// and getrusage. Reading takes no memory itself: one static buffer, no malloc, no stdio.
//
// Exact and slack. Lazybones keeps exact counts, so there the slack is 0 for what only faults do. Slab
// frames are left out of every count of frames: the files that measuring opens come from them. Linux
// needs more correction and slack, all of it here:
//  - free frames wait on per-CPU lists that MemFree does not count: frames_free() adds them;
//  - its counters are batched per CPU: a write to /proc/sys/vm/stat_refresh folds them in;
//  - statm's and status's RSS lag by up to 63 pages: RSS is summed from smaps, which is exact;
//  - deferred frees (RCU) and kernel threads come and go: FRAMES_SLACK_LINUX.
#ifndef TESTS_USER_OBSERVE_H
#define TESTS_USER_OBSERVE_H

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tap.h"

#define PAGE 4096L
#define MIB (1024L * 1024)
#define GIB (1024L * MIB)
#define LEAF_SPAN (2 * MIB) // what one leaf table maps

#define FRAMES_SLACK_LINUX 64   // frames; measured: the noise stays under 40
#define FRAMES_SLACK_KERNEL 2   // frames; Lazybones, where processes, mappings or files come and go

static char observe_text[128 * 1024];

// The kernel names itself in uname: Lazybones has the word in one of these.
static inline bool on_lazybones(void)
{
    struct utsname name;
    uname(&name);
    return strstr(name.release, "azybones") || strstr(name.version, "azybones") ||
           strstr(name.sysname, "azybones");
}

// Slack for a measure in which only faults happened, in frames.
static inline long slack_faults(void)
{
    return on_lazybones() ? 0 : FRAMES_SLACK_LINUX;
}

// Slack for a measure in which kernel objects (processes, VMAs, files) came or went, in frames.
static inline long slack_objects(void)
{
    return on_lazybones() ? FRAMES_SLACK_KERNEL : FRAMES_SLACK_LINUX;
}

// Slack for a measure in which this many processes lived and died: Linux keeps what their objects
// were made of in its slabs.
static inline long slack_processes(long processes)
{
    return on_lazybones() ? FRAMES_SLACK_KERNEL : FRAMES_SLACK_LINUX + 8 * processes;
}

// Reads a whole file as a string into the static buffer; the test ends if it cannot be read.
static inline char *observe_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        tap_bail(path);
    size_t size = 0;
    ssize_t n;
    while ((n = read(fd, observe_text + size, sizeof(observe_text) - 1 - size)) > 0)
        size += n;
    close(fd);
    observe_text[size] = 0;
    return observe_text;
}

// The number after `key` in `text` ("MemFree:", "Rss:"), or -1.
static inline long observe_number(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

// A line of /proc/meminfo, in kB.
static inline long meminfo(const char *key)
{
    int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
    if (fd >= 0) {
        if (write(fd, "1\n", 2) < 0)
            tap_note("stat_refresh cannot be written");
        close(fd);
    }
    long value = observe_number(observe_file("/proc/meminfo"), key);
    if (value < 0)
        tap_bail(key);
    return value;
}

// Free frames of the machine, those on Linux's per-CPU lists included; frames of the kernel's object
// caches count as free.
static inline long frames_free(void)
{
    long frames = meminfo("MemFree:") / 4 + observe_number(observe_text, "\nSlab:") / 4;
    if (access("/proc/zoneinfo", R_OK) == 0)
        for (char *at = observe_file("/proc/zoneinfo"); (at = strstr(at, " count: ")); at++)
            frames += strtol(at + 8, NULL, 10);
    return frames;
}

// Frames that are page tables, of all processes.
static inline long frames_tables(void)
{
    return meminfo("PageTables:") / 4;
}

// The mapping in /proc/PID/smaps that holds addr: its entry as text, or NULL. pid 0: this process.
static inline char *smaps_entry(pid_t pid, const void *addr)
{
    char path[32] = "/proc/self/smaps";
    if (pid)
        snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    char *line = observe_file(path), *next;
    for (; *line; line = next) {
        uintptr_t start, end;
        next = strchr(line, '\n');
        next = next ? next + 1 : line + strlen(line);
        if (sscanf(line, "%lx-%lx ", &start, &end) != 2)
            continue;
        if ((uintptr_t)addr >= start && (uintptr_t)addr < end)
            return line;
    }
    return NULL;
}

// One field of the mapping that holds addr, in kB; -1 if there is no such mapping.
static inline long smaps(pid_t pid, const void *addr, const char *key)
{
    char *entry = smaps_entry(pid, addr);
    return entry ? observe_number(entry, key) : -1;
}

// Pages of RSS in the mapping that holds addr.
static inline long rss_at(const void *addr)
{
    return smaps(0, addr, "\nRss:") / 4;
}

// Pages of RSS of a whole process (0: this one), summed from smaps: exact on both kernels.
static inline long rss_all(pid_t pid)
{
    char path[32] = "/proc/self/smaps";
    if (pid)
        snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    long sum = 0;
    for (char *at = observe_file(path); (at = strstr(at, "\nRss:")); at += 5)
        sum += strtol(at + 5, NULL, 10);
    return sum / 4;
}

// Pages of address space, from statm (VSZ is not batched).
static inline long vsz_all(void)
{
    return strtol(observe_file("/proc/self/statm"), NULL, 10);
}

// The pagemap word of the page at addr; bit 63 says that it is present.
static inline uint64_t pagemap(const void *addr)
{
    uint64_t word = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);
    if (fd < 0)
        tap_bail("/proc/self/pagemap");
    lseek(fd, (uintptr_t)addr / PAGE * 8, SEEK_SET);
    if (read(fd, &word, 8) != 8)
        tap_bail("reading /proc/self/pagemap");
    close(fd);
    return word;
}

// The number of the frame behind addr; 0 where pagemap does not tell.
static inline uint64_t page_frame(const void *addr)
{
    uint64_t word = pagemap(addr);
    return word >> 63 ? word & ((1ul << 55) - 1) : 0;
}

static inline bool page_present(const void *addr)
{
    return pagemap(addr) >> 63;
}

// Minor faults of this process so far.
static inline long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

// Touches every page of the program's image and stack that there is, writable ones by a write, so that
// no measure pays for the first run of a piece of code, a buffer or a deeper stack.
static inline void image_settle(void)
{
    static struct {
        unsigned long start, end;
        bool writable;
    } parts[32];
    int count = 0, name = 0;
    char rights[5];
    for (char *line = observe_file("/proc/self/maps"); *line && count < 32; line = strchr(line, '\n') + 1) {
        if (sscanf(line, "%lx-%lx %4s %*x %*s %*u%n", &parts[count].start, &parts[count].end, rights,
                   &name) != 3)
            continue;
        const char *what = line + name + strspn(line + name, " ");
        bool image = parts[count].start < 0x10000000 && what[0] != '[';
        parts[count].writable = rights[1] == 'w';
        count += rights[0] == 'r' && (image || strncmp(what, "[stack]", 7) == 0);
    }
    for (int i = 0; i < count; i++)
        for (volatile char *at = (char *)parts[i].start; at < (char *)parts[i].end; at += PAGE) {
            char byte = *at;
            if (parts[i].writable)
                *at = byte;
        }
}

// Takes every measure once, so that what they cost has been paid before they count.
static inline void observe_settle(void)
{
    image_settle();
    for (int i = 0; i < 2; i++) {
        frames_free();
        frames_tables();
        rss_all(0);
        vsz_all();
        faults();
        smaps(0, observe_text, "\nRss:");
    }
}

// Maps `pages` writable anonymous pages that begin on a 2 MiB boundary and have a forbidden 2 MiB on
// either side, so that they are a VMA and page tables of their own. Ends the test if refused.
static inline char *region_map(long pages)
{
    size_t size = (pages * PAGE + LEAF_SPAN - 1) / LEAF_SPAN * LEAF_SPAN;
    char *base = mmap(NULL, size + 3 * LEAF_SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        tap_bail("mmap of a region");
    char *region = (char *)(((uintptr_t)base + 2 * LEAF_SPAN - 1) & -LEAF_SPAN);
    if (mprotect(region, pages * PAGE, PROT_READ | PROT_WRITE))
        tap_bail("mprotect of a region");
    return region;
}

// Unmaps a region with what surrounds it.
static inline void region_unmap(char *region, long pages)
{
    size_t size = (pages * PAGE + LEAF_SPAN - 1) / LEAF_SPAN * LEAF_SPAN;
    munmap(region - LEAF_SPAN, size + 2 * LEAF_SPAN);
}

// Reads one byte of each of `pages` pages; returns their sum, 0 for untouched memory.
static inline long region_read(const volatile char *region, long pages)
{
    long sum = 0;
    for (long i = 0; i < pages; i++)
        sum += region[i * PAGE];
    return sum;
}

// Writes `value` into the first byte of each of `pages` pages.
static inline void region_write(volatile char *region, long pages, char value)
{
    for (long i = 0; i < pages; i++)
        region[i * PAGE] = value;
}

// True if all bytes from addr on are `value`.
static inline bool all_bytes(const char *addr, size_t size, char value)
{
    for (size_t i = 0; i < size; i++)
        if (addr[i] != value)
            return false;
    return true;
}

#endif
