// SPDX-License-Identifier: MIT
//
// What the ledger has left, found by trying: how many pages the largest mapping has that is granted now. Nobody is asked.
#ifndef LAB_COMMIT_ROOM_H
#define LAB_COMMIT_ROOM_H

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/record.h"

#define ROOM_MOST (1ul << 24) // pages, more than any test has to give
#define KB_PER_PAGE (PAGE / 1024)

static inline void set(const char *name, uint64_t value)
{
    char path[80], text[24];
    int length = snprintf(text, sizeof(text), "%lu\n", value);

    snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, text, (size_t)length) != length)
        lab_lost(80);
    close(fd);
}

static inline unsigned char *map(uint64_t pages, int prot, int flags)
{
    unsigned char *region = mmap(NULL, pages * PAGE, prot, MAP_ANONYMOUS | flags, -1, 0);
    return region == MAP_FAILED ? NULL : region;
}

static inline unsigned char *map_surely(uint64_t pages, int prot, int flags)
{
    unsigned char *region = map(pages, prot, flags);
    if (!region)
        lab_lost(81);
    return region;
}

static inline bool is_granted(uint64_t pages)
{
    unsigned char *region = map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (region)
        munmap(region, pages * PAGE);
    return region;
}

static inline uint64_t room(void)
{
    uint64_t granted = 0, refused = ROOM_MOST;

    while (refused - granted > 1) {
        uint64_t middle = granted + (refused - granted) / 2;
        if (is_granted(middle))
            granted = middle;
        else
            refused = middle;
    }
    return granted;
}

// Nothing is overcommitted, no reserve; `kbytes` is the limit. The stack has all that it will need.
static inline void strict(uint64_t kbytes)
{
    volatile char stack[64 << 10];

    for (unsigned i = 0; i < sizeof(stack); i += PAGE)
        stack[i] = 0;
    set("user_reserve_kbytes", 0);
    set("admin_reserve_kbytes", 0);
    set("overcommit_kbytes", kbytes);
    set("overcommit_memory", 2);
}

// The value of a line in /proc/meminfo, in KiB.
static inline uint64_t meminfo(const char *key)
{
    static char text[4096];
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (length < 0)
        lab_lost(82);
    close(fd);
    text[length] = 0;
    const char *at = strstr(text, key);
    if (!at)
        lab_lost(83);
    return strtoul(at + strlen(key), NULL, 10);
}

// A child that says what it finds, as stream `stream`, and ends. Its wait status; -1: fork was refused.
static inline int with_child(uint64_t stream, void (*report)(uint64_t argument), uint64_t argument)
{
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        lab_stream(stream);
        report(argument);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

#endif
